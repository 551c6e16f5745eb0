"""Several models asked the same: their answers side by side, and the one to go on with."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.shown import ComparisonShown, MessageShown
from valechat.notebook.protocol.talk import Attached
from valechat.notebook.protocol.variables import VariableAsked

__all__ = ["ColumnEnded", "Compare", "CompareEnded", "CompareStarted", "KeepAnswer"]


class Compare(TypedDict):
    """A question to several models at once. All else is as in `Send`."""

    type: Literal["compare"]
    turn: str
    text: str
    models: list[str]
    attachments: NotRequired[list[Attached]]
    variables: NotRequired[list[VariableAsked]]


class KeepAnswer(TypedDict):
    """Go on with this answer, and its model; the others stay as branches."""

    type: Literal["keep_answer"]
    answer: str


class CompareStarted(TypedDict):
    """The question is taken and the answers are on their way; what streams comes as `deltas`."""

    type: Literal["compare_started"]
    seq: int
    conversation: str
    comparison: ComparisonShown


class ColumnEnded(TypedDict):
    """One answer is over: authoritative, or with its error. Costs as in `TurnEnded`."""

    type: Literal["column_ended"]
    seq: int
    turn: str
    answer: MessageShown
    total_cost: str | None
    unpriced: int


class CompareEnded(TypedDict):
    """The comparison is shown no longer."""

    type: Literal["compare_ended"]
    seq: int
