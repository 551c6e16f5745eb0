from __future__ import annotations

import json
from typing import Any

from tests.providers.contract import KEY, ProviderContract, WireSamples
from valechat.providers._setup import Setup
from valechat.providers.base import Provider
from valechat.providers.gemini import create


def event(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def chunk(*parts: dict[str, Any], output: int, **candidate: Any) -> bytes:
    usage = {"promptTokenCount": 11, "candidatesTokenCount": output, "totalTokenCount": 11 + output}
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return event(
        {
            "candidates": [{**content, "index": 0, **candidate}],
            "usageMetadata": usage,
            "modelVersion": "gemini-2.5-flash",
            "responseId": "r1",
        }
    )


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": arguments}}


SAMPLES = WireSamples(
    events=[
        chunk({"text": "naïve "}, output=2),
        chunk({"text": "– 日本 🙂"}, output=4),
        chunk(call("add", a=1), call("find", q="é"), output=6),
        chunk({"text": ""}, output=7, finishReason="STOP"),
    ],
    needed=4,
    text="naïve – 日本 🙂",
    calls=[("add", '{"a":1}'), ("find", '{"q":"é"}')],
    usage=(11, 7),
    error_event=event({"error": {"code": 503, "message": "the server is overloaded", "status": "UNAVAILABLE"}}),
    unknown_event=event({"somethingNew": {"news": [1, 2]}}),
    comment=b": keep-alive\n\n",
    models=json.dumps(
        {
            "models": [
                {"name": "models/gemini-2.5-flash", "supportedGenerationMethods": ["generateContent", "countTokens"]},
                {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]},
            ]
        }
    ).encode(),
    model="gemini-2.5-flash",
    error_body=json.dumps({"error": {"code": 400, "message": "because we say so", "status": "S"}}).encode(),
)


class TestGemini(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
