"""Controls of a chat and of one question reach the server as its wire has them."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.chatwire import DONE, said
from tests.providers.faults import FaultServer, stream
from valechat.engine import engine
from valechat.errors import ConfirmationRequired


@pytest.fixture
async def server(home: Path) -> AsyncIterator[FaultServer]:
    async with FaultServer(stream(*said("Yes."), DONE)) as server:
        (home / "config.toml").write_text(
            f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\n', encoding="utf-8"
        )
        yield server
    engine().close()


def asked(server: FaultServer) -> dict[str, Any]:
    """The last request's body, but for what every request has."""
    body = dict(server.requests[-1].json)
    return {
        name: value for name, value in body.items() if name not in ("messages", "model", "stream", "stream_options")
    }


async def test_a_chats_controls_reach_the_server(server: FaultServer) -> None:
    chat = valechat.Chat(
        "lab/one", temperature=0.5, max_tokens=50, reasoning_effort="low", seed=7, options={"top_p": 0.9}
    )
    await chat.ask("Why?")
    assert asked(server) == {
        "temperature": 0.5,
        "max_tokens": 50,
        "reasoning_effort": "low",
        "seed": 7,
        "top_p": 0.9,
    }


async def test_a_control_of_one_question_counts_for_that_question_only(server: FaultServer) -> None:
    chat = valechat.Chat("lab/one", temperature=0.5, seed=7)
    await chat.ask("Why?", temperature=0.0, reasoning_effort="high")
    assert asked(server) == {"temperature": 0.0, "seed": 7, "reasoning_effort": "high"}
    await chat.ask("Why?")
    assert asked(server) == {"temperature": 0.5, "seed": 7}


async def test_none_for_one_question_is_the_models_default(server: FaultServer) -> None:
    await valechat.Chat("lab/one", temperature=0.5, seed=7).ask("Why?", temperature=None)
    assert asked(server) == {"seed": 7}


async def test_options_of_one_question_are_merged_into_the_chats(server: FaultServer) -> None:
    chat = valechat.Chat("lab/one", options={"top_p": 0.9, "user": "me"})
    await chat.ask("Why?", options={"top_p": 0.1, "logit_bias": {"50256": -100}})
    assert asked(server) == {"top_p": 0.1, "user": "me", "logit_bias": {"50256": -100}}
    assert chat.options == {"top_p": 0.9, "user": "me"}


async def test_streams_take_the_same_controls(server: FaultServer) -> None:
    kinds = [event.kind async for event in valechat.Chat("lab/one").stream("Why?", seed=3)]
    assert kinds[-1] == "done"
    assert asked(server) == {"seed": 3}


@pytest.mark.parametrize("method", ["ask", "ask_sync", "stream"])
def test_the_signature_a_notebook_shows_names_every_control(method: str) -> None:
    parameters = inspect.signature(getattr(valechat.Chat("lab/one"), method)).parameters
    assert list(parameters) == [
        *("text", "model", "images", "files", "max_cost", "confirmed", "after", "temperature", "max_tokens"),
        *("timeout", "reasoning_effort", "seed", "schema", "options"),
    ]
    assert parameters["images"].default == ()
    assert parameters["temperature"].default is None


async def test_a_misspelt_keyword_is_refused_with_the_one_that_was_meant(server: FaultServer) -> None:
    with pytest.raises(TypeError, match="Did you mean 'temperature'"):
        await valechat.Chat("lab/one").ask("Why?", temprature=1)  # type: ignore[call-arg]  # the mistake in question
    assert server.requests == []


async def test_what_the_refusal_of_a_dear_question_advises_works(home: Path) -> None:
    (home / "config.toml").write_text('[limits]\nconfirm_above = "0.0001"\n')
    chat = valechat.Chat("demo/echo", options={"demo_tokens_per_second": 0})
    with pytest.raises(ConfirmationRequired, match="confirmed=True"):
        await chat.ask("Hello")
    assert (await chat.ask("Hello", confirmed=True)).status == "complete"
