"""A provider that is left alone is visible: in the panel, by doctor, and in the reply of a fallback."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stamina

import valechat
from tests.chatwire import DONE, said
from tests.notebook.panels import PanelUnderTest
from tests.providers.faults import FaultServer, stream, whole
from valechat.doctor import Check, diagnose
from valechat.engine import engine
from valechat.errors import CircuitOpen, ServerFailed
from valechat.services import services

DOWN = whole(b'{"error": {"message": "Overloaded, sorry"}}', status=503)


@pytest.fixture
async def lab(home: Path) -> AsyncIterator[FaultServer]:
    """A server that fails three times and then works; nothing is tried twice."""
    stamina.set_active(False)
    try:
        async with FaultServer(DOWN, DOWN, DOWN, stream(*said("Here I am."), DONE)) as server:
            (home / "config.toml").write_text(
                f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n',
                encoding="utf-8",
            )
            yield server
    finally:
        stamina.set_active(True)
        engine().close()


async def fail(chat: valechat.Chat, times: int = 3) -> None:
    for _ in range(times):
        with pytest.raises(ServerFailed):
            await chat.ask("Are you there?")


def breaker_checks() -> list[Check]:
    return [check for check in diagnose() if check.name.startswith("breaker")]


async def test_the_panel_hears_of_a_breaker_that_opens_and_of_one_that_closes(lab: FaultServer) -> None:
    panel = PanelUnderTest(valechat.Chat("lab/one"))
    for _ in range(3):
        panel.ask("Are you there?")
        await panel.until("refused")
    (opened,) = (await panel.until("breakers"))["breakers"]
    assert opened["provider"] == "lab"
    assert "Overloaded" in opened["reason"]
    assert 0 < opened["seconds"] <= 15
    panel.send({"type": "hello"})
    assert (await panel.until("state"))["breakers"][0]["provider"] == "lab"
    services().breakers()["lab"]._open_until = 0.0
    panel.ask("And now?")
    await panel.until("turn_ended")
    assert (await panel.until("breakers"))["breakers"] == []


async def test_a_provider_that_works_gives_the_panel_no_word_of_breakers(lab: FaultServer) -> None:
    lab._scripts[:] = lab._scripts[-1:]
    panel = PanelUnderTest(valechat.Chat("lab/one"))
    panel.ask("Are you there?")
    await panel.until("turn_ended")
    panel.send({"type": "hello"})
    assert (await panel.until("state"))["breakers"] == []
    assert [message for message in panel.got if message["type"] == "breakers"] == []


async def test_doctor_lists_a_breaker_that_is_open_with_its_reason(lab: FaultServer) -> None:
    lab._scripts.insert(0, DOWN)  # doctor asks the server too
    chat = valechat.Chat("lab/one")
    await fail(chat, 2)
    assert breaker_checks() == []
    await fail(chat, 1)
    (check,) = breaker_checks()
    assert (check.name, check.ok) == ("breaker of lab", None)
    assert re.match(r"open: 3 failures in a row, tried again in \d+ s\. Last: .*Overloaded", check.message)


async def test_a_fallback_answers_for_a_provider_that_is_left_alone_and_the_reply_says_so(lab: FaultServer) -> None:
    await fail(valechat.Chat("lab/one"))
    asked = len(lab.requests)
    with pytest.raises(CircuitOpen):
        await valechat.Chat("lab/one").ask("Are you there?")
    reply = await valechat.Chat("lab/one", fallback=["demo/echo"]).ask("Are you there?")
    assert (reply.model, reply.status) == ("demo/echo", "complete")
    assert re.match(r"lab/one failed: .*left alone for another 1\d s.* Asking demo/echo instead\.", reply.notes[0])
    assert len(lab.requests) == asked
