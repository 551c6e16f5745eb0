"""The tool calls of one answer: side by side, each with a row in the ledger, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from valechat.asking import Asker
from valechat.events import Event, ProgressEvent, StatusEvent, ToolCallEvent, ToolResultEvent
from valechat.ids import new_id
from valechat.ledger.base import Ledger, ToolCallRow
from valechat.ledger.threads import durably
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.toolbox import Called, Toolbox

if TYPE_CHECKING:
    from valechat.plugins.base import Progress

__all__ = ["ToolCalls"]

PACE = 0.1
"""Seconds between two looks at the progress of calls; a server may send thousands of notices a second."""


class ToolCalls:
    """The calls of one answer.

    Args:
        calls: What the model wants called.
        toolbox: The tools.
        asker: Who asks the user whether a call may run.
        ledger: Where the rows go.
        message_id: The answer's id.
    """

    def __init__(
        self,
        calls: Sequence[ToolCallPart],
        toolbox: Toolbox,
        *,
        asker: Asker | None,
        ledger: Ledger,
        message_id: str | None,
    ) -> None:
        self._calls = calls
        self._toolbox = toolbox
        self._asker = asker
        self._ledger = ledger
        self._message_id = message_id
        self._progress: dict[int, ProgressEvent] = {}
        self._results: dict[int, ToolResultPart] = {}
        self._news = asyncio.Event()

    @property
    def results(self) -> tuple[ToolResultPart, ...]:
        """A result for each call, in the order of the calls; those that did not come to an end say so."""
        return tuple(
            self._results.get(place)
            or ToolResultPart(call.id, call.name, "The call was cancelled by the user.", is_error=True)
            for place, call in enumerate(self._calls)
        )

    async def events(self) -> AsyncGenerator[Event, None]:
        """Call all of them and yield what happens, each result as soon as it is there.

        Closing it, or cancelling the task that reads it, cancels the calls and waits for their end.
        """
        for call in self._calls:
            yield ToolCallEvent(call)
        running = [asyncio.create_task(self._call(place, call)) for place, call in enumerate(self._calls)]
        for task in running:
            task.add_done_callback(lambda _: self._news.set())
        pending = set(running)
        try:
            while pending:
                await self._news.wait()
                self._news.clear()
                for place in sorted(self._progress):
                    yield self._progress.pop(place)
                for task in running:
                    if task.done() and task in pending:
                        pending.discard(task)
                        called = await task
                        if called.note:
                            yield StatusEvent(called.note)
                        yield ToolResultEvent(called.result)
                if pending:
                    await asyncio.wait(pending, timeout=PACE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _call(self, place: int, call: ToolCallPart) -> Called:
        def on_progress(progress: Progress) -> None:
            self._progress[place] = _shown(call, tool, progress)
            self._news.set()

        begun = datetime.now(UTC)
        plugin, tool = self._toolbox.origin(call.name)
        try:
            called = await self._toolbox.call(call, asker=self._asker, on_progress=on_progress)
        except asyncio.CancelledError:
            await durably(self._ledger.add_tool_call, self._row(call, (plugin, tool), begun))
            raise
        self._results[place] = called.result
        await durably(self._ledger.add_tool_call, self._row(call, (called.plugin, tool), begun, called))
        return called

    def _row(
        self, call: ToolCallPart, origin: tuple[str, str], begun: datetime, called: Called | None = None
    ) -> ToolCallRow:
        """The ledger's row of a call; of one that was cancelled where it has no outcome."""
        duration = round((datetime.now(UTC) - begun).total_seconds() * 1000)
        said = 0
        if called is not None:
            duration = duration if called.duration_ms is None else called.duration_ms
            said = _bytes(called.result.text) if called.output_bytes is None else called.output_bytes
        return ToolCallRow(
            id=new_id(),
            message_id=self._message_id,
            plugin=origin[0],
            tool=origin[1],
            status="cancelled" if called is None else called.status,
            duration_ms=duration,
            input_bytes=_bytes(call.arguments),
            output_bytes=said,
            ts=begun,
        )


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _shown(call: ToolCallPart, tool: str, progress: Progress) -> ProgressEvent:
    far = f"{progress.done:g}" if progress.total is None else f"{progress.done:g} of {progress.total:g}"
    text = f"{tool}: {progress.message} ({far})" if progress.message else f"{tool}: {far}"
    return ProgressEvent(text, call.id, progress.done, progress.total, progress.message)
