"""Questions that only the user can answer, and the one place a front end answers them from.

A plugin's tool is about to run, a server wants a form filled in or a model asked, a sign-in needs a
browser, a request may cost more than agreed: each is a value here, and a front end (panel, magic,
command line) is an `Asker`. A turn is given the asker of the front end it came from; where none was
given, `asker()` is the process's own. `nobody` refuses everything, saying how to allow it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, runtime_checkable

__all__ = [
    "Approval",
    "Asker",
    "Confirmation",
    "Decision",
    "Filled",
    "Form",
    "Grant",
    "GrantAsker",
    "PassphraseAsker",
    "SamplingApproval",
    "Visit",
    "asker",
    "nobody",
    "use_asker",
    "use_asker_later",
]

Decision = Literal["once", "always_tool", "always_plugin", "no", "never"]
"""`once` and `no` are for this call; the others are remembered, `never` for this tool."""


@dataclass(frozen=True, slots=True)
class Approval:
    """May this tool run, with these arguments?

    `call_id` is the tool call's, so that a panel can ask on the call's own card. `arguments` is JSON
    text. `read_only` and `destructive` are the server's own hints, which are not to be trusted.
    `changed` says that the tool is not what was allowed before. `each_time`: the answer is for this call only,
    whatever it is.
    """

    plugin: str
    tool: str
    arguments: str
    call_id: str = ""
    title: str = ""
    description: str = ""
    read_only: bool = False
    destructive: bool = False
    changed: bool = False
    each_time: bool = False


@dataclass(frozen=True, slots=True)
class SamplingApproval:
    """May this plugin's server have a model answer this, at the user's cost?

    `most_cost` is USD, None when unknown.
    """

    plugin: str
    model: str
    system: str
    text: str
    max_tokens: int
    most_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Form:
    """A server asks for values (MCP elicitation). `schema` is a flat JSON Schema object."""

    plugin: str
    message: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form's answer. `values` is empty unless accepted."""

    action: Literal["accept", "decline", "cancel"]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """A page the user has to open: a sign-in, or a server's own page.

    `paste` says that the address of the page where it ends may be pasted back, for a browser that
    cannot reach this machine.
    """

    plugin: str
    message: str
    url: str
    paste: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A request may cost more than the user wants to be asked about; amounts are USD, None when unknown."""

    message: str
    most_cost: Decimal | None
    model: str


@dataclass(frozen=True, slots=True)
class Grant:
    """May this plugin's server have this permission more, for good? It is restarted with it.

    `permit` is a field of its permissions or `allow_degraded`. `value` is exactly what is granted: a path, a host,
    a variable's name; empty for all of the network and for `allow_degraded`. `proven` says that the sandbox itself
    refused it, not just that the server says so.
    """

    plugin: str
    permit: str
    value: str
    proven: bool


class Asker(Protocol):
    """A front end that can ask the user. Called on the engine's loop; cancelled when the question is moot."""

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        """Ask whether something may be done."""
        ...

    async def fill(self, form: Form) -> Filled:
        """Have a form filled in."""
        ...

    async def visit(self, page: Visit) -> str | None:
        """Show a link. Returns the address pasted back, None when the user declined.

        Shows it until it is cancelled, because the end of a visit is mostly noticed elsewhere.
        """
        ...

    async def confirm(self, question: Confirmation) -> bool:
        """Ask whether a request may be sent at that cost."""
        ...


@runtime_checkable
class GrantAsker(Protocol):
    """A front end that can also ask whether a sandbox may be widened. Where one cannot, it stays as it is."""

    async def grant(self, question: Grant) -> bool:
        """Ask whether a plugin may have a permission more."""
        ...


@runtime_checkable
class PassphraseAsker(Protocol):
    """A front end that can have a passphrase typed without showing or keeping it."""

    async def passphrase(self, *, new: bool) -> str | None:
        """The key file's passphrase; `new` where it is being chosen. None: the user declined."""
        ...


class _Nobody:
    """There is no one to ask."""

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        del question
        return "no"

    async def fill(self, form: Form) -> Filled:
        del form
        return Filled("decline")

    async def visit(self, page: Visit) -> str | None:
        del page
        return None

    async def confirm(self, question: Confirmation) -> bool:
        del question
        return False


nobody: Asker = _Nobody()

_current: Asker = nobody
_maker: Callable[[], Asker] | None = None


def use_asker(front_end: Asker) -> None:
    """Let this front end answer whatever comes from no particular place."""
    global _current, _maker  # one per process, as the user is
    _current, _maker = front_end, None


def use_asker_later(make: Callable[[], Asker]) -> None:
    """As `use_asker`, with a front end that is made when it is first asked for: its import takes a while."""
    global _maker  # noqa: PLW0603  # as above
    _maker = make


def asker() -> Asker:
    """The process's own front end."""
    if _maker is not None:
        use_asker(_maker())
    return _current
