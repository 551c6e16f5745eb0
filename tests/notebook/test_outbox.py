"""What leaves for a panel is numbered, in order, and never too often."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from valechat.notebook.outbox import RATE, Outbox
from valechat.notebook.pace import Pace

pytestmark = pytest.mark.usefixtures("time_that_only_sleep_takes")


class Sent(list[Any]):
    """What was sent, with its times."""

    def __call__(self, message: Any) -> None:
        self.append((asyncio.get_running_loop().time(), message))

    @property
    def messages(self) -> list[Any]:
        return [message for _, message in self]


async def test_a_thousand_pieces_leave_in_a_few_messages_and_none_is_lost() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    for number in range(1000):
        outbox.text("t", f"{number} ")
        if number % 100 == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(2 / RATE)
    text = "".join(delta["text"] for message in sent.messages for delta in message["deltas"])
    assert text == "".join(f"{number} " for number in range(1000))
    gaps = [after - before for (before, _), (after, _) in pairwise(sent)]
    assert all(gap >= 0.9 / RATE for gap in gaps)


async def test_all_turns_share_one_message() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    outbox.text("a", "x")
    outbox.thinking("b", "y")
    outbox.note("b", "retrying")
    outbox.flush()
    (message,) = sent.messages
    assert message["deltas"] == [{"turn": "a", "text": "x"}, {"turn": "b", "thinking": "y", "notes": ["retrying"]}]


async def test_waiting_text_leaves_before_any_other_message() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    outbox.text("a", "x")
    outbox.send({"type": "notice"})
    assert [message["type"] for message in sent.messages] == ["deltas", "notice"]


async def test_messages_are_numbered_one_by_one() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    for _ in range(3):
        outbox.send({"type": "notice"})
    assert [message["seq"] for message in sent.messages] == [1, 2, 3]


async def test_a_tools_result_takes_the_place_of_its_call() -> None:
    sent = Sent()
    outbox = Outbox(sent)
    call = {"id": "1", "name": "f", "arguments": "{}", "result": None, "is_error": False}
    outbox.tool("a", call)  # type: ignore[arg-type]  # a literal of the TypedDict's shape
    outbox.tool("a", {**call, "result": "done"})  # type: ignore[typeddict-item]  # as above
    outbox.flush()
    assert sent.messages[0]["deltas"][0]["tools"] == [{**call, "result": "done"}]


async def test_all_panels_together_keep_to_one_pace_and_nothing_is_lost_or_reordered() -> None:
    pace, sent = Pace(20), Sent()
    outboxes = [Outbox(sent, pace) for _ in range(3)]
    begun = asyncio.get_running_loop().time()
    for number in range(10):
        for outbox in outboxes:
            outbox.send({"type": "notice", "text": str(number)})
    assert len(sent) == 20
    while len(sent) < 30:
        await asyncio.sleep(0.01)
    assert asyncio.get_running_loop().time() - begun >= 1
    for outbox in outboxes:
        outbox.send({"type": "notice", "text": "last"})
    assert sorted(message["seq"] for message in sent.messages) == sorted([*range(1, 12)] * 3)


async def test_text_gathers_while_the_way_out_is_full() -> None:
    pace, sent = Pace(1), Sent()
    outbox = Outbox(sent, pace)
    outbox.send({"type": "notice"})
    for number in range(20):
        outbox.text("t", f"{number} ")
        await asyncio.sleep(0.005)
    while len(sent) < 2:
        await asyncio.sleep(0.01)
    _, text = sent.messages
    assert text["deltas"][0]["text"] == "".join(f"{number} " for number in range(20))
