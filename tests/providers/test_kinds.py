from __future__ import annotations

import pytest

from valechat.config import ProviderSettings
from valechat.providers.anthropic import Anthropic
from valechat.providers.openai_chat import OpenAIChat
from valechat.providers.openai_responses import OpenAIResponses
from valechat.providers.registry import build

LOOPBACK = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("name", "settings", "kind"),
    [
        ("anthropic", None, Anthropic),
        ("anthropic", ProviderSettings(kind="anthropic", base_url=LOOPBACK), Anthropic),
        ("mylab", ProviderSettings(kind="anthropic", base_url=LOOPBACK), Anthropic),
        ("openai", None, OpenAIResponses),
        ("openai", ProviderSettings(kind="openai"), OpenAIResponses),
        ("openai", ProviderSettings(kind="openai", api="chat"), OpenAIChat),
        ("openai", ProviderSettings(kind="openai", base_url=LOOPBACK), OpenAIChat),
        ("openai", ProviderSettings(kind="openai", base_url=LOOPBACK, api="responses"), OpenAIResponses),
        ("mylab", ProviderSettings(kind="openai"), OpenAIResponses),
        ("mylab", ProviderSettings(kind="openai-compatible", base_url=LOOPBACK), OpenAIChat),
        ("mylab", ProviderSettings(kind="openai-compatible", base_url=LOOPBACK, api="responses"), OpenAIResponses),
        ("lmstudio", ProviderSettings(kind="lmstudio", api="responses"), OpenAIResponses),
    ],
)
def test_a_kind_and_its_api_choose_the_wire(name: str, settings: ProviderSettings | None, kind: type) -> None:
    provider = build(name, settings)
    assert type(provider) is kind
    assert provider.name == name


def test_only_openai_itself_is_known_by_its_models_names() -> None:
    assert build("openai").capabilities("gpt-4o").images is True
    assert build("openai").capabilities("gpt-3.5-turbo").images is False
    elsewhere = ProviderSettings(kind="openai-compatible", base_url=LOOPBACK, api="responses")
    assert build("mylab", elsewhere).capabilities("gpt-4o").images is None


def test_a_claude_is_known_by_its_name_wherever_it_is() -> None:
    assert build("anthropic").capabilities("claude-3-5-haiku-20241022").reasoning is False
    assert build("anthropic").capabilities("claude-haiku-4-5").schema is True
    assert build("anthropic").capabilities("another-model").images is None
