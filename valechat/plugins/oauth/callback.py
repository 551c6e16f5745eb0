"""The address on this machine where a sign-in ends (RFC 8252, section 7.3)."""

from __future__ import annotations

import asyncio
import html
import secrets
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from valechat.errors import PluginError
from valechat.plugins.hidden import Hidden

__all__ = ["PATH", "Callback", "Ending", "Foreign", "read_ending"]

PATH = "/callback"
MOST_BYTES = 16 * 1024
READ_SECONDS = 10.0

Ending = Hidden[str]
"""What the authorization server said at the end: `code`, or `error`; `iss`."""


class Foreign(PluginError):
    """An address that is not the end of the sign-in under way."""


def read_ending(address: str, state: str) -> Ending:
    """What is in the address a sign-in ended at.

    Raises:
        Foreign: It is no such address, or that of another sign-in (its `state` differs).
    """
    try:
        query = Hidden(parse_qs(urlsplit(address.strip()).query, max_num_fields=30))
    except ValueError:
        query = Hidden()
    ending = Hidden({name: values[0] for name, values in query.items() if len(values) == 1})
    if "code" not in ending and "error" not in ending:
        raise Foreign("That is not the address of the page where the sign-in ended.")
    if not secrets.compare_digest(ending.get("state", "").encode(), state.encode()):
        raise Foreign("That address belongs to another sign-in.")
    return ending


class Callback:
    """Listens on 127.0.0.1 until it is left.

    Args:
        state: The sign-in's own; whatever comes without it is turned away.
        title: The plugin, as the last page names it.

    Attributes:
        port: Where it listens, 0 where no port was to be had.
        ended: What came of the sign-in.
    """

    def __init__(self, state: str, title: str) -> None:
        self.port = 0
        self.ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._state = state
        self._title = title
        self._server: asyncio.Server | None = None

    async def open(self, ports: list[int]) -> None:
        """Listen on the first of these ports that is free; 0 is any."""
        for port in ports:
            try:
                self._server = await asyncio.start_server(self._answer, "127.0.0.1", port, limit=MOST_BYTES)
            except OSError:
                continue
            self.port = int(self._server.sockets[0].getsockname()[1])
            return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.cancel()
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii", "replace")
                status, text = self._take(head)
                writer.write(_page(status, self._title, text))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was did not get to the end of a request
        finally:
            writer.close()

    def _take(self, head: str) -> tuple[int, str]:
        first, *rest = head.split("\r\n")
        method, _, target = first.rpartition(" ")[0].partition(" ")
        hosts = [line.partition(":")[2].strip() for line in rest if line.lower().startswith("host:")]
        # A page elsewhere could make the browser come here under a name of its own (DNS rebinding).
        if hosts not in ([f"127.0.0.1:{self.port}"], [f"localhost:{self.port}"]):
            return 400, "This address is not for other pages."
        if method != "GET" or urlsplit(target).path != PATH:
            return 404, "There is nothing here."
        try:
            ending = read_ending(target, self._state)
        except Foreign as error:
            return 400, f"{error.message} Nothing was changed."
        if not self.ended.done():
            self.ended.set_result(ending)
        if "error" in ending:
            return 200, "The sign-in was not completed. You can close this page and go back to your notebook."
        return 200, "You are signed in. You can close this page and go back to your notebook."


_WORDS = {200: "OK", 400: "Bad Request", 404: "Not Found"}


def _page(status: int, title: str, text: str) -> bytes:
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>ValeChat</title>'
        "<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:20vh auto;padding:0 1rem}</style>"
        f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></html>"
    ).encode()
    head = (
        f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
