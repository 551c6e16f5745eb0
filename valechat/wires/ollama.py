"""Usage on Ollama's own chat wire: counts stand on the last chunk (Ollama API reference)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valechat.usage import Usage
from valechat.wires.reading import Reader, last

__all__ = ["read_ollama"]


def read_ollama(events: Sequence[Mapping[str, Any]]) -> Usage:
    """Chat: the last chunk, with `prompt_eval_count` and `eval_count`."""
    read = Reader()
    counted = [e for e in events if "eval_count" in e or "prompt_eval_count" in e]
    usage: Mapping[str, Any] = counted[-1] if counted else {}
    return Usage(
        read.need(usage, "prompt_eval_count"),
        read.need(usage, "eval_count"),
        details=read.details(model=last(events, ("model",))),
    )
