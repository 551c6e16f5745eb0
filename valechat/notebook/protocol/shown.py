"""What the panel draws: messages, tool calls, attachments, models, errors."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.rich import CitationShown

__all__ = [
    "AttachmentShown",
    "BreakerShown",
    "ColumnShown",
    "ComparisonShown",
    "ErrorShown",
    "MessageShown",
    "ModelShown",
    "ProgressShown",
    "TableShown",
    "ToolFileShown",
    "ToolShown",
]


class ErrorShown(TypedDict):
    """An error as the panel shows it: what happened, what to do.

    `provider` is set for `MissingKey` and `AuthenticationFailed`, where a key can be entered.
    """

    kind: str
    message: str
    fix: str
    provider: NotRequired[str]


class ProgressShown(TypedDict):
    """How far a running call is, in the tool's own unit. `total` is None when the tool does not know."""

    done: float
    total: float | None
    message: str


class ToolFileShown(TypedDict):
    """What a tool answered besides text. `url` is a `data:` URL of what can be drawn or heard, None otherwise.

    `path` is where the user finds it, empty where it is in the conversation alone.
    """

    name: str
    media_type: str
    size: int
    url: str | None
    path: str


class ColumnShown(TypedDict):
    """A column's first values as text; `missing` are the places without one. `label` says that it names the rows."""

    name: str
    type: str
    number: bool
    label: bool
    cells: list[str]
    missing: list[int]


class TableShown(TypedDict):
    """The beginning of a table that a tool gave. `rows` and `width` count all its rows and columns, labels left out.

    All columns have as many cells.
    """

    kind: str
    rows: int
    width: int
    columns: list[ColumnShown]


class ToolShown(TypedDict):
    """A tool call as a card. `result` is None while it runs.

    `name` is what the model called, `tool` the tool's own name in its `plugin`. Of a long result only a part is
    sent; `whole` says that `show_tool` brings all of it.
    """

    id: str
    name: str
    arguments: str
    result: str | None
    is_error: bool
    plugin: NotRequired[str]
    tool: NotRequired[str]
    progress: NotRequired[ProgressShown]
    duration_ms: NotRequired[int]
    files: NotRequired[list[ToolFileShown]]
    table: NotRequired[TableShown]
    whole: NotRequired[bool]


class AttachmentShown(TypedDict):
    """An image or file of a question.

    `id` names its bytes for a later `send`. `size` is in bytes. `preview` is a `data:` URL of a small
    PNG, JPEG, GIF or WebP image. `problem` says why it was refused.
    """

    id: str
    name: str
    media_type: str
    size: int
    preview: str | None
    problem: NotRequired[str]


class MessageShown(TypedDict):
    """A message as the panel shows it.

    `text` and `thinking` are Markdown. `status` is `streaming`, `complete`, `cancelled`, `failed`
    or `limit`. `turn` is set while the message is streamed. Of a very long text only the beginning is
    sent; `more` is the number of characters after it, which `show_more` brings. `files` are pictures
    and sounds that are the answer's own. `siblings` are what follows the same message, where there are several, as
    ids for `show_branch`; the message itself is the one at `sibling`.
    """

    id: str
    role: Literal["user", "assistant"]
    text: str
    thinking: str
    tools: list[ToolShown]
    model: str
    status: str
    turn: str | None
    cost: str | None
    cost_source: str | None
    input_tokens: int | None
    output_tokens: int | None
    first_token_ms: int | None
    duration_ms: int | None
    verification: str | None
    notes: list[str]
    error: ErrorShown | None
    ts: str
    attachments: NotRequired[list[AttachmentShown]]
    more: NotRequired[int]
    citations: NotRequired[list[CitationShown]]
    files: NotRequired[list[ToolFileShown]]
    siblings: NotRequired[list[str]]
    sibling: NotRequired[int]
    pinned: NotRequired[bool]


class ModelShown(TypedDict):
    """An entry of the model menu. Prices are USD per million tokens.

    `usable` is false when a key is missing or the server is down; `why` then says so. `needs_key`
    is true when a key entered in the panel would make it usable.
    """

    id: str
    provider: str
    name: str
    input_price: str | None
    output_price: str | None
    context_tokens: int | None
    demo: bool
    local: bool
    usable: bool
    why: str
    needs_key: NotRequired[bool]


class BreakerShown(TypedDict):
    """A provider that is left alone because it failed again and again.

    `reason` is its last failure. It is tried again in `seconds`; 0 means with the next question.
    """

    provider: str
    reason: str
    seconds: int


class ComparisonShown(TypedDict):
    """A question and an answer for each model, in their order. An answer that still comes has a `turn` of its own."""

    turn: str
    question: MessageShown
    answers: list[MessageShown]
