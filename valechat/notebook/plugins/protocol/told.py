"""What the kernel tells the view."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from valechat.notebook.plugins.protocol.shown import (
    ApprovalShown,
    ContentShown,
    EntryShown,
    ErrorShown,
    ForeignShown,
    LogShown,
    PluginShown,
    ToolShown,
)

__all__ = [
    "Board",
    "Called",
    "Catalogue",
    "Changed",
    "Configuration",
    "Done",
    "Foreign",
    "Log",
    "Progressed",
    "Schema",
    "Settings",
    "ToWidget",
    "Tools",
]


class Board(TypedDict):
    """All there is. `problems` are those of the file and of its entries."""

    type: Literal["board"]
    file: str
    problems: list[ErrorShown]
    plugins: list[PluginShown]


class Changed(TypedDict):
    """Cards that changed, at most five times a second. `order` has the ids of all there are."""

    type: Literal["changed"]
    problems: list[ErrorShown]
    order: list[str]
    plugins: list[PluginShown]


class Tools(TypedDict):
    """The tools of a plugin whose list is open."""

    type: Literal["tools"]
    id: str
    tools: list[ToolShown]


class Schema(TypedDict):
    """What a tool takes: a JSON Schema."""

    type: Literal["schema"]
    id: str
    tool: str
    schema: str


class Configuration(TypedDict):
    """An entry of the file, secrets hidden. `permissions` is JSON, empty for none."""

    type: Literal["configuration"]
    id: str
    text: str
    timeout: float
    call_timeout: float
    permissions: str


class Log(TypedDict):
    """Lines of a log that is open; with `whole` in the place of those before."""

    type: Literal["log"]
    id: str
    whole: bool
    lines: list[LogShown]


class Progressed(TypedDict):
    """How far a call is."""

    type: Literal["progressed"]
    call: str
    text: str


class Called(TypedDict):
    """A call's end. With `error` there is no answer."""

    type: Literal["called"]
    call: str
    content: list[ContentShown]
    structured: str
    is_error: bool
    duration_ms: float
    error: ErrorShown | None


class Catalogue(TypedDict):
    """What can be added."""

    type: Literal["catalogue"]
    entries: list[EntryShown]
    problems: list[str]


class Foreign(TypedDict):
    """What other programs have."""

    type: Literal["foreign"]
    files: list[ForeignShown]


class Settings(TypedDict):
    """What holds for all plugins; seconds."""

    type: Literal["settings"]
    file: str
    timeout: float
    call_timeout: float
    approvals: list[ApprovalShown]


class Done(TypedDict):
    """A request's end; `error` is None when it went well."""

    type: Literal["done"]
    request: str
    text: str
    error: ErrorShown | None


ToWidget = (
    Board | Changed | Tools | Schema | Configuration | Log | Progressed | Called | Catalogue | Foreign | Settings | Done
)
