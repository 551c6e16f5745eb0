"""What a panel's composer is told before a question is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.notebook.chatserver import ChatServer
from tests.notebook.panels import PanelUnderTest
from valechat.engine import engine

PRICED = """default_model = "lab/one"
[providers.lab]
kind = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
[prices."lab/one"]
input = "1"
output = "2"
"""


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configured(home: Path, more: str = "", *, base: str = PRICED) -> None:
    home.joinpath("config.toml").write_text(base + more)


async def asked(panel: PanelUnderTest, text: str = "Why?", **more: Any) -> Mapping[str, Any] | None:
    panel.send({"type": "estimate", "number": 7, "text": text, "model": "", **more})
    answer = await panel.until("estimated")
    assert answer["number"] == 7
    found: Mapping[str, Any] | None = answer["estimate"]
    return found


async def estimated(panel: PanelUnderTest, text: str = "Why?", **more: Any) -> Mapping[str, Any]:
    found = await asked(panel, text, **more)
    assert found is not None
    return found


async def test_tokens_and_both_costs_are_told(home: Path) -> None:
    configured(home)
    panel = PanelUnderTest(valechat.Chat(max_tokens=1000))
    told = await estimated(panel, "x" * 3500)
    assert told["input_tokens"] == 1004
    assert told["most_input_tokens"] > 3500
    assert told["most_output_tokens"] == 1000
    # 1,004 tokens in at $1 a million and 600 out at $2; at most 3,580 in and 1,000 out.
    assert told["likely"] == "0.002204"
    assert told["most"] == "0.00558"
    assert told["limit"] is None
    assert told["warning"] == ""


async def test_of_a_long_text_the_part_that_was_not_sent_counts_too(home: Path) -> None:
    configured(home)
    panel = PanelUnderTest(valechat.Chat())
    assert (await estimated(panel, "x" * 1000, more=2500))["input_tokens"] == 1004


async def test_instructions_tools_and_attachments_count(home: Path) -> None:
    def lookup(word: str) -> str:
        """Look a word up in the dictionary."""
        return word

    configured(home)
    bare = (await estimated(PanelUnderTest(valechat.Chat())))["input_tokens"]
    system = (await estimated(PanelUnderTest(valechat.Chat(system="s" * 350))))["input_tokens"]
    tools = (await estimated(PanelUnderTest(valechat.Chat(tools=[lookup]))))["input_tokens"]
    attached: dict[str, Any] = {"attachments": [{"name": "notes.md"}, {"name": "plot.png"}], "sizes": [7000, 90_000]}
    files = (await estimated(PanelUnderTest(valechat.Chat()), **attached))["input_tokens"]
    assert system >= bare + 100
    assert tools > bare + 300
    assert bare + 3500 <= files <= bare + 3510, "an image counts as one, not by its bytes"


async def test_what_was_said_before_counts_from_the_next_question_on(home: Path) -> None:
    server = ChatServer()
    try:
        server.configure(home)
        panel = PanelUnderTest(valechat.Chat("lab/two"))
        before = (await estimated(panel))["input_tokens"]
        panel.ask("y" * 3500)
        await panel.until("turn_ended")
        assert (await estimated(panel))["input_tokens"] >= before + 1000
    finally:
        server.close()


async def test_the_tightest_limit_is_told_with_what_is_left_and_when_it_resets(home: Path) -> None:
    configured(home, 'time_zone = "Europe/Berlin"\n[limits]\ndaily = "5"\nmonthly = "3.50"\n', base="")
    with home.joinpath("config.toml").open("a") as file:
        file.write(PRICED.replace('default_model = "lab/one"\n', ""))
    told = await estimated(PanelUnderTest(valechat.Chat("lab/one", max_tokens=100)))
    assert told["limit"]["title"] == "the monthly limit"
    assert told["limit"]["amount"] == told["limit"]["remaining"] == "3.5"
    assert told["limit"]["resets"].startswith("00:00 on 1 ")
    assert "Europe/Berlin" in told["limit"]["resets"]


async def test_a_question_that_does_not_fit_says_what_would_happen(home: Path) -> None:
    configured(home, '[limits]\ndaily = "0.01"\n')
    cut = await estimated(PanelUnderTest(valechat.Chat()))
    assert cut["warning"] == "A long answer may be cut short to fit the daily limit."
    refused = await estimated(PanelUnderTest(valechat.Chat()), "x" * 40_000)
    assert refused["warning"] == "This is more than the daily limit leaves."


async def test_above_what_the_user_wants_to_be_asked_about_it_says_so(home: Path) -> None:
    configured(home, '[limits]\nconfirm_above = "0.01"\n')
    told = await estimated(PanelUnderTest(valechat.Chat()))
    assert told["warning"] == "You will be asked first: it may cost more than $0.01."


async def test_an_unknown_price_is_unknown_and_never_zero(home: Path) -> None:
    configured(home, '[limits]\ndaily = "5"\n', base=PRICED.split("[prices", maxsplit=1)[0])
    told = await estimated(PanelUnderTest(valechat.Chat()))
    assert told["likely"] is None
    assert told["most"] is None
    assert "you will be asked first" in told["warning"]


async def test_a_free_model_has_nothing_to_tell(home: Path) -> None:
    configured(home, '[limits]\ndaily = "5"\n', base=PRICED.replace('"1"', '"0"').replace('"2"', '"0"'))
    assert await asked(PanelUnderTest(valechat.Chat())) is None


async def test_a_model_that_is_not_there_is_no_error_while_one_types(home: Path) -> None:
    configured(home)
    panel = PanelUnderTest(valechat.Chat())
    assert await asked(panel, model="nowhere") is None
    assert [message["type"] for message in panel.got] == ["estimated"]


async def test_of_many_asked_at_once_the_newest_is_answered(home: Path) -> None:
    configured(home)
    panel = PanelUnderTest(valechat.Chat())
    for number in range(20):
        panel.send({"type": "estimate", "number": number, "text": "x" * 100_000, "model": ""})
    assert (await estimated(panel))["likely"] is not None
    numbers = [message["number"] for message in panel.got]
    assert numbers[-1] == 7
    assert len(numbers) < 20
