from __future__ import annotations

import pytest

from valechat.config import parse_model
from valechat.config.names import nearest
from valechat.errors import ConfigError, UnknownModel


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("openai/gpt-5", "openai", "gpt-5"),
        ("openai:gpt-5", "openai", "gpt-5"),
        ("openrouter/anthropic/claude-sonnet-4", "openrouter", "anthropic/claude-sonnet-4"),
        ("openrouter:anthropic/claude-sonnet-4", "openrouter", "anthropic/claude-sonnet-4"),
        ("ollama/llama3:8b", "ollama", "llama3:8b"),
        ("ollama:llama3:8b", "ollama", "llama3:8b"),
        ("  OpenAI/GPT-5 ", "openai", "GPT-5"),
    ],
)
def test_a_model_is_split_at_the_first_separator(name: str, provider: str, model: str) -> None:
    assert parse_model(name) == (provider, model)


@pytest.mark.parametrize("name", ["gpt-5", "", "/", "openai/", "/gpt-5", "öpen/x", "a b/c", ":", "openai: "])
def test_a_name_without_both_halves_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(ConfigError, match="does not name a model") as caught:
        parse_model(name)
    assert "openai/gpt-5-mini" in caught.value.fix


def test_an_unknown_provider_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownModel) as caught:
        parse_model("opnai/gpt-5", ["openai", "anthropic"])
    assert caught.value.fix == "Did you mean openai/gpt-5?"


def test_a_provider_like_no_other_is_answered_with_all_of_them() -> None:
    with pytest.raises(UnknownModel) as caught:
        parse_model("zzz/gpt-5", ["openai", "anthropic"])
    assert caught.value.fix == "Providers are: anthropic, openai."


def test_the_nearest_name_ignores_case() -> None:
    assert nearest("europe/amsterdm", ["Europe/Amsterdam", "Europe/Berlin"]) == "Europe/Amsterdam"
    assert nearest("xyz", ["daily", "monthly"]) is None
