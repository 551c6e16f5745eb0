from __future__ import annotations

import json
from typing import Any

from tests.providers.contract import KEY, ProviderContract, WireSamples
from valechat.providers._setup import Setup
from valechat.providers.anthropic import create
from valechat.providers.base import Provider


def event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def start(index: int, block: dict[str, Any]) -> bytes:
    return event({"type": "content_block_start", "index": index, "content_block": block})


def delta(index: int, value: dict[str, Any]) -> bytes:
    return event({"type": "content_block_delta", "index": index, "delta": value})


def stop(index: int) -> bytes:
    return event({"type": "content_block_stop", "index": index})


def call(call_id: str, name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": {}}


def arguments(text: str) -> dict[str, Any]:
    return {"type": "input_json_delta", "partial_json": text}


SAMPLES = WireSamples(
    events=[
        event(
            {
                "type": "message_start",
                "message": {
                    "id": "msg_1",
                    "type": "message",
                    "role": "assistant",
                    "model": "claude-sonnet-4-5",
                    "content": [],
                    "stop_reason": None,
                    "usage": {"input_tokens": 11, "output_tokens": 1},
                },
            }
        ),
        start(0, {"type": "text", "text": ""}),
        event({"type": "ping"}),
        delta(0, {"type": "text_delta", "text": "naïve "}),
        delta(0, {"type": "text_delta", "text": "– 日本 🙂"}),
        stop(0),
        start(1, call("toolu_a", "add")),
        delta(1, arguments("")),
        delta(1, arguments('{"a": ')),
        start(2, call("toolu_b", "find")),
        delta(2, arguments('{"q"')),
        delta(1, arguments("1}")),
        stop(1),
        delta(2, arguments(': "é"}')),
        stop(2),
        event(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {"output_tokens": 7},
            }
        ),
        event({"type": "message_stop"}),
    ],
    needed=16,
    text="naïve – 日本 🙂",
    calls=[("add", '{"a": 1}'), ("find", '{"q": "é"}')],
    usage=(11, 7),
    error_event=event({"type": "error", "error": {"type": "overloaded_error", "message": "the server is overloaded"}}),
    unknown_event=event({"type": "something_new", "news": [1, 2], "index": 0}),
    comment=b": keep-alive\n\n",
    models=json.dumps(
        {"data": [{"type": "model", "id": "claude-sonnet-4-5", "display_name": "Claude"}], "has_more": False}
    ).encode(),
    model="claude-sonnet-4-5",
    error_body=json.dumps({"type": "error", "error": {"type": "t", "message": "because we say so"}}).encode(),
)


class TestAnthropic(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
