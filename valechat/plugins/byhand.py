"""Calls of plugins' tools that the user makes: from a cell, a command, the plugin manager's form."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from valechat.asking import Asker
from valechat.errors import ToolFailed, ValeChatError
from valechat.ids import new_id
from valechat.ledger.base import Ledger, ToolCallRow
from valechat.ledger.threads import durably
from valechat.plugins.base import Answer, Progress
from valechat.plugins.manager import Manager

__all__ = ["call_by_hand"]


async def call_by_hand(
    manager: Manager,
    ledger: Ledger,
    plugin: str,
    tool: str,
    arguments: Mapping[str, Any],
    *,
    timeout: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    asker: Asker | None = None,
) -> Answer:
    """Call a tool that the user chose, so nobody is asked; it is in the ledger like the calls of models.

    Takes and raises what `Manager.call_tool` does. A call of a tool or plugin that does not exist is no call.
    """
    begun, clock = datetime.now(UTC), time.monotonic()
    status, answer = "cancelled", None
    try:
        answer = await manager.call_tool(plugin, tool, arguments, timeout=timeout, on_progress=on_progress, asker=asker)
        status = "error" if answer.is_error else "ok"
    except ValeChatError as error:
        status = "timeout" if isinstance(error, ToolFailed) else "error"
        raise
    finally:
        lasted = round((time.monotonic() - clock) * 1000)
        if any(known.name == tool for known in _tools(manager, plugin)):
            output = 0 if answer is None else await asyncio.to_thread(_size, answer)
            sent = len(json.dumps(arguments, ensure_ascii=False, default=str).encode("utf-8", "replace"))
            row = ToolCallRow(new_id(), None, plugin, tool, status, lasted, sent, output, begun)
            await durably(ledger.add_tool_call, row)
    return answer


def _tools(manager: Manager, plugin: str) -> tuple[Any, ...]:
    return next((info.tools for info in manager.list() if info.id == plugin), ())


def _size(answer: Answer) -> int:
    from valechat.plugins.results import size_of

    return size_of(answer)
