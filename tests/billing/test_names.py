"""Which names mean the same price."""

import pytest

from valechat.billing.names import canonical, is_local, same_model, split
from valechat.billing.table import default_table


@pytest.mark.parametrize(
    ("name", "halves"),
    [
        ("openai/gpt-5", ("openai", "gpt-5")),
        ("openai:gpt-5", ("openai", "gpt-5")),
        ("ollama/llama3:8b", ("ollama", "llama3:8b")),
        ("ollama:hf.co/x/y", ("ollama", "hf.co/x/y")),
        ("gpt-5", ("", "gpt-5")),
    ],
)
def test_the_first_slash_or_colon_ends_the_provider(name: str, halves: tuple[str, str]) -> None:
    assert split(name) == halves


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("google/gemini-2.5-pro", "gemini/gemini-2.5-pro"),
        ("gemini/models/gemini-2.5-pro", "gemini/gemini-2.5-pro"),
        ("x-ai/grok-4", "xai/grok-4"),
        ("OpenAI/GPT-5", "openai/gpt-5"),
        ("fireworks/accounts/fireworks/models/glm-5", "fireworks/glm-5"),
    ],
)
def test_providers_and_prefixes_have_one_spelling(name: str, spelling: str) -> None:
    assert canonical(name) == spelling


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("openai/gpt-5-mini", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini-2025-08-07", "openai/gpt-5-mini"),
        ("openai/gpt-5-mini-2031-01-31", "openai/gpt-5-mini"),
        ("openai/gpt-5-chat-latest", "openai/gpt-5"),
        ("openai/ft:gpt-4o-mini-2024-07-18:org:name:id", "openai/ft:gpt-4o-mini"),
        ("anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
        ("anthropic/claude-haiku-4-5-latest", "anthropic/claude-haiku-4-5"),
        ("gemini/gemini-2.5-flash-preview-04-17", "gemini/gemini-2.5-flash-preview"),
        ("gemini/gemini-2.5-pro-preview-06-05", "gemini/gemini-2.5-pro"),
        ("gemini/gemini-2.0-flash-001", "gemini/gemini-2.0-flash"),
        ("gpt-5-mini", "openai/gpt-5-mini"),
        ("openrouter/openai/gpt-5-mini", "openrouter/openai/gpt-5-mini"),
    ],
)
def test_a_model_is_found_under_its_other_names(name: str, found: str) -> None:
    assert default_table().name(name) == found


@pytest.mark.parametrize(
    "name",
    [
        "openai/gpt-5-mini-2025-13-45",
        "openai/gpt-5-mini-turbo",
        "openai/gpt-5-min",
        "openai/gpt-99",
        "mistral/mistral-large-latest",
        "mylab/gpt-5-mini",
        "groq/gpt-5-mini",
        "",
        "/",
    ],
)
def test_a_name_that_only_looks_alike_is_not_found(name: str) -> None:
    assert default_table().name(name) is None


def test_snapshots_of_a_model_are_one_model() -> None:
    assert same_model("openai/gpt-5-2025-08-07") == same_model("openai:GPT-5") == "openai/gpt-5"


@pytest.mark.parametrize(("name", "local"), [("ollama/qwen3", True), ("lmstudio/x", True), ("openai/gpt-5", False)])
def test_only_servers_on_the_users_machine_are_local(name: str, local: bool) -> None:
    assert is_local(name) is local
