from __future__ import annotations

import pytest

from valechat.providers._anthropic_models import traits_of


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-3-haiku-20240307", 2048),
        ("claude-3-5-haiku-latest", 2048),
        ("claude-3-7-sonnet-20250219", 1024),
        ("claude-sonnet-4-20250514", 1024),
        ("claude-opus-4-1-20250805", 1024),
        ("claude-sonnet-4-5-20250929", 1024),
        ("claude-haiku-4-5", 4096),
        ("claude-opus-4-5-20251101", 4096),
        ("claude-opus-4-6", 4096),
        ("claude-sonnet-4-6", 1024),
        ("claude-opus-4-7", 2048),
        ("claude-opus-4-8", 1024),
        ("claude-sonnet-5", 1024),
        ("claude-opus-5", 512),
        ("claude-fable-5", 512),
        ("claude-sonnet-5-5", 512),
        ("claude-haiku-5-5", 512),
    ],
)
def test_the_least_prefix_that_is_cached_is_the_models_own(model: str, tokens: int) -> None:
    assert traits_of(model).least_cached == tokens


@pytest.mark.parametrize(
    "model", ["claude-3-7-sonnet-latest", "claude-sonnet-3.7", "claude-haiku-4.5", "Claude-Opus-4-20250514"]
)
def test_a_version_is_found_before_and_after_the_family_and_a_date_is_none(model: str) -> None:
    assert traits_of(model).thinking == "budget"


@pytest.mark.parametrize("model", ["claude-mythos-preview", "claude-opus-latest", "claude-sonnet-6"])
def test_a_claude_whose_version_is_not_known_is_taken_for_the_newest_form(model: str) -> None:
    traits = traits_of(model)
    assert (traits.thinking, traits.sampling, traits.thinks_unasked) == ("adaptive", False, True)


def test_little_is_assumed_of_another_makers_model() -> None:
    traits = traits_of("MiniMax-M3")
    assert (traits.sampling, traits.thinks_unasked, traits.binds_thinking) == (True, False, False)


@pytest.mark.parametrize(
    ("model", "off"),
    [
        ("claude-haiku-4-5", ""),
        ("claude-opus-5", "disabled"),
        ("claude-haiku-5-5", "disabled"),
        ("claude-sonnet-5-5", "between_tools"),
        ("claude-opus-5-5", None),
        ("claude-mythos-5", None),
    ],
)
def test_reasoning_is_turned_off_as_the_model_takes_it(model: str, off: str | None) -> None:
    assert traits_of(model).off == off
