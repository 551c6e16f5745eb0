"""Branches, and what is done with one message: asked again, asked otherwise, shown, deleted, pinned."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = ["DeleteTurn", "PinMessage", "PinShown", "Pinned", "Regenerate", "ShowBranch"]


# From the panel to the kernel


class Regenerate(TypedDict):
    """Answer the question above this answer once more, as a branch. `turn` names the turn, as in `send`."""

    type: Literal["regenerate"]
    turn: str
    message: str
    model: str


class ShowBranch(TypedDict):
    """Show the branch that a message is in: one of a message's `siblings`, or a pinned one."""

    type: Literal["show_branch"]
    message: str


class DeleteTurn(TypedDict):
    """Delete a message's question with all its answers. Refused while an answer is written."""

    type: Literal["delete_turn"]
    message: str


class PinMessage(TypedDict):
    """Mark a message to be found again, or no longer."""

    type: Literal["pin_message"]
    message: str
    pinned: bool


# From the kernel to the panel


class PinShown(TypedDict):
    """A pinned message: its id, the beginning of its text, and whether it is on the path that is shown."""

    message: str
    role: Literal["user", "assistant"]
    text: str
    shown: bool


class Pinned(TypedDict):
    """All pinned messages of the conversation, and the one that was pinned or let go, by the id the panel has."""

    type: Literal["pinned"]
    seq: int
    message: str
    pinned: bool
    pins: list[PinShown]
