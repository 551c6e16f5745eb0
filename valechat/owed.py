"""Writes that must reach the ledger, if not now then before anything more is spent."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

from valechat.errors import LedgerUnwritable
from valechat.ledger.threads import durably

__all__ = ["Owed"]

P = ParamSpec("P")


class Owed:
    """What could not be written when it was due, because the disk was full or read-only."""

    def __init__(self) -> None:
        self._calls: list[Callable[[], object]] = []

    async def write(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call the ledger now; a call that it cannot carry out is kept for `make_good`.

        Raises:
            LedgerUnwritable: The call was kept.
        """
        try:
            await durably(call, *args, **kwargs)
        except LedgerUnwritable:
            self._calls.append(functools.partial(call, *args, **kwargs))
            raise

    async def make_good(self) -> None:
        """Carry out what was kept, in its order.

        Raises:
            LedgerUnwritable: It still cannot be written, so nothing more may be spent.
        """
        while self._calls:
            call = self._calls[0]
            await durably(call)
            if call in self._calls:
                # Another turn may have carried it out in the same moment; the ledger takes each call once.
                self._calls.remove(call)
