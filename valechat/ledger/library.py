"""The part of a ledger that finds conversations: the Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from valechat.ledger.base import Conversation

__all__ = ["Library"]


class Library(Protocol):
    """What conversations there are. All methods are blocking and may be called from any thread."""

    def conversation(self, conversation_id: str) -> Conversation | None:
        """One conversation's head."""
        ...

    def conversations(self, *, search: str = "", tag: str = "", skip: int = 0, most: int = 100) -> list[Conversation]:
        """The latest conversations, or those whose messages or title match all words of `search`.

        With `tag`, only those that have exactly this one. The first `skip` are left out.
        """
        ...

    def passages(self, search: str, ids: Sequence[str]) -> dict[str, str]:
        """Of each of these conversations, a line of text around what `search` finds in its newest such message.

        Missing where no message says any of the words.
        """
        ...

    def tags(self) -> dict[str, int]:
        """All tags in alphabetical order, and how many conversations have each."""
        ...

    def written(self) -> object:
        """When anything was last written, by any process: another value after a write, and cheap to ask.

        Writes in quick succession may share one.
        """
        ...
