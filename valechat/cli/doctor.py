"""`valechat doctor`."""

from __future__ import annotations

import argparse

from valechat.cli.output import emit, say
from valechat.doctor import diagnose, report

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Check the installation; fails when there is a problem."""
    checks = diagnose()
    if options.format == "json":
        emit(["name", "ok", "message", "fix"], [[c.name, c.ok, c.message, c.fix] for c in checks], "json")
    else:
        say(report(checks))
    return 1 if any(check.ok is False for check in checks) else 0
