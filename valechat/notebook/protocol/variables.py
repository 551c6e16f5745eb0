"""The notebook's variables in the composer: what there is, what exactly would be sent, and files beside it."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = [
    "AttachFile",
    "FolderFileShown",
    "ListVariables",
    "ReadVariables",
    "VariableAsked",
    "VariableRead",
    "VariableShown",
    "VariablesListed",
    "VariablesRead",
]


class ListVariables(TypedDict):
    """Tell what variables and files there are."""

    type: Literal["list_variables"]
    number: int


class VariableAsked(TypedDict):
    """A variable by its path (`df`, `df.price`, `df["price"]`).

    `known`: the user has seen it in the composer, so that it must not be missing; otherwise it stands in the text
    and may be no variable at all. `reveal`: hide nothing of it, as the user said.
    """

    path: str
    known: bool
    reveal: bool


class ReadVariables(TypedDict):
    """Tell what would be sent of these now."""

    type: Literal["read_variables"]
    number: int
    asked: list[VariableAsked]


class AttachFile(TypedDict):
    """Attach a file of the notebook's folder. Answered by `fetched`."""

    type: Literal["attach_file"]
    number: int
    name: str


class VariableShown(TypedDict):
    """A variable in the menu. `tokens` is about what it would cost, None where only reading it would tell."""

    name: str
    kind: str
    size: str
    tokens: int | None


class FolderFileShown(TypedDict):
    """A file of the notebook's folder, its size in bytes."""

    name: str
    size: int


class VariablesListed(TypedDict):
    """All that can be attached from the kernel now."""

    type: Literal["variables"]
    seq: int
    number: int
    variables: list[VariableShown]
    files: list[FolderFileShown]


class VariableRead(TypedDict):
    """What would be sent of a variable now: the very text and pictures (`data:` URLs).

    `what` says how it is described, `hidden` what was hidden in it, a phrase each. With a `problem` it cannot
    be sent, and the rest is empty.
    """

    path: str
    kind: str
    size: str
    tokens: int
    text: str
    what: str
    pictures: list[str]
    hidden: list[str]
    problem: str


class VariablesRead(TypedDict):
    """What was asked about; what is no variable is left out."""

    type: Literal["variables_read"]
    seq: int
    number: int
    found: list[VariableRead]
