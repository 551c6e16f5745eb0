"""Who made the call that this code runs under, for whatever has to be asked meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from valechat import asking
from valechat.asking import Asker

__all__ = ["called_by", "caller"]

_caller: ContextVar[Asker | None] = ContextVar("caller", default=None)


@contextmanager
def called_by(asker: Asker | None) -> Iterator[None]:
    """While the block runs, this front end is asked; None is the process's own."""
    token = _caller.set(asker)
    try:
        yield
    finally:
        _caller.reset(token)


def caller() -> Asker:
    """The front end to ask."""
    return _caller.get() or asking.asker()
