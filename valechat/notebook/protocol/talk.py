"""Talking: questions, answers as they arrive, and the state of it all."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.asks import AskShown
from valechat.notebook.protocol.branches import PinShown
from valechat.notebook.protocol.plugins import PluginShown
from valechat.notebook.protocol.shown import (
    AttachmentShown,
    BreakerShown,
    ComparisonShown,
    ErrorShown,
    MessageShown,
    ModelShown,
    ToolShown,
)
from valechat.notebook.protocol.variables import VariableAsked

__all__ = [
    "Attached",
    "Breakers",
    "Composed",
    "Delta",
    "Deltas",
    "Hello",
    "KeepAttached",
    "Models",
    "More",
    "NewConversation",
    "Notice",
    "RefreshModels",
    "Refused",
    "SavedTranscript",
    "SelectModel",
    "Send",
    "SetKey",
    "ShowMore",
    "ShowTool",
    "State",
    "Stop",
    "ToolPiece",
    "TurnEnded",
    "TurnStarted",
]


# From the panel to the kernel


class Hello(TypedDict):
    """A view opened, or a gap was seen: send the whole state."""

    type: Literal["hello"]


class Attached(TypedDict):
    """What goes with a question: the next of the message's binary buffers, or, with `id`, what the kernel has."""

    name: str
    id: NotRequired[str]


class Send(TypedDict):
    """A question. `turn` is chosen by the panel and names the turn from then on.

    `replaces` is a question in whose place this one is asked, as a branch.
    """

    type: Literal["send"]
    turn: str
    text: str
    model: str
    replaces: NotRequired[str]
    attachments: NotRequired[list[Attached]]
    variables: NotRequired[list[VariableAsked]]


class KeepAttached(TypedDict):
    """Keep these for the question that is being written, or tell whether they are kept still.

    Answered by `fetched`, in the same order; what is gone has a `problem`.
    """

    type: Literal["keep_attached"]
    number: int
    attachments: list[Attached]


class Stop(TypedDict):
    """Stop a turn, whether or not anything has arrived yet."""

    type: Literal["stop"]
    turn: str


class SelectModel(TypedDict):
    """Use this model for what follows."""

    type: Literal["select_model"]
    model: str


class NewConversation(TypedDict):
    """Begin a new conversation in this panel; the old one stays in the ledger."""

    type: Literal["new_conversation"]


class RefreshModels(TypedDict):
    """Ask all providers again what they offer."""

    type: Literal["refresh_models"]


class SetKey(TypedDict):
    """Store a provider's API key in the keychain. Never echoed, never kept."""

    type: Literal["set_key"]
    provider: str
    key: str


class ShowMore(TypedDict):
    """Bring the next piece of a long text, of which the last `more` characters are not shown."""

    type: Literal["show_more"]
    message: str
    more: int


class ShowTool(TypedDict):
    """Bring the next piece of a tool's whole result, from the character `at`."""

    type: Literal["show_tool"]
    message: str
    call: str
    at: int


# From the kernel to the panel


class State(TypedDict):
    """All there is to show. `draft` is a question that was not sent and belongs back in the composer.

    `upload_limit` is the most bytes of one attachment, `upload_total` of all that go with one question.
    `messages` are the newest; `earlier` others come before them.
    """

    type: Literal["state"]
    seq: int
    conversation_id: str
    title: str
    messages: list[MessageShown]
    model: str
    models: list[ModelShown]
    total_cost: str | None
    unpriced: int
    draft: str
    upload_limit: NotRequired[int]
    upload_total: NotRequired[int]
    breakers: NotRequired[list[BreakerShown]]
    asks: NotRequired[list[AskShown]]
    plugins: NotRequired[list[PluginShown]]
    plugins_problem: NotRequired[str]
    pins: NotRequired[list[PinShown]]
    earlier: NotRequired[int]
    comparison: NotRequired[ComparisonShown | None]


class TurnStarted(TypedDict):
    """The question is taken and the answer is on its way: both messages as they stand.

    A panel that has turned to another than its `conversation` shows neither.
    """

    type: Literal["turn_started"]
    seq: int
    turn: str
    question: MessageShown
    answer: MessageShown
    conversation: NotRequired[str]


class Delta(TypedDict):
    """What came for one turn since the last `deltas`. Absent keys: nothing came. `more` as in `MessageShown`."""

    turn: str
    text: NotRequired[str]
    thinking: NotRequired[str]
    tools: NotRequired[list[ToolShown]]
    notes: NotRequired[list[str]]
    more: NotRequired[int]


class Deltas(TypedDict):
    """What came for all turns since the last."""

    type: Literal["deltas"]
    seq: int
    deltas: list[Delta]


class TurnEnded(TypedDict):
    """The turn is over and stored: the authoritative answer and the conversation's cost.

    `unpriced` counts the conversation's requests whose cost is unknown.
    """

    type: Literal["turn_ended"]
    seq: int
    turn: str
    answer: MessageShown
    total_cost: str | None
    unpriced: int


class Refused(TypedDict):
    """The question found no answer (limit, missing key, server down): it goes back to the composer.

    What was attached goes back with it, with a `problem` where that was the cause. Both messages of the
    turn are taken back, if it had started.
    """

    type: Literal["refused"]
    seq: int
    turn: str
    text: str
    error: ErrorShown
    attachments: NotRequired[list[AttachmentShown]]
    conversation: NotRequired[str]


class Models(TypedDict):
    """The model menu changed."""

    type: Literal["models"]
    seq: int
    model: str
    models: list[ModelShown]


class Breakers(TypedDict):
    """All providers that are left alone now; none when the list is empty."""

    type: Literal["breakers"]
    seq: int
    breakers: list[BreakerShown]


class Notice(TypedDict):
    """Something outside any turn, e.g. a key was stored. `error` is None for good news."""

    type: Literal["notice"]
    seq: int
    text: str
    error: ErrorShown | None


class Composed(TypedDict):
    """Put this text into the composer of all views."""

    type: Literal["composed"]
    seq: int
    text: str


class More(TypedDict):
    """A piece of a long text: `more` characters were not shown before it, `left` are not shown after it."""

    type: Literal["more"]
    seq: int
    message: str
    more: int
    text: str
    left: int


class ToolPiece(TypedDict):
    """A piece of a tool's whole result, from the character `at`; `left` characters follow it."""

    type: Literal["tool_piece"]
    seq: int
    message: str
    call: str
    at: int
    text: str
    left: int


class SavedTranscript(TypedDict):
    """The conversation as the saved notebook shall hold it, in the forms of one output.

    `id` is in the output's HTML. Sent once the page was reloaded: a display update then finds no cell.
    """

    type: Literal["transcript"]
    seq: int
    id: str
    html: str
    markdown: str
    text: str
