"""What one server was refused and the user may grant: a few, each once, none that was declined."""

from __future__ import annotations

from collections.abc import Iterator

from valechat.plugins.base import Need, Permit

__all__ = ["MOST_NEEDS", "Needs"]

MOST_NEEDS = 8
"""A server that names more gets no more looked at: it may be fishing."""

MOST_EXAMINED = 200
"""Lines of a server's log that are looked at between two changes of its definition."""


class Needs:
    """The open needs of a server, the oldest first."""

    def __init__(self) -> None:
        self._open: dict[tuple[Permit, str], Need] = {}
        self._declined: set[tuple[Permit, str]] = set()
        self._examined = 0

    def __iter__(self) -> Iterator[Need]:
        return iter([*self._open.values()])

    def add(self, need: Need) -> bool:
        """Take one in; whether it is new or better known than before."""
        key = (need.permit, need.value)
        known = self._open.get(key)
        if key in self._declined or (known is not None and (need.evidence == "server" or known == need)):
            return False
        if known is None and len(self._open) >= MOST_NEEDS:
            return False
        self._open[key] = need
        return True

    def get(self, permit: str, value: str) -> Need | None:
        """The open one of this kind and value."""
        return next((need for need in self if (need.permit, need.value) == (permit, value)), None)

    def decline(self, need: Need) -> None:
        """Do not offer it again while this kernel lives."""
        self._open.pop((need.permit, need.value), None)
        self._declined.add((need.permit, need.value))

    def worth_examining(self) -> bool:
        """Whether another line of the log is to be looked at; counts it."""
        self._examined += 1
        return self._examined <= MOST_EXAMINED and len(self._open) < MOST_NEEDS

    def clear(self) -> None:
        """Forget what is open: the permissions are others now."""
        self._open.clear()
        self._examined = 0
