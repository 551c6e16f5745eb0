from __future__ import annotations

import dataclasses
import json

from tests.providers.contract import KEY, ProviderContract
from tests.providers.test_openai_chat_contract import SAMPLES, event
from valechat.providers._setup import Setup
from valechat.providers.base import Provider
from valechat.providers.openrouter import create

MODELS = {
    "data": [
        {"id": "z/m-1", "name": "M", "architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}},
        {"id": "z/draw", "architecture": {"output_modalities": ["image"]}},
    ]
}


class TestOpenRouter(ProviderContract):
    samples = dataclasses.replace(
        SAMPLES,
        error_event=event(
            {
                "id": "c1",
                "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
                "error": {"code": 502, "message": "the server is overloaded"},
            }
        ),
        models=json.dumps(MODELS).encode(),
        model="z/m-1",
    )

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))
