"""What the plugin manager shows. All texts of servers are untrusted, and drawn as text."""

from __future__ import annotations

from typing_extensions import TypedDict

__all__ = [
    "ApprovalShown",
    "ContentShown",
    "EntryShown",
    "ErrorShown",
    "ForeignServer",
    "ForeignShown",
    "InputShown",
    "LogShown",
    "NeedShown",
    "PermitShown",
    "PluginShown",
    "ProblemShown",
    "SandboxShown",
    "ToolShown",
    "UsesShown",
]


class ErrorShown(TypedDict):
    """An error: what happened, what to do."""

    kind: str
    message: str
    fix: str


class ProblemShown(TypedDict):
    """Why a plugin is not well.

    `attempt` of `most` is the next restart. `retry_in` is in seconds from now, None when it is the user's turn.
    `secret` names the variable whose value is missing and can be kept in the keychain; empty for none.
    """

    message: str
    fix: str
    attempt: int
    most: int
    retry_in: float | None
    secret: str


class UsesShown(TypedDict):
    """What was called so far, from the ledger; times in milliseconds, None when unknown. Within `slow_ms` are 95 %."""

    calls: int
    errors: int
    median_ms: float | None
    slow_ms: float | None
    up_seconds: float | None
    starts: int


class SandboxShown(TypedDict):
    """What is limited: `level` is `enforced`, `watched` or `none`."""

    subject: str
    level: str


class NeedShown(TypedDict):
    """What a confined server was refused: `permit` and `value` are exactly what would be granted.

    `evidence`: `sandbox` refused it itself, the arguments of a `call` named it, or only the `server` says so.
    """

    permit: str
    value: str
    evidence: str


class PermitShown(TypedDict):
    """What a confined server may do, as it stands in the file; it can be taken back."""

    permit: str
    value: str


class PluginShown(TypedDict):
    """A plugin's card, its parts folded.

    `tools` is how many there are, `offered` how many models are told of, `tokens` what that costs in a request.
    `running_for` is in seconds. `signs_in` says that it is signed in to in a browser.
    """

    id: str
    name: str
    description: str
    transport: str
    enabled: bool
    state: str
    tools: int
    offered: int
    tokens: int
    resources: int | None
    prompts: int | None
    problem: ProblemShown | None
    protocol: str
    server: str
    pid: int | None
    running_for: float | None
    sandbox: list[SandboxShown]
    needs: list[NeedShown]
    permits: list[PermitShown]
    signs_in: bool
    signed_in: bool
    uses: UsesShown | None


class ToolShown(TypedDict):
    """A tool. What it takes is a message of its own, for a thousand schemas are large."""

    name: str
    title: str
    description: str
    enabled: bool
    problem: str
    read_only: bool
    tokens: int


class LogShown(TypedDict):
    """A line of a log, without what a terminal obeys. `at` is the time of day."""

    at: str
    source: str
    level: str
    text: str


class ContentShown(TypedDict):
    """A piece of a tool's answer. `data` is base64, of pictures and sounds only; `size` is in bytes."""

    kind: str
    text: str
    data: str
    media_type: str
    uri: str
    name: str
    size: int


class InputShown(TypedDict):
    """What an entry of the catalogue needs to know. Of `several`, each is on a line of its own."""

    name: str
    title: str
    several: bool
    description: str
    secret: bool
    required: bool
    default: str


class EntryShown(TypedDict):
    """An entry of the catalogue. `missing` says what has to be installed first; `update` is a newer version."""

    id: str
    name: str
    description: str
    command: str
    homepage: str
    version: str
    missing: str
    deprecated: str
    permissions: list[str]
    inputs: list[InputShown]
    added: bool
    update: str


class ForeignServer(TypedDict):
    """A server of another program. `taken` says that the id is in use here."""

    id: str
    summary: str
    taken: bool


class ForeignShown(TypedDict):
    """Another program's configuration that was found."""

    program: str
    path: str
    servers: list[ForeignServer]
    problems: list[str]


class ApprovalShown(TypedDict):
    """A remembered decision: `allow` or `deny`. `tool` is empty for all of the plugin."""

    plugin: str
    tool: str
    decision: str
