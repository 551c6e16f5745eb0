"""A model faster than any browser: what a panel gets stays small, the engine stays awake, nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.chatwire import DONE, event, said
from tests.notebook.panels import PanelUnderTest
from tests.patience import Stopwatch
from tests.providers.faults import EVENT_STREAM, Connection, FaultServer, chunked, head, stream
from valechat.engine import engine
from valechat.messages import ToolCallPart
from valechat.notebook.shown import TEXT
from valechat.notebook.toolcards import CLIP

LONG = ("Lorem **ipsum** dolor sit amet, `code` 0123456789é.\n\n" * 200_000)[:10_000_000]
LONGEST_GAP = 1.0
"""Seconds the engine may be busy with one thing on a machine that does others too; a click waits that long."""


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, server: FaultServer) -> None:
    (home / "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n',
        encoding="utf-8",
    )


def flood(text: str, piece: int = 500) -> list[bytes]:
    """The text in many events, a hundred of them in each chunk of the network."""
    events = said(*(text[start : start + piece] for start in range(0, len(text), piece)))
    return [b"".join(events[start : start + 100]) for start in range(0, len(events), 100)]


class Pulse:
    """The longest time that a loop did not turn."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        while True:
            turn = Stopwatch()
            await asyncio.sleep(0.01)
            self.longest = max(self.longest, turn.seconds)


async def test_a_reply_of_10_mb_reaches_the_ledger_whole_and_the_panel_in_small_messages(home: Path) -> None:
    pulse = Pulse()
    async with FaultServer(stream(*flood(LONG), DONE)) as server:
        configure(home, server)
        chat = valechat.Chat("lab/one")
        panel = PanelUnderTest(chat)
        beating = engine().submit(pulse.beat())
        panel.ask("Go")
        ended = await panel.until("turn_ended", "refused")
        beating.cancel()
        stored = await engine().wait(chat.stored())
    assert stored[1].message.text == LONG
    answer = ended["answer"]
    assert (answer["text"], answer["more"]) == (LONG[:TEXT], len(LONG) - TEXT)
    shown = "".join(d.get("text", "") for m in panel.got if m["type"] == "deltas" for d in m["deltas"])
    assert shown == LONG[:TEXT]
    assert sum(len(json.dumps(message)) for message in panel.got) < 4 * TEXT
    assert pulse.longest < LONGEST_GAP


async def test_the_rest_of_a_long_reply_comes_piece_by_piece_as_it_is_asked_for(home: Path) -> None:
    text = LONG[: 2 * TEXT + 7]
    async with FaultServer(stream(*flood(text), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("Go")
        answer = (await panel.until("turn_ended"))["answer"]
        whole, more = answer["text"], answer["more"]
        while more:
            panel.send({"type": "show_more", "message": answer["id"], "more": more})
            piece = await panel.until("more")
            assert piece["more"] == more
            whole, more = whole + piece["text"], piece["left"]
        panel.send({"type": "hello"})
        again = (await panel.until("state"))["messages"][1]
        panel.send({"type": "show_more", "message": again["id"], "more": again["more"]})
        assert (await panel.until("more"))["text"] == text[TEXT : 2 * TEXT]
    assert whole == text


async def test_a_view_that_opens_in_the_middle_of_a_long_reply_gets_its_beginning_only(home: Path) -> None:
    go_on = asyncio.Event()

    async def halting(connection: Connection) -> None:
        await connection.send(head(200, EVENT_STREAM), *map(chunked, flood(LONG[:1_000_000])))
        await go_on.wait()
        await connection.send(chunked(DONE), b"0\r\n\r\n")

    async with FaultServer(halting) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("Go")
        while not any(d.get("more", 0) > 0 for d in (await panel.until("deltas"))["deltas"]):
            pass
        panel.send({"type": "hello"})
        state = await panel.until("state")
        go_on.set()
        await panel.until("turn_ended")
    live = state["messages"][1]
    assert live["status"] == "streaming"
    assert live["text"] == LONG[:TEXT]
    assert live["more"] > 0


async def test_tool_arguments_of_1_mb_reach_the_ledger_whole_and_the_panel_clipped(home: Path) -> None:
    def count(text: str) -> int:
        """Count letters."""
        return len(text)

    arguments = json.dumps({"text": "x" * 1_000_000})
    pieces = [
        calling({"id": "c1", "function": {"name": "count", "arguments": ""}}),
        *(
            calling({"function": {"arguments": arguments[start : start + 50]}})
            for start in range(0, len(arguments), 50)
        ),
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
        b"data: [DONE]\n\n",
    ]
    chunks = [b"".join(pieces[start : start + 100]) for start in range(0, len(pieces), 100)]
    pulse = Pulse()
    async with FaultServer(stream(*chunks), stream(*said("Done."), DONE)) as server:
        configure(home, server)
        chat = valechat.Chat("lab/one", tools=[count])
        panel = PanelUnderTest(chat)
        beating = engine().submit(pulse.beat())
        panel.ask("Go")
        ended = await panel.until("turn_ended", "refused")
        beating.cancel()
        stored = await engine().wait(chat.stored())
    (call,) = (part for part in stored[1].message.parts if isinstance(part, ToolCallPart))
    assert call.arguments == arguments
    (card,) = ended["answer"]["tools"]
    assert len(card["arguments"]) < CLIP + 100
    assert card["arguments"].endswith("more characters, which are kept in the conversation")
    assert card["is_error"]
    assert ended["answer"]["text"] == "Done."
    assert panel.largest < 3 * CLIP
    assert pulse.longest < LONGEST_GAP


def calling(call: dict[str, Any]) -> bytes:
    delta = {"tool_calls": [{"index": 0, **call}]}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


async def released(most: int) -> int:
    """The bytes in use once they are `most` or fewer: a turn's last work goes on for a moment after it was told."""
    end = asyncio.get_running_loop().time() + 20
    while True:
        gc.collect()
        now = tracemalloc.get_traced_memory()[0]
        if now <= most or asyncio.get_running_loop().time() > end:
            return now
        await asyncio.sleep(0.1)


async def test_a_long_reply_takes_bounded_memory_and_leaves_none_behind(home: Path) -> None:
    pieces = flood(LONG)
    async with FaultServer(stream(*pieces, DONE)) as server:
        configure(home, server)
        tracemalloc.start()
        try:
            kept: list[int] = []
            for _ in range(3):
                panel = PanelUnderTest(valechat.Chat("lab/one"))
                panel.ask("Go")
                await panel.until("turn_ended", "refused")
                del panel
                kept.append(await released(kept[-1] + 5_000_000 if kept else 10_000_000))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert kept[2] - kept[1] < 5_000_000
    assert peak - kept[1] < 30 * len(LONG)
