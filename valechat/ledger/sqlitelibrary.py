"""Finding conversations in the SQLite file."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.ledger import finding
from valechat.ledger.base import Conversation
from valechat.ledger.store import Store

__all__ = ["SqliteLibrary"]


class SqliteLibrary:
    """A `Library` over a store."""

    _store: Store

    def conversation(self, conversation_id: str) -> Conversation | None:
        """See `Library.conversation`."""
        with self._store.read() as db:
            return finding.get(db, conversation_id)

    def conversations(self, *, search: str = "", tag: str = "", skip: int = 0, most: int = 100) -> list[Conversation]:
        """See `Library.conversations`."""
        words = search.split()
        with self._store.read() as db:
            if words:
                return finding.search(db, words, tag=tag, skip=skip, most=most)
            return finding.latest(db, tag=tag, skip=skip, most=most)

    def passages(self, search: str, ids: Sequence[str]) -> dict[str, str]:
        """See `Library.passages`."""
        with self._store.read() as db:
            return finding.passages(db, search.split(), ids)

    def tags(self) -> dict[str, int]:
        """See `Library.tags`."""
        with self._store.read() as db:
            return finding.tags(db)

    def written(self) -> object:
        """See `Library.written`. Looks at the file's time: opening it here would drop SQLite's locks on it."""
        try:
            status = self._store.path.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
