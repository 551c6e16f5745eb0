"""The verbs of `%valechat`, one function each. `VERBS` is complete once this package is imported."""

from __future__ import annotations

# The order is the help's.
from valechat.notebook.verbs import models, talks, fixing, money, tables, plugins, keys, files, health, manual  # isort: skip
from valechat.notebook.verbs.registry import VERBS, Call, Verb, verb

__all__ = [
    "VERBS",
    "Call",
    "Verb",
    "files",
    "fixing",
    "health",
    "keys",
    "manual",
    "models",
    "money",
    "plugins",
    "tables",
    "talks",
    "verb",
]
