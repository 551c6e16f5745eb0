"""What every transport is: a context that holds a server's connection open and gives its two streams.

The streams are the MCP SDK's: `read` yields `SessionMessage` or an exception to report, `write` takes
`SessionMessage`. A third party's transport is an entry point of the group `valechat.transports`: a
callable `(definition, context)` that gives an async context manager, which yields a `Link`, or just the
pair `(read, write)`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from valechat.errors import PluginError
from valechat.paths import Paths
from valechat.plugins.base import Need

__all__ = ["Context", "Link", "Transport"]


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection to a server.

    Attributes:
        read: From the server.
        write: To the server.
        ended: Awaits the connection's end, which the SDK does not tell an idle client, and says in one
            sentence why (`The server ended with exit code 1.`). None when the transport cannot know.
        pid: The server's process, None where there is none.
        sandbox: What is enforced: `enforced`, `watched` or `none`, by subject.
        problem: The last thing that went wrong on the way to the server, as an error with its fix; None
            while nothing did. It says more than the protocol's error that a failed request ends with.
    """

    read: Any
    write: Any
    ended: Callable[[], Awaitable[str]] | None = None
    pid: int | None = None
    sandbox: Mapping[str, str] = field(default_factory=dict)
    problem: Callable[[], PluginError | None] | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a transport is given besides its definition.

    Attributes:
        paths: The user's folders.
        log: Takes a line for the plugin's log: source (`stderr`, `valechat`), level, text. From any thread.
        authorise: For HTTP: gives the SDK's `httpx2.Auth` of a plugin that signs in, None when it needs none.
        needs: Told what the sandbox refused the server, of what it knows by itself. On the loop.
    """

    paths: Paths
    log: Callable[[str, str, str], None]
    authorise: Callable[[], Any] | None = None
    needs: Callable[[Need], None] = lambda _need: None


class Transport(Protocol):
    """Opens a connection to the server that a definition names; its `${VAR}`s are resolved already."""

    def __call__(self, definition: Any, context: Context) -> AbstractAsyncContextManager[Link]:
        """The connection, held open until the context is left, by the task that entered it."""
        ...
