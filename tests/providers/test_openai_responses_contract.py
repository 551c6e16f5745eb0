from __future__ import annotations

import json
from typing import Any

from tests.providers.contract import KEY, ProviderContract, WireSamples
from valechat.providers._setup import Setup
from valechat.providers.base import Provider
from valechat.providers.openai_responses import create


def event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def added(index: int, item: dict[str, Any]) -> bytes:
    return event({"type": "response.output_item.added", "output_index": index, "item": item})


def done(index: int, item: dict[str, Any]) -> bytes:
    return event({"type": "response.output_item.done", "output_index": index, "item": item})


def written(index: int, text: str) -> bytes:
    value = {"type": "response.output_text.delta", "output_index": index, "content_index": 0, "delta": text}
    return event(value | {"item_id": f"item_{index}"})


def arguments(index: int, text: str) -> bytes:
    return event({"type": "response.function_call_arguments.delta", "output_index": index, "delta": text})


def call(index: int, call_id: str, name: str, text: str, status: str = "completed") -> dict[str, Any]:
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": call_id, "name": name}
    return item | {"arguments": text, "status": status}


MESSAGE = {"type": "message", "id": "msg_0", "role": "assistant", "status": "completed"}
CONTENT = [{"type": "output_text", "text": "naïve – 日本 🙂", "annotations": []}]
RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "gpt-5-mini", "error": None}
OUTPUT = [
    MESSAGE | {"content": CONTENT},
    call(1, "call_a", "add", '{"a": 1}'),
    call(2, "call_b", "find", '{"q": "é"}'),
]

SAMPLES = WireSamples(
    events=[
        event({"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": []}}),
        added(0, MESSAGE | {"status": "in_progress", "content": []}),
        written(0, "naïve "),
        written(0, "– 日本 🙂"),
        event({"type": "response.output_text.done", "output_index": 0, "text": "naïve – 日本 🙂"}),
        done(0, OUTPUT[0]),
        added(1, call(1, "call_a", "add", "", "in_progress")),
        arguments(1, '{"a": '),
        added(2, call(2, "call_b", "find", "", "in_progress")),
        arguments(2, '{"q"'),
        arguments(1, "1}"),
        done(1, OUTPUT[1]),
        arguments(2, ': "é"}'),
        done(2, OUTPUT[2]),
        event(
            {
                "type": "response.completed",
                "response": {
                    **RESPONSE,
                    "status": "completed",
                    "output": OUTPUT,
                    "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
                },
            }
        ),
    ],
    needed=15,
    text="naïve – 日本 🙂",
    calls=[("add", '{"a": 1}'), ("find", '{"q": "é"}')],
    usage=(11, 7),
    error_event=event({"type": "error", "code": "server_error", "message": "the server is overloaded", "param": None}),
    unknown_event=event({"type": "response.something_new.delta", "output_index": 0, "delta": "news"}),
    comment=b": keep-alive\n\n",
    models=json.dumps({"object": "list", "data": [{"id": "gpt-5-mini"}, {"id": "text-embedding-3"}]}).encode(),
    model="gpt-5-mini",
    error_body=json.dumps({"error": {"message": "because we say so", "type": "t", "code": None}}).encode(),
)


class TestOpenAIResponses(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
