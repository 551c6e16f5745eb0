from __future__ import annotations

from collections.abc import Callable

import pytest

from valechat.errors import ConfigError
from valechat.keys import KeyRing
from valechat.keys.environment import usual_variables
from valechat.paths import Paths

MakeRing = Callable[..., KeyRing]


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("openai", "OPENAI_API_KEY"),
        ("anthropic", "ANTHROPIC_API_KEY"),
        ("gemini", "GEMINI_API_KEY"),
        ("gemini", "GOOGLE_API_KEY"),
        ("openrouter", "OPENROUTER_API_KEY"),
        ("groq", "GROQ_API_KEY"),
        ("mistral", "MISTRAL_API_KEY"),
        ("deepseek", "DEEPSEEK_API_KEY"),
        ("together", "TOGETHER_API_KEY"),
        ("my-lab", "MY_LAB_API_KEY"),
    ],
)
async def test_a_key_is_found_in_the_providers_usual_variable(
    make_ring: MakeRing, provider: str, variable: str
) -> None:
    key = await make_ring({variable: " k-1\n"}).get(provider)
    assert key is not None
    assert (key.reveal(), key.source) == ("k-1", f"environment {variable}")


async def test_the_first_usual_variable_wins(make_ring: MakeRing) -> None:
    key = await make_ring({"GOOGLE_API_KEY": "two", "GEMINI_API_KEY": "one"}).get("gemini")
    assert key is not None
    assert key.reveal() == "one"


async def test_the_variable_the_settings_name_wins_over_the_usual_one(make_ring: MakeRing, paths: Paths) -> None:
    paths.config_file.write_text('[providers.openai]\napi_key = "${WORK_KEY}"\n')
    key = await make_ring({"OPENAI_API_KEY": "private", "WORK_KEY": "work"}).get("openai")
    assert key is not None
    assert (key.reveal(), key.source) == ("work", "environment WORK_KEY")


async def test_a_variable_the_settings_name_and_nobody_set_is_an_error(make_ring: MakeRing, paths: Paths) -> None:
    paths.config_file.write_text('[providers.openai]\napi_key = "${WORK_KEY}"\n')
    with pytest.raises(ConfigError, match=r"WORK_KEY, which providers\.openai\.api_key refers to, is not set"):
        await make_ring({"OPENAI_API_KEY": "private"}).get("openai")


async def test_a_variable_that_cannot_be_a_key_is_refused_without_showing_it(make_ring: MakeRing) -> None:
    with pytest.raises(ConfigError, match="from environment OPENAI_API_KEY has blanks") as caught:
        await make_ring({"OPENAI_API_KEY": "sk canary"}).get("openai")
    assert "canary" not in str(caught.value)


async def test_a_changed_variable_counts_the_next_time(make_ring: MakeRing) -> None:
    environ = {"OPENAI_API_KEY": "one"}
    ring = make_ring(environ)
    await ring.get("openai")
    environ["OPENAI_API_KEY"] = "two"
    key = await ring.get("openai")
    assert key is not None
    assert key.reveal() == "two"


def test_a_provider_on_this_machine_has_no_usual_variable() -> None:
    assert usual_variables("ollama") == ()
