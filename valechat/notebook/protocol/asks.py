"""Questions that only the user can answer: approvals, forms, visits, costs. See `valechat.asking`.

A question goes to all views of the panel and stays until it is answered there or has become moot.
All texts in it are a model's or a server's, and not to be trusted.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

__all__ = [
    "ApprovalShown",
    "AskAnswer",
    "AskEnded",
    "AskShown",
    "Asked",
    "ConfirmationShown",
    "FieldShown",
    "FormShown",
    "GrantShown",
    "OptionShown",
    "PassphraseShown",
    "SamplingShown",
    "VisitShown",
]


class ApprovalShown(TypedDict):
    """May this tool run? `call_id` is the tool call on whose card it is asked. `arguments` is JSON text, whole.

    `read_only` and `destructive` are the server's own words. `changed`: the tool is not what was allowed before.
    `each_time`: the answer is for this call only.
    """

    plugin: str
    tool: str
    title: str
    description: str
    arguments: str
    call_id: str
    read_only: bool
    destructive: bool
    changed: bool
    each_time: NotRequired[bool]


class SamplingShown(TypedDict):
    """May this plugin have a model answer this, at the user's cost?"""

    plugin: str
    model: str
    system: str
    text: str
    max_tokens: int
    most_cost: str | None


class OptionShown(TypedDict):
    """One of a list's values."""

    value: str
    title: str


class FieldShown(TypedDict):
    """A field of a form. `default` is text, `true`, or a JSON list of values.

    `problem` is what was wrong with its entry.
    """

    name: str
    title: str
    description: str
    kind: Literal["text", "email", "uri", "date", "date-time", "number", "integer", "boolean", "choice", "choices"]
    required: bool
    default: str | None
    options: list[OptionShown]
    least: float | None
    most: float | None
    problem: NotRequired[str]


class FormShown(TypedDict):
    """A plugin's server wants these values."""

    plugin: str
    message: str
    fields: list[FieldShown]


class VisitShown(TypedDict):
    """A page to open. `paste`: the address where it ends may be pasted back."""

    plugin: str
    message: str
    url: str
    paste: bool


class ConfirmationShown(TypedDict):
    """A request may cost more than the user wants to be asked about."""

    message: str
    most_cost: str | None
    model: str


class GrantShown(TypedDict):
    """May this plugin's server have this permission more? `permit` and `value` are exactly what is granted.

    `proven`: the sandbox itself refused it; it is not just what the server says.
    """

    plugin: str
    permit: str
    value: str
    proven: bool


class PassphraseShown(TypedDict):
    """The key file's passphrase is needed; `new` where it is being chosen.

    The answer is never shown, kept or sent on.
    """

    new: bool


class AskShown(TypedDict):
    """A question that waits. It has the part that its kind is named after."""

    id: str
    kind: Literal["approval", "sampling", "form", "visit", "confirmation", "grant", "passphrase"]
    approval: NotRequired[ApprovalShown]
    sampling: NotRequired[SamplingShown]
    form: NotRequired[FormShown]
    visit: NotRequired[VisitShown]
    confirmation: NotRequired[ConfirmationShown]
    grant: NotRequired[GrantShown]
    passphrase: NotRequired[PassphraseShown]


class AskAnswer(TypedDict):
    """The user's answer to a question.

    `choice` is an approval's decision; `accept`, `decline` or `cancel` of a form (then `text` is a JSON object of
    its entries) or visit (then `text` is the address pasted, if any); `send` or `no` of a confirmation; `accept`
    or `decline` of a grant or a passphrase (then `text` is the passphrase).
    """

    type: Literal["ask_answer"]
    ask: str
    choice: Literal["once", "always_tool", "always_plugin", "no", "never", "accept", "decline", "cancel", "send"]
    text: NotRequired[str]


class Asked(TypedDict):
    """A question to the user; one of the same id replaces it."""

    type: Literal["asked"]
    seq: int
    ask: AskShown


class AskEnded(TypedDict):
    """The question was answered, or is moot."""

    type: Literal["ask_ended"]
    seq: int
    ask: str
