"""What the user has decided about plugins' tools, once and for all, in `approvals.json`.

The file stands beside `mcp_plugins.json` and is shared by all kernels. A permission holds for a tool as it
was when the user saw it, or when it first ran under a permission for its whole plugin: a tool whose
description, schema or hints have changed since is asked about again, and so is every tool of a plugin whose
definition (`source`: its command, its address) has become another one. A refusal holds whatever becomes of
the tool. Nothing that a model, a tool or a server says is ever written here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from valechat.asking import Decision
from valechat.atomic import write_atomically
from valechat.errors import ConfigError
from valechat.filelock import locked
from valechat.plugins.base import PluginTool

__all__ = ["SAMPLING", "Approvals", "Permission", "Verdict"]

Verdict = Literal["allow", "deny", "ask"]

SAMPLING = "sampling/createMessage"
"""The name by which the permission to have a model answer, at the user's cost, is given and listed."""


@dataclass(frozen=True, slots=True)
class Permission:
    """A decision that is remembered. `tool` is None for the whole plugin; `at` is when it was made."""

    plugin: str
    tool: str | None
    allowed: bool
    at: datetime


class _Entry(BaseModel):
    """`fingerprint` and `source` are empty until a tool is first called under this permission."""

    model_config = ConfigDict(extra="allow")

    decision: Literal["allow", "deny"]
    at: datetime
    fingerprint: str = ""
    source: str = ""


class _Plugin(BaseModel):
    """`seen` has the fingerprints of the tools that ran under the permission for the whole plugin."""

    model_config = ConfigDict(extra="allow")

    all: _Entry | None = None
    sampling: _Entry | None = None
    tools: dict[str, _Entry] = Field(default_factory=dict)
    seen: dict[str, str] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="allow")

    plugins: dict[str, _Plugin] = Field(default_factory=dict)


class Approvals:
    """The remembered decisions. Its methods block for a moment and may be called from any thread.

    A file that cannot be read allows nothing; it is kept beside the new one when that is written.

    Args:
        path: The file. It need not exist yet.
        clock: What time it is.
    """

    def __init__(self, path: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._clock = clock

    def decision(self, tool: PluginTool, source: str = "") -> Verdict:
        """What is to be done with a call of the tool. The tool's own entry counts before its plugin's.

        Args:
            tool: The tool.
            source: A digest of its plugin's definition; empty where that does not matter.
        """
        return self._verdict(tool, source)[0]

    def changed(self, tool: PluginTool, source: str = "") -> bool:
        """Whether the tool was allowed and is not any more what it was then, or not from there."""
        return self._verdict(tool, source)[1]

    def remember(self, tool: PluginTool, decision: Decision, source: str = "") -> None:
        """Keep what the user answered to a question about this tool; `once` and `no` change nothing.

        Raises:
            ConfigError: The file cannot be written.
        """
        if decision == "always_tool":
            self._set_tool(tool, "allow", source)
        elif decision == "never":
            self._set_tool(tool, "deny", source)
        elif decision == "always_plugin":
            with self._changing() as file:
                plugin = file.plugins.setdefault(tool.plugin, _Plugin())
                plugin.tools.pop(tool.name, None)
                if plugin.all is None or plugin.all.source != source:
                    plugin.seen = {}
                plugin.all = _Entry(decision="allow", at=self._clock(), source=source)
                plugin.seen[tool.name] = tool.fingerprint

    def note(self, tool: PluginTool, source: str = "") -> None:
        """Hold the permission under which the tool is about to run to the tool as it is now.

        Raises:
            ConfigError: The file cannot be written.
        """
        known = self._read().plugins.get(tool.plugin)
        if known is None or not _hold(known, tool, source):
            return
        with self._changing() as file:
            plugin = file.plugins.get(tool.plugin)
            if plugin is not None:
                _hold(plugin, tool, source)

    def allow(self, plugin: str, tool: str | None = None) -> None:
        """Allow a tool, or all of a plugin that are not refused by name, without a question.

        `SAMPLING` in the place of a tool's name lets the plugin's server have models answer.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._set(plugin, tool, "allow")

    def deny(self, plugin: str, tool: str | None = None) -> None:
        """Refuse a tool, or all of a plugin that are not allowed by name, without a question.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._set(plugin, tool, "deny")

    def forget(self, plugin: str, tool: str | None = None) -> None:
        """Ask about the tool again, or about all of the plugin.

        Raises:
            ConfigError: The file cannot be written.
        """
        if plugin not in self._read().plugins:
            return
        with self._changing() as file:
            if tool is None:
                file.plugins.pop(plugin, None)
            elif plugin in file.plugins:
                known = file.plugins[plugin]
                known.tools.pop(tool, None)
                known.seen.pop(tool, None)
                known.sampling = None if tool == SAMPLING else known.sampling

    def list(self) -> list[Permission]:
        """All that is remembered, by plugin and tool."""
        found: list[Permission] = []
        for name, plugin in sorted(self._read().plugins.items()):
            entries = [(None, plugin.all), *sorted(plugin.tools.items()), (SAMPLING, plugin.sampling)]
            found += [Permission(name, tool, entry.decision == "allow", entry.at) for tool, entry in entries if entry]
        return found

    def sampling(self, plugin: str) -> Verdict:
        """What is to be done when the plugin's server wants a model to answer it.

        A permission for all of a plugin's tools does not cover it: it spends money.
        """
        known = self._read().plugins.get(plugin)
        return "ask" if known is None or known.sampling is None else known.sampling.decision

    def remember_sampling(self, plugin: str, decision: Decision) -> None:
        """Keep what the user answered when the plugin's server wanted a model to answer it.

        Raises:
            ConfigError: The file cannot be written.
        """
        if decision in ("always_tool", "always_plugin"):
            self._set(plugin, SAMPLING, "allow")
        elif decision == "never":
            self._set(plugin, SAMPLING, "deny")

    def _verdict(self, tool: PluginTool, source: str) -> tuple[Verdict, bool]:
        """What to do, and whether it is to ask because the tool has changed."""
        plugin = self._read().plugins.get(tool.plugin)
        if plugin is None:
            return "ask", False
        own = plugin.tools.get(tool.name)
        entry = own or plugin.all
        if entry is None:
            return "ask", False
        if entry.decision == "deny":
            return "deny", False
        held_to = own.fingerprint if own is not None else plugin.seen.get(tool.name, "")
        moved = "" not in (source, entry.source) and source != entry.source
        return ("ask", True) if moved or held_to not in ("", tool.fingerprint) else ("allow", False)

    def _set(self, plugin: str, tool: str | None, decision: Literal["allow", "deny"]) -> None:
        entry = _Entry(decision=decision, at=self._clock())
        with self._changing() as file:
            known = file.plugins.setdefault(plugin, _Plugin())
            if tool is None:
                known.all, known.seen = entry, {}
            elif tool == SAMPLING:
                known.sampling = entry
            else:
                known.tools[tool] = entry

    def _set_tool(self, tool: PluginTool, decision: Literal["allow", "deny"], source: str) -> None:
        entry = _Entry(decision=decision, at=self._clock(), fingerprint=tool.fingerprint, source=source)
        with self._changing() as file:
            file.plugins.setdefault(tool.plugin, _Plugin()).tools[tool.name] = entry

    def _read(self) -> _File:
        try:
            return _File.model_validate_json(self._path.read_bytes())
        except (OSError, ValidationError):
            return _File()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[_File]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._path.with_name(f".{self._path.name}.lock")):
                self._set_aside_if_broken()
                file = self._read()
                yield file
                write_atomically(self._path, file.model_dump_json(indent=2, exclude_defaults=True).encode() + b"\n")
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written: {error.strerror}.",
                fix="Free space or allow writing; until then the decision counts for this call only.",
            ) from error

    def _set_aside_if_broken(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            try:
                _File.model_validate_json(self._path.read_bytes())
            except ValidationError:
                self._path.replace(self._path.with_name(f"{self._path.name}.broken"))


def _hold(plugin: _Plugin, tool: PluginTool, source: str) -> bool:
    """Hold a permission that is not held to anything yet to what the tool is; whether that changed something."""
    own = plugin.tools.get(tool.name)
    entry = own or plugin.all
    if entry is None:
        return False
    before = (entry.source, entry.fingerprint, plugin.seen.get(tool.name))
    entry.source = entry.source or source
    if own is not None:
        own.fingerprint = own.fingerprint or tool.fingerprint
    else:
        plugin.seen.setdefault(tool.name, tool.fingerprint)
    return before != (entry.source, entry.fingerprint, plugin.seen.get(tool.name))
