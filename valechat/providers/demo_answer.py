"""The demonstration's answers in the form of Chat Completions: whole, or in chunks."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from valechat.providers.demo_script import Answer, answer
from valechat.providers.demo_text import count_input, tokens

__all__ = ["MODEL", "completion", "completion_chunks"]

MODEL: dict[str, Any] = {
    "id": "echo",
    "object": "model",
    "created": 0,
    "owned_by": "valechat",
    "name": "Demonstration (repeats what you say)",
    "context_length": 1_000_000,
    "max_output_tokens": 100_000,
    "capabilities": {"completion_chat": True, "tools": True, "vision": True, "reasoning": True},
}


def completion_chunks(asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a streamed completion, a token each; usage last, if it is asked for."""
    spoken = _Spoken(asked)
    head = {**_head(asked), "object": "chat.completion.chunk"}
    usage_asked = bool((asked.get("stream_options") or {}).get("include_usage"))
    if usage_asked:
        head["usage"] = None

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    yield chunk({"role": "assistant", "content": None if spoken.calls and not spoken.text else ""})
    for piece in spoken.thinking:
        yield chunk({"reasoning_content": piece})
    for piece in spoken.text:
        yield chunk({"content": piece})
    for index, (call_id, name, pieces) in enumerate(spoken.calls):
        start = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
        yield chunk({"tool_calls": [start]})
        for piece in pieces:
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, spoken.reason)
    if usage_asked:
        yield {**head, "choices": [], "usage": spoken.usage}


def completion(asked: Mapping[str, Any]) -> dict[str, Any]:
    """A completion in one piece."""
    spoken = _Spoken(asked)
    message: dict[str, Any] = {"role": "assistant", "content": "".join(spoken.text) or None, "refusal": None}
    if spoken.thinking:
        message["reasoning_content"] = "".join(spoken.thinking)
    if spoken.calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": "".join(pieces)}}
            for call_id, name, pieces in spoken.calls
        ]
    choice = {"index": 0, "message": message, "finish_reason": spoken.reason, "logprobs": None}
    return {**_head(asked), "object": "chat.completion", "choices": [choice], "usage": spoken.usage}


class _Spoken:
    """An answer in tokens, cut at `max_tokens`, with its usage."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        said: Answer = answer(asked)
        most = asked.get("max_completion_tokens") or asked.get("max_tokens")
        room = most if isinstance(most, int) else MODEL["max_output_tokens"]
        self.thinking = tokens(said.thinking)[:room]
        self.text = tokens(said.text)[: room - len(self.thinking)]
        room -= len(self.thinking) + len(self.text)
        self.calls: list[tuple[str, str, list[str]]] = []
        cut = len(self.thinking) + len(self.text) < len(tokens(said.thinking)) + len(tokens(said.text))
        for number, call in enumerate(said.calls):
            pieces = tokens(call.arguments)
            if cut or len(pieces) > room:
                cut = True
                break
            room -= len(pieces)
            self.calls.append((f"call_{_digest(asked)[:20]}{number:04}", call.name, pieces))
        self.reason = "length" if cut else "tool_calls" if self.calls else "stop"
        output = len(self.thinking) + len(self.text) + sum(len(pieces) for _, _, pieces in self.calls)
        prompt = count_input(asked["messages"], asked.get("tools") or ())
        self.usage = {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": len(self.thinking)},
        }


def _head(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"chatcmpl-demo-{_digest(asked)[:24]}", "created": int(time.time()), "model": MODEL["id"]}


def _digest(asked: Mapping[str, Any]) -> str:
    """The same for the same conversation; its length is part of it, so each round's calls have ids of their own."""
    return hashlib.sha256(json.dumps(asked["messages"], sort_keys=True).encode()).hexdigest()
