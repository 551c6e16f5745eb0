from __future__ import annotations

import json
from typing import Any

from tests.providers.contract import KEY, ProviderContract, WireSamples
from valechat.providers._setup import Setup
from valechat.providers.base import Provider
from valechat.providers.openai_chat import create


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def delta(content: dict[str, Any], reason: str | None = None) -> bytes:
    return event({"id": "c1", "choices": [{"index": 0, "delta": content, "finish_reason": reason}], "usage": None})


def call_piece(index: int, arguments: str, **start: str) -> dict[str, Any]:
    name = {"name": start["name"]} if start else {}
    head = {"id": start["id"], "type": "function"} if start else {}
    return {"tool_calls": [{"index": index, **head, "function": {**name, "arguments": arguments}}]}


SAMPLES = WireSamples(
    events=[
        delta({"role": "assistant", "content": None}),
        delta({"content": "naïve "}),
        delta({"content": "– 日本 🙂"}),
        delta(call_piece(0, "", id="call_a", name="add")),
        delta(call_piece(0, '{"a": ')),
        delta(call_piece(1, '{"q"', id="call_b", name="find")),
        delta(call_piece(0, "1}")),
        delta(call_piece(1, ': "é"}')),
        delta({}, "tool_calls"),
        event({"id": "c1", "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}),
        b"data: [DONE]\n\n",
    ],
    needed=9,
    text="naïve – 日本 🙂",
    calls=[("add", '{"a": 1}'), ("find", '{"q": "é"}')],
    usage=(11, 7),
    error_event=event({"error": {"message": "the server is overloaded", "type": "server_error", "code": None}}),
    unknown_event=event({"object": "something.new", "news": [1, 2]}),
    comment=b": OPENROUTER PROCESSING\n\n",
    models=json.dumps({"object": "list", "data": [{"id": "m-1"}, {"id": "text-embedding-3"}]}).encode(),
    model="m-1",
    error_body=json.dumps({"error": {"message": "because we say so", "type": "t", "code": None}}).encode(),
)


class TestOpenAIChat(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
