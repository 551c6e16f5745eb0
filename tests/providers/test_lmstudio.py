from __future__ import annotations

import json

import pytest

from tests.providers.contract import KEY, ProviderContract, ask, collect
from tests.providers.faults import FaultServer, stream, whole
from tests.providers.test_openai_chat_contract import SAMPLES, delta
from valechat.config import ProviderSettings
from valechat.errors import ProviderError, Unreachable
from valechat.messages import ImagePart, Message
from valechat.providers._setup import Setup
from valechat.providers.base import Capabilities, NoteChunk, Provider, Request
from valechat.providers.lmstudio import LMStudio, create
from valechat.providers.registry import build

HI = stream(delta({"content": "Hi"}), delta({}, "stop"), b"data: [DONE]\n\n")
NATIVE = {
    "object": "list",
    "data": [
        {"id": "qwen2-vl-7b", "type": "vlm", "state": "not-loaded", "max_context_length": 32768},
        {
            "id": "gpt-oss-20b",
            "type": "llm",
            "state": "loaded",
            "max_context_length": 131_072,
            "loaded_context_length": 4096,
            "capabilities": ["tool_use"],
        },
        {"id": "text-embedding-nomic", "type": "embeddings", "max_context_length": 2048},
    ],
}


class TestLMStudio(ProviderContract):
    samples = SAMPLES

    def adapter(self, base_url: str, *, key: str | None = KEY, timeout: float = 5.0) -> Provider:
        async def source() -> str | None:
            return key

        return create(Setup("lab", base_url, key=source, key_needed=True, timeout=timeout))

    async def test_models_are_listed(self) -> None:
        # Its own list has another form; the one that OpenAI has is asked for where there is none.
        async with FaultServer(whole(b"{}", status=404), whole(self.samples.models)) as server:
            models = await self.adapter(server.url).models()
        assert [model.name for model in models] == ["m-1"]


async def test_models_are_listed_with_the_window_they_were_given() -> None:
    async with FaultServer(whole(json.dumps(NATIVE).encode())) as server:
        provider = build("lmstudio", ProviderSettings(kind="lmstudio", base_url=f"{server.url}/v1"))
        models = await provider.models()
    assert [(model.name, model.context_tokens) for model in models] == [("gpt-oss-20b", 4096), ("qwen2-vl-7b", 32768)]
    assert provider.capabilities("gpt-oss-20b") == Capabilities(tools=True, images=False)
    assert provider.capabilities("qwen2-vl-7b") == Capabilities(images=True)
    assert [request.target for request in server.requests] == ["/api/v0/models"]


async def test_a_model_without_eyes_is_sent_no_image() -> None:
    async with FaultServer(whole(json.dumps(NATIVE).encode()), HI) as server:
        provider = create(Setup("lab", f"{server.url}/v1"))
        await provider.models()
        asked = Request("gpt-oss-20b", [Message.user("Look", ImagePart(b"x", "image/png"))])
        notes = [chunk.text for chunk in await collect(provider, asked) if isinstance(chunk, NoteChunk)]
    assert notes == ["Images were left out: this model takes none."]


@pytest.mark.parametrize("ending", ["", "/v1"])
async def test_the_address_may_leave_the_version_out(ending: str) -> None:
    async with FaultServer(HI) as server:
        provider = build("lmstudio", ProviderSettings(kind="lmstudio", base_url=server.url + ending))
        await ask(provider, "m")
    assert server.requests[0].target == "/v1/chat/completions"


def test_it_is_on_this_machine_and_needs_no_key() -> None:
    provider = build("lmstudio")
    assert isinstance(provider, LMStudio)
    assert provider.local is True


async def test_a_server_that_is_down_is_told_once() -> None:
    async with FaultServer(HI) as server:
        url = server.url
    with pytest.raises(Unreachable):
        await create(Setup("lab", f"{url}/v1")).models()


async def test_an_error_event_in_the_stream_is_raised() -> None:
    broken = b'event: error\ndata: {"error":{"message":"Model unloaded."}}\n\n'
    async with FaultServer(stream(delta({"content": "Hi"}), broken)) as server:
        with pytest.raises(ProviderError, match="Model unloaded"):
            await ask(create(Setup("lab", f"{server.url}/v1")), "m")
