"""Before sending: what a question would cost, and what the limits leave for it."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.talk import Attached

__all__ = ["Estimate", "EstimateShown", "Estimated", "LimitShown"]


class LimitShown(TypedDict):
    """A spending limit as it stands, in words: `the daily limit`. `resets` names the time zone; empty: never."""

    title: str
    amount: str
    remaining: str
    resets: str


class EstimateShown(TypedDict):
    """What the question in the composer would send and could cost.

    Input counts the whole request: conversation, instructions, attachments, tools. `likely` and `most` are
    None when no price is known. `limit` is the one that leaves least. `warning` says what would happen
    where it does not fit.
    """

    input_tokens: int
    most_input_tokens: int
    most_output_tokens: int
    likely: str | None
    most: str | None
    limit: LimitShown | None
    warning: str


class Estimate(TypedDict):
    """What would this cost? The answer names the `number`; only the newest is answered.

    Of a very long text only the beginning is sent; `more` are the UTF-8 bytes after it. An attachment
    whose bytes are still the panel's has its size in `sizes`, at the same place; 0 for the others.
    """

    type: Literal["estimate"]
    number: int
    text: str
    model: str
    more: NotRequired[int]
    attachments: NotRequired[list[Attached]]
    sizes: NotRequired[list[int]]


class Estimated(TypedDict):
    """The answer to an `estimate`. None where there is nothing to say: the model is free."""

    type: Literal["estimated"]
    seq: int
    number: int
    estimate: EstimateShown | None
