"""The answers that are replayed: what OpenAI's and Anthropic's servers send, event by event.

An answer of n events is n pieces of text between the wire's own beginning and end. Written once, before
anything is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["answer", "text"]

_WORDS = (" the", " answer", " streams", " in", " small", " pieces", ",", " each", " a", " token", " or", " two", ".\n")


def text(events: int) -> str:
    """What an answer of that many pieces says."""
    return "".join(_piece(number) for number in range(events))


def answer(path: str, events: int, *, packed: bool) -> bytes:
    """A whole HTTP response.

    Args:
        path: The request's, which tells the wire.
        events: Pieces of text.
        packed: Write 16 KB at a time, as a proxy that buffers does, not each event in an HTTP chunk of its own.
    """
    made = list(_anthropic(events) if path.endswith("/messages") else _chat(events))
    if packed:
        whole = b"".join(made)
        made = [whole[start : start + 16384] for start in range(0, len(whole), 16384)]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in made) + b"0\r\n\r\n"


def _piece(number: int) -> str:
    return _WORDS[number % len(_WORDS)]


def _chat(events: int) -> Iterator[bytes]:
    """https://platform.openai.com/docs/api-reference/chat-streaming."""
    frame = {
        "id": "chatcmpl-CfQ7x2uZb1mJr0S5tYwVnKcLd8AoE",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "gpt-5-mini-2025-08-07",
        "service_tier": "default",
        "system_fingerprint": None,
    }

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**frame, "choices": [choice], "usage": None})

    yield chunk({"role": "assistant", "content": ""})
    for number in range(events):
        yield chunk({"content": _piece(number)})
    yield chunk({}, "stop")
    usage = {"prompt_tokens": 9, "completion_tokens": events, "total_tokens": 9 + events}
    yield _event({**frame, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _anthropic(events: int) -> Iterator[bytes]:
    """https://docs.anthropic.com/en/docs/build-with-claude/streaming."""
    message: dict[str, Any] = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5-20250929",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 1},
    }
    yield _named("message_start", message=message)
    yield _named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _named("ping")
    for number in range(events):
        yield _named("content_block_delta", index=0, delta={"type": "text_delta", "text": _piece(number)})
    yield _named("content_block_stop", index=0)
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _named("message_delta", delta=ended, usage={"output_tokens": events})
    yield _named("message_stop")


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _named(name: str, **fields: Any) -> bytes:
    return f"event: {name}\n".encode() + _event({"type": name, **fields})
