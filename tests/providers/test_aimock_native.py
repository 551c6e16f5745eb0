"""The wires of Gemini, Ollama and OpenRouter against aimock, as `test_aimock` has it for the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tests.providers import test_aimock as others
from valechat.providers import gemini, ollama, openrouter
from valechat.providers._setup import Factory, Setup
from valechat.providers.base import Provider

program = others.program
server = others.server

pytestmark = pytest.mark.slow


def at(create: Factory, path: str) -> Factory:
    """The adapter at the path its wire has there."""

    def made(setup: Setup) -> Provider:
        return create(replace(setup, base_url=setup.base_url.removesuffix("/v1") + path))

    return made


WIRES = {
    "gemini.generate": (at(gemini.create, ""), "gemini-2.5-flash"),
    "ollama.chat": (at(ollama.create, ""), "qwen3:8b"),
    "openrouter.chat": (at(openrouter.create, "/api/v1"), "openai/gpt-5-mini"),
}
BEHAVIOURS = (
    others.test_a_round_of_parallel_tools_goes_through,
    others.test_reasoning_is_apart_from_the_answer_and_usage_is_read,
    others.test_what_it_thought_can_be_sent_back,
    others.test_a_rate_limit_is_told_with_its_wait,
    others.test_an_answer_it_cuts_is_broken,
    others.test_its_models_are_listed,
    others.test_a_question_nobody_scripted_is_refused,
)
NOT_THERE = {
    # aimock lists no Gemini models, and calls Ollama's `thinking` `reasoning_content`.
    ("gemini.generate", others.test_its_models_are_listed),
    ("ollama.chat", others.test_reasoning_is_apart_from_the_answer_and_usage_is_read),
}


@pytest.mark.parametrize(
    ("wire", "behaves"),
    [
        pytest.param(wire, behaves, id=f"{wire}-{behaves.__name__.removeprefix('test_')}")
        for wire in WIRES
        for behaves in BEHAVIOURS
        if (wire, behaves) not in NOT_THERE
    ],
)
async def test_it_behaves_as_the_other_wires_do(
    server: str, wire: str, behaves: Callable[[str, Factory, str], Awaitable[None]]
) -> None:
    create, model = WIRES[wire]
    await behaves(server, create, model)
