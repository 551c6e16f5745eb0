"""Connecting to a server: the way to it, the session, the handshake.

The context is entered and left by one task, the server's owner.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

from mcp import MCPError
from mcp.client import ClientSession

from valechat.plugins import ends, transports
from valechat.plugins.connection import Connection
from valechat.plugins.handshake import capabilities, client_info, shake_hands
from valechat.plugins.hearing import LOG_LEVEL, Hearing
from valechat.plugins.questions import Questions, Sample
from valechat.plugins.transports.base import Context, Link
from valechat.plugins.wire import Wire

__all__ = ["connect"]

for _name in ("mcp", "client"):
    # The SDK's complaints about a server do not belong below a cell, where Python writes what nobody takes.
    logging.getLogger(_name).addHandler(logging.NullHandler())


@asynccontextmanager
async def connect(
    definition: Any,
    context: Context,
    *,
    sample: Sample | None,
    linked: Callable[[Link], None],
    changed: Callable[[Literal["tools", "resources", "prompts"]], None],
) -> AsyncIterator[Connection]:
    """Open the way to a server and agree on a version of the protocol with it.

    Args:
        definition: Its definition, `${VAR}`s resolved.
        context: What its transport is given.
        sample: Has a model answer for the server; None where servers may not ask for that.
        linked: Told when the way is open and the handshake begins.
        changed: Told when the server says that one of its lists is another now.

    Raises:
        PluginError: It could not be started or reached, or speaks no known version.
    """
    async with AsyncExitStack() as opened:
        link = await opened.enter_async_context(transports.open_transport(definition, context))
        linked(link)
        wire = Wire(link.read, link.write)
        questions = Questions(definition.id, roots=definition.roots, sample=sample)
        hearing = Hearing(context.log, changed, questions.visited)
        session = await opened.enter_async_context(
            ClientSession(
                dispatcher=wire,
                sampling_callback=questions.sampling if sample else None,
                elicitation_callback=questions.elicitation,
                list_roots_callback=questions.roots if definition.roots else None,
                logging_callback=hearing.log,
                message_handler=hearing.message,
                client_info=client_info(),
                log_level=LOG_LEVEL,
            )
        )
        ours = capabilities(sampling=sample is not None, roots=bool(definition.roots))
        try:
            await shake_hands(session, definition.protocol, ours)
        except MCPError as error:
            raise await ends.why_no_handshake(link, wire, definition.title, error) from error
        wire.version = session.protocol_version or wire.version
        async with hearing.listening(session):
            yield Connection(definition, link, wire, session, questions)
