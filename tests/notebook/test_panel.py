"""The panels of one chat as widgets, without a front end."""

from __future__ import annotations

import asyncio
from typing import Any

import comm
import pytest
from comm import DummyComm

from valechat.chat import Chat
from valechat.notebook import places
from valechat.notebook.panel import Panel, panel_of, panel_of_cell


class Told(DummyComm):
    """A comm that keeps the types of the custom messages it is sent."""

    def __init__(self, **opened: Any) -> None:
        super().__init__(**opened)
        self.types: asyncio.Queue[str] = asyncio.Queue()
        self._here = asyncio.get_running_loop()

    def publish_msg(
        self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
    ) -> None:
        if msg_type == "comm_msg" and data.get("method") == "custom":
            self._here.call_soon_threadsafe(self.types.put_nowait, data["content"]["type"])


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Told)
    monkeypatch.setattr(places, "_latest", [])  # no other test's questions are asked in these panels


def click(panel: Panel, message: dict[str, Any]) -> None:
    panel._handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})


async def test_a_chat_has_one_panel_for_all_cells() -> None:
    chat = Chat("demo/echo")
    assert panel_of(chat) is panel_of(chat)


async def test_a_panel_that_its_host_closed_is_not_shown_again() -> None:
    chat = Chat("demo/echo")
    first = panel_of(chat)
    # marimo closes the comms of a cell that runs again, and leaves the widget to itself.
    first.comm.close()
    second = panel_of(chat)
    assert second is not first
    assert second.comm is not None
    assert first.comm is None


async def test_the_panels_of_two_cells_are_told_the_same() -> None:
    chat = Chat("demo/echo")
    first, second = panel_of_cell(chat), panel_of_cell(chat)
    assert first is not second
    click(second, {"type": "hello"})
    async with asyncio.timeout(20):
        assert await first.comm.types.get() == "state"
        assert await second.comm.types.get() == "state"


async def test_a_closed_panel_is_told_nothing() -> None:
    chat = Chat("demo/echo")
    first, second = panel_of_cell(chat), panel_of_cell(chat)
    first.comm.close()
    click(second, {"type": "hello"})
    async with asyncio.timeout(20):
        assert await second.comm.types.get() == "state"
    assert first.comm.types.empty()
