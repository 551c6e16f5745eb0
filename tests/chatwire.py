"""Events of a Chat Completions stream, as bytes for a scripted server."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["DONE", "USAGE", "event", "said", "thought"]


def event(value: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _delta(delta: dict[str, Any], reason: str | None = None) -> bytes:
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})


def said(*pieces: str) -> list[bytes]:
    """Pieces of text."""
    return [_delta({"content": piece}) for piece in pieces]


def thought(*pieces: str) -> list[bytes]:
    """Pieces of reasoning."""
    return [_delta({"reasoning_content": piece}) for piece in pieces]


USAGE = event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 10}})
DONE = _delta({}, "stop") + USAGE + b"data: [DONE]\n\n"
"""A whole answer's end, with its usage."""
