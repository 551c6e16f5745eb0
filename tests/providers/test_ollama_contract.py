from __future__ import annotations

import json
from typing import Any

from tests.providers.contract import KEY, ProviderContract, WireSamples
from valechat.providers._setup import Setup
from valechat.providers.base import Provider
from valechat.providers.ollama import create


def line(value: dict[str, Any]) -> bytes:
    return (
        json.dumps({"model": "qwen3:8b", "created_at": "2026-11-22T10:00:00Z", **value}, ensure_ascii=False).encode()
        + b"\n"
    )


def said(**message: Any) -> bytes:
    return line({"message": {"role": "assistant", "content": "", **message}, "done": False})


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": {"index": 0, "name": name, "arguments": arguments}}


def done(reason: str = "stop", **counts: Any) -> bytes:
    usual = {"total_duration": 5, "prompt_eval_count": 11, "eval_count": 7, "eval_duration": 4}
    message = {"role": "assistant", "content": ""}
    return line({"message": message, "done": True, "done_reason": reason, **usual, **counts})


SAMPLES = WireSamples(
    events=[
        said(content="naïve "),
        said(content="– 日本 🙂"),
        said(tool_calls=[call("add", a=1)]),
        said(tool_calls=[call("find", q="é")]),
        done(),
    ],
    needed=5,
    text="naïve – 日本 🙂",
    calls=[("add", '{"a":1}'), ("find", '{"q":"é"}')],
    usage=(11, 7),
    error_event=b'{"error":"the server is overloaded"}\n',
    unknown_event=b'{"news":[1,2]}\n',
    models=json.dumps({"models": [{"name": "qwen3:8b", "model": "qwen3:8b", "details": {}}]}).encode(),
    model="qwen3:8b",
    error_body=json.dumps({"error": "because we say so"}).encode(),
)


class TestOllama(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
