"""What a server asks of its client: a model's answer, a form, a page to visit, its folders.

A question that comes while a call is under way goes to whoever made the call, and the call's time limit
stands still for as long as it takes; any other goes to the process's own front end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import mcp_types as types
from mcp.client import ClientRequestContext
from pydantic import FileUrl

from valechat.asking import Asker, Form, Visit
from valechat.plugins.callers import called_by, caller
from valechat.plugins.deadline import Deadline, waiting_for_the_user

__all__ = ["Questions", "Sample"]


class Sample(Protocol):
    """Has a model answer for a server, within the user's limits and with the user's consent."""

    async def __call__(
        self, plugin: str, params: types.CreateMessageRequestParams, asker: Asker
    ) -> types.CreateMessageResult | types.CreateMessageResultWithTools | types.ErrorData:
        """The model's answer, or why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Call:
    asker: Asker | None
    deadline: Deadline


_calling: ContextVar[bool] = ContextVar("calling", default=False)


class Questions:
    """The callbacks that the SDK's session is given."""

    def __init__(self, plugin: str, *, roots: Sequence[str], sample: Sample | None) -> None:
        self._plugin = plugin
        self._roots = list(roots)
        self._sample = sample
        self._numbers = itertools.count()
        self._calls: dict[int, _Call] = {}
        self._visits: dict[str, asyncio.Event] = {}

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return bool(self._calls)

    @contextmanager
    def call(self, asker: Asker | None, deadline: Deadline) -> Iterator[None]:
        """While the block runs, a call is under way that this asker made."""
        call, number = _Call(asker, deadline), next(self._numbers)
        self._calls[number] = call
        token = _calling.set(True)
        try:
            with called_by(asker):
                yield
        finally:
            _calling.reset(token)
            del self._calls[number]

    async def sampling(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.CreateMessageResultWithTools | types.ErrorData:
        """`sampling/createMessage`."""
        del context
        if self._sample is None:
            return types.ErrorData(code=types.INVALID_REQUEST, message="No model answers here.")
        with self._waiting():
            return await self._sample(self._plugin, params, self._asker())

    async def elicitation(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """`elicitation/create`: a form, or a page to visit."""
        del context
        if isinstance(params, types.ElicitRequestURLParams):
            return types.ElicitResult(action="accept" if await self.visit(params) else "decline")
        with self._waiting():
            filled = await self._asker().fill(Form(self._plugin, params.message, params.requested_schema))
        accepted = filled.action == "accept"
        return types.ElicitResult(action=filled.action, content=dict(filled.values) if accepted else None)

    async def visit(self, page: types.ElicitRequestURLParams) -> bool:
        """Show a page until the server says that it was visited, or the user that it was, or will not be."""
        finished = asyncio.Event()
        if page.elicitation_id is not None:
            self._visits[page.elicitation_id] = finished
        shown = asyncio.ensure_future(self._asker().visit(Visit(self._plugin, page.message, page.url)))
        ended = asyncio.ensure_future(finished.wait())
        try:
            with self._waiting():
                await asyncio.wait({shown, ended}, return_when=asyncio.FIRST_COMPLETED)
            return finished.is_set() or shown.result() is not None
        finally:
            shown.cancel()
            ended.cancel()
            await asyncio.gather(shown, ended, return_exceptions=True)
            self._visits.pop(page.elicitation_id or "", None)

    def visited(self, elicitation: str) -> None:
        """The server says that a visit came to its end."""
        if elicitation in self._visits:
            self._visits[elicitation].set()

    async def roots(self, context: ClientRequestContext) -> types.ListRootsResult:
        """`roots/list`: the folders that the definition names, and no others."""
        del context
        return types.ListRootsResult(roots=[_root(place) for place in self._roots])

    def _asker(self) -> Asker:
        """The caller's front end where this runs under a call; over pipes it does not, and the newest call is meant."""
        newest = None if _calling.get() else next(reversed(self._calls.values()), None)
        return caller() if newest is None or newest.asker is None else newest.asker

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Over one pair of pipes nothing tells which call a question belongs to, so all wait."""
        with ExitStack() as paused:
            paused.enter_context(waiting_for_the_user())
            for call in list(self._calls.values()):
                paused.enter_context(call.deadline.paused())
            yield


def _root(place: str) -> types.Root:
    uri = place if place.startswith("file:") else Path(place).expanduser().absolute().as_uri()
    return types.Root(uri=FileUrl(uri), name=Path(place).name or None)
