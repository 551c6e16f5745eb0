"""Streamable HTTP (MCP 2025-03-26 and later): the SDK's client over ours, see `webclient`.

A stream that is cut in the middle of an answer is taken up again where it stopped (`Last-Event-ID`),
if the server numbers its events.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.client.streamable_http import streamable_http_client

from valechat.plugins.transports.base import Context, Link
from valechat.plugins.transports.web import MOST_BYTES, authorised, unwrapped
from valechat.plugins.transports.webclient import web_client

__all__ = ["http"]

logging.getLogger("mcp.client.streamable_http").setLevel(logging.WARNING)  # at INFO it logs session ids


@asynccontextmanager
async def http(definition: Any, context: Context) -> AsyncIterator[Link]:
    """A connection to a server's endpoint.

    Raises:
        PluginError: A header cannot be sent, or the sign-in failed.
    """
    client = web_client(definition, context, await authorised(context))
    async with (
        unwrapped(),
        client,
        streamable_http_client(definition.url, http_client=client, max_sse_event_size=MOST_BYTES) as (read, write),
    ):
        yield Link(read, write, ended=client.end.wait, problem=lambda: client.problem)
