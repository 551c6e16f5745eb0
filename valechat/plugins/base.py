"""What the parts of the plugin manager tell each other: states, tools, answers, events.

Values only; nothing here needs the MCP SDK, whose import takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from valechat.errors import ValeChatError

__all__ = [
    "Answer",
    "Content",
    "ListsChanged",
    "LogLine",
    "Logged",
    "Need",
    "Permit",
    "PluginEvent",
    "PluginFailed",
    "PluginInfo",
    "PluginSet",
    "PluginTool",
    "Problem",
    "Progress",
    "Ready",
    "State",
    "StateChanged",
    "ToolsChanged",
    "Watcher",
]

State = Literal["stopped", "starting", "initialising", "running", "error", "stopping"]

Permit = Literal["file_read", "file_write", "network_access", "env_access", "allow_degraded"]
"""What can be granted to a confined server."""

ContentKind = Literal["text", "image", "audio", "resource", "link"]


class Ready:
    """May be awaited, though it is there already: `await valechat.plugins.enable("git")` is a cell as any.

    Type checkers are not told, or they would ask for an `await` wherever it may be left out.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __await__(self) -> Generator[Any, None, Self]:
            yield from ()
            return self


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a plugin is not well, and what to do.

    `attempt` counts the restarts so far and `most` bounds them; `retry_at` is when the next is due, None
    when it is the user's turn.
    """

    message: str
    fix: str
    at: datetime
    attempt: int = 0
    most: int = 5
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PluginTool:
    """A tool a server offers.

    `name` is the server's own, `public_name` the one sent to models: `pluginid_tool`, made valid and unique.
    `tokens` is roughly what its description costs in each request that offers it. A tool with a `problem`
    (a schema no provider takes) or switched off is not offered. `fingerprint` changes whenever the
    description or a schema does.
    """

    plugin: str
    name: str
    public_name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any] | None = None
    read_only: bool = False
    destructive: bool = True
    enabled: bool = True
    problem: str = ""
    tokens: int = 0
    fingerprint: str = ""

    @property
    def offered(self) -> bool:
        """Whether models are told of it."""
        return self.enabled and not self.problem


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a confined server was refused, and exactly what would allow it.

    `value` is a path (canonical, without symbolic links), a host with its port, a variable's name; empty for
    all of the network and for `allow_degraded`. `evidence` says who knows of it: the sandbox itself (`sandbox`), the
    call that failed, in whose arguments the user saw it (`call`), or the server alone (`server`), whose words
    prove nothing.
    """

    permit: Permit
    value: str
    evidence: Literal["sandbox", "call", "server"]


@dataclass(frozen=True, slots=True, repr=False)
class PluginInfo(Ready):
    """A plugin as it stands now.

    `transport` is `stdio`, `http`, `sse`, `websocket` or a third party's. `enabled` is what the file says,
    `state` what is. `protocol` and `server` are what the server said of itself. `capabilities` has names of
    MCP server capabilities (`tools`, `resources`, `prompts`, `completions`, `logging`). `sandbox` says per
    subject (`files`, `network`, `memory`, `cpu`, `processes`) what is `enforced`, `watched` or `none`. `needs`
    are what it was refused and the user may grant.
    """

    id: str
    name: str
    description: str
    transport: str
    enabled: bool
    state: State
    tools: tuple[PluginTool, ...] = ()
    problem: Problem | None = None
    protocol: str = ""
    server: str = ""
    instructions: str = ""
    capabilities: frozenset[str] = frozenset()
    started_at: datetime | None = None
    pid: int | None = None
    sandbox: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()

    def __repr__(self) -> str:
        tools = f", {len(self.tools)} tools" if self.tools else ""
        said = f": {self.problem.message} {self.problem.fix}".rstrip() if self.problem else ""
        return f"<plugin {self.id}, {self.state}{tools}{said}>"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a plugin's log. `source` is `stderr`, `server` (MCP logging) or `valechat`."""

    at: datetime
    source: Literal["stderr", "server", "valechat"]
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call is. `total` is None when the server does not know."""

    done: float
    total: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of a tool's answer, a resource or a prompt.

    `text` for text, and for a resource that is text; `data` are the bytes of an image, a sound or a binary
    resource; `uri` and `name` are those of a resource or link.
    """

    kind: ContentKind
    text: str = ""
    data: bytes = b""
    media_type: str = ""
    uri: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Ready):
    """A tool's whole answer. `is_error` says that the tool itself reported a failure.

    `structured` is the value that fits the tool's output schema, None where there is none.
    """

    content: tuple[Content, ...]
    structured: Any = None
    is_error: bool = False

    @property
    def text(self) -> str:
        """All text of it."""
        return "\n".join(piece.text for piece in self.content if piece.text)


@dataclass(frozen=True, slots=True)
class StateChanged:
    """A plugin came into another state; `plugin.state` is the new one."""

    plugin: PluginInfo
    kind: ClassVar[Literal["state"]] = "state"


@dataclass(frozen=True, slots=True)
class ToolsChanged:
    """A plugin's tools are others now, or were switched on or off."""

    plugin: PluginInfo
    kind: ClassVar[Literal["tools"]] = "tools"


@dataclass(frozen=True, slots=True)
class ListsChanged:
    """A plugin's resources or prompts are others now."""

    plugin: str
    what: Literal["resources", "prompts"]
    kind: ClassVar[Literal["lists"]] = "lists"


@dataclass(frozen=True, slots=True)
class PluginFailed:
    """Something went wrong with a plugin, or with the file when `plugin` is empty."""

    plugin: str
    error: ValeChatError
    kind: ClassVar[Literal["error"]] = "error"


@dataclass(frozen=True, slots=True)
class Logged:
    """A plugin's log has a new line."""

    plugin: str
    line: LogLine
    kind: ClassVar[Literal["log"]] = "log"


@dataclass(frozen=True, slots=True)
class PluginSet:
    """Plugins were added or removed; `plugins` is all there are."""

    plugins: tuple[PluginInfo, ...]
    kind: ClassVar[Literal["set"]] = "set"


PluginEvent = StateChanged | ToolsChanged | ListsChanged | PluginFailed | Logged | PluginSet

Watcher = Callable[[PluginEvent], None]
"""Called on the engine's loop; must not block."""
