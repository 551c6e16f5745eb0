"""A long conversation's messages, a page at a time: a state has the newest, the panel asks for those before."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from valechat.notebook.protocol.shown import MessageShown

__all__ = ["Earlier", "ShowEarlier"]


# From the panel to the kernel


class ShowEarlier(TypedDict):
    """Bring messages that come before the message `before`, the first that the panel has: `most` of them, or fewer."""

    type: Literal["show_earlier"]
    before: str
    most: int


# From the kernel to the panel


class Earlier(TypedDict):
    """The messages right before `before`. So many are `left` before these; none where `before` is unknown."""

    type: Literal["earlier"]
    seq: int
    before: str
    messages: list[MessageShown]
    left: int
