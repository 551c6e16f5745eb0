"""What a server says unasked: its log, and that one of its lists is another now."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import (
    ListenNotSupportedError,
    PromptsListChanged,
    ResourcesListChanged,
    SubscriptionLost,
    ToolsListChanged,
    listen,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

__all__ = ["LOG_LEVEL", "Hearing"]

LOG_LEVEL: Literal["info"] = "info"
"""The least a server's log line must be to be sent."""

LISTEN_AGAIN_SECONDS = 5.0
LOUDNESS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")

What = Literal["tools", "resources", "prompts"]
_NOTIFIED: dict[type[Any], What] = {
    types.ToolListChangedNotification: "tools",
    types.ResourceListChangedNotification: "resources",
    types.PromptListChangedNotification: "prompts",
}
_EVENTS: dict[type[Any], What] = {
    ToolsListChanged: "tools",
    ResourcesListChanged: "resources",
    PromptsListChanged: "prompts",
}


class Hearing:
    """The session's handlers of notifications."""

    def __init__(
        self,
        log: Callable[[str, str, str], None],
        changed: Callable[[What], None],
        visited: Callable[[str], None],
    ) -> None:
        self._log = log
        self._changed = changed
        self._visited = visited

    async def log(self, params: types.LoggingMessageNotificationParams) -> None:
        """A line of the server's log. A server that was not asked for less may send more than is wanted."""
        if LOUDNESS.index(params.level) < LOUDNESS.index(LOG_LEVEL):
            return
        said = params.data if isinstance(params.data, str) else json.dumps(params.data, ensure_ascii=False, default=str)
        self._log("server", params.level, f"{params.logger}: {said}" if params.logger else said)

    async def message(self, message: IncomingMessage) -> None:
        """Any notification, or what the transport could not read."""
        if isinstance(message, Exception):
            self._log("valechat", "warning", f"Something it sent could not be read: {message}")
        elif type(message) in _NOTIFIED:
            self._changed(_NOTIFIED[type(message)])
        elif isinstance(message, types.ElicitCompleteNotification):
            self._visited(message.params.elicitation_id)

    @asynccontextmanager
    async def listening(self, session: ClientSession) -> AsyncIterator[None]:
        """Since 2026-07-28 a client subscribes to changes; before, they come by themselves."""
        if session.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            yield
            return
        task = asyncio.create_task(self._listen(session))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, session: ClientSession) -> None:
        again = False
        while True:
            try:
                async with listen(
                    session, tools_list_changed=True, resources_list_changed=True, prompts_list_changed=True
                ) as events:
                    if again:
                        # Nothing is replayed, so whatever happened meanwhile is asked for.
                        for what in _EVENTS.values():
                            self._changed(what)
                    async for event in events:
                        if type(event) in _EVENTS:
                            self._changed(_EVENTS[type(event)])
            except MCPError as error:
                if error.code == types.METHOD_NOT_FOUND:
                    return
            except (SubscriptionLost, TimeoutError):
                pass
            except ListenNotSupportedError:
                return
            again = True
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)
