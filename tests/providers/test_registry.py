from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest
from pydantic import SecretStr

from tests.providers.contract import ask
from tests.providers.faults import FaultServer, stream, whole
from valechat.config import ProviderSettings
from valechat.config.known import DEMO, KNOWN
from valechat.config.values import PROVIDERS
from valechat.errors import ConfigError, MissingKey
from valechat.messages import Message
from valechat.providers import registry
from valechat.providers._setup import Setup
from valechat.providers.base import Request
from valechat.providers.registry import build

DONE = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("name", sorted(KNOWN.keys() - {DEMO}))
def test_every_built_in_provider_needs_no_settings(name: str) -> None:
    provider = build(name)
    assert provider.name == name
    assert provider.local is KNOWN[name].local


@pytest.mark.parametrize("name", sorted(name for name, known in KNOWN.items() if known.variables))
async def test_built_in_providers_with_keys_ask_for_them_before_they_send(name: str) -> None:
    with pytest.raises(MissingKey) as caught:
        await ask(build(name), "m")
    assert caught.value.provider == name
    assert name in caught.value.fix


async def test_a_provider_of_the_users_own_is_used_with_its_settings() -> None:
    async def key() -> str:
        return "sk-lab"

    async with FaultServer(stream(DONE)) as server:
        settings = ProviderSettings(
            kind="openai-compatible", base_url=server.url + "/v1/", headers={"X-Team": SecretStr("blue")}
        )
        answer = await ask(build("mylab", settings, key), "m")
    (request,) = server.requests
    assert answer.message.text == "Hi"
    assert request.target == "/v1/chat/completions"
    assert (request.headers["authorization"], request.headers["x-team"]) == ("Bearer sk-lab", "blue")


async def test_a_server_of_the_users_own_needs_no_key() -> None:
    async with FaultServer(stream(DONE)) as server:
        provider = build("mylab", ProviderSettings(kind="openai-compatible", base_url=server.url))
        assert (await ask(provider, "m")).message.text == "Hi"
    assert "authorization" not in server.requests[0].headers


def test_a_server_of_the_users_own_is_not_taken_to_be_free() -> None:
    settings = ProviderSettings(kind="openai-compatible", base_url="http://127.0.0.1:4000/v1")
    assert build("mylab", settings).local is False


async def test_models_named_in_the_settings_are_not_asked_for() -> None:
    async with FaultServer(whole(b"", status=404)) as server:
        settings = ProviderSettings(kind="openai-compatible", base_url=server.url, models=("a", "b"))
        models = await build("mylab", settings).models()
    assert [model.name for model in models] == ["a", "b"]
    assert server.requests == []


async def test_openai_itself_is_spoken_to_in_its_own_dialect() -> None:
    provider = build("work", ProviderSettings(kind="openai"))
    assert provider.capabilities("gpt-5-mini").images is True
    assert provider.capabilities("gpt-3.5-turbo").images is False


async def test_another_server_under_openais_name_is_not_taken_for_openai() -> None:
    async with FaultServer(stream(DONE)) as server:
        provider = build("openai", ProviderSettings(kind="openai", base_url=server.url, api="chat"))
        assert provider.capabilities("gpt-5-mini").images is None
        await ask(provider, "m")


def test_an_unknown_name_is_said_with_those_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        build("nowhere")
    assert "openai" in caught.value.fix
    assert "[providers.nowhere]" in caught.value.fix


def _settings(**values: Any) -> Any:
    """Settings as a plugin's kind would have them, which the configuration's own check does not know."""
    usual = {"kind": "third", "base_url": "http://127.0.0.1:1/v1", "api": None, "timeout": None, "models": ()}
    headers: dict[str, Any] = {"resolved_headers": lambda provider: {}}
    return types.SimpleNamespace(**usual | {"allow_insecure": False} | headers | values)


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("third_party_provider")
    module.create = lambda setup: setup  # type: ignore[attr-defined]  # a package as a third party writes it
    monkeypatch.setitem(sys.modules, "third_party_provider", module)
    entries = [
        EntryPoint("third", "third_party_provider:create", PROVIDERS),
        EntryPoint("broken", "third_party_provider:missing", PROVIDERS),
    ]
    monkeypatch.setattr(
        registry, "entry_points", lambda group, name: EntryPoints(entries).select(group=group, name=name)
    )


def test_another_packages_kind_is_found_by_its_entry_point(third_party: None) -> None:
    setup: Any = build("mylab", _settings(timeout=5.0))
    assert isinstance(setup, Setup)
    assert (setup.name, setup.base_url, setup.timeout) == ("mylab", "http://127.0.0.1:1/v1", 5.0)


def test_another_packages_kind_that_cannot_be_loaded_is_said(third_party: None) -> None:
    with pytest.raises(ConfigError, match="third_party_provider"):
        build("mylab", _settings(kind="broken"))


def test_an_unknown_kind_is_said(third_party: None) -> None:
    with pytest.raises(ConfigError, match="telepathy"):
        build("mylab", _settings(kind="telepathy"))


def test_a_setup_shows_no_headers() -> None:
    setup = Setup("lab", "https://lab.example", headers={"X-Secret": "sesame"})
    assert "sesame" not in repr(setup)


async def test_closing_ends_connections_and_the_demonstration() -> None:
    demo = build("demo")
    first = [chunk async for chunk in demo.stream(Request("echo", [Message.user("count to 1")]))]
    await registry.close()
    assert first
    assert [chunk async for chunk in demo.stream(Request("echo", [Message.user("count to 1")]))]
