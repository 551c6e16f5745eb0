"""Plugins, tools and answers as the plugin manager shows them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from valechat.errors import ValeChatError
from valechat.keys.secret import is_secret_name
from valechat.notebook.plugins.protocol import (
    ContentShown,
    ErrorShown,
    LogShown,
    NeedShown,
    PermitShown,
    PluginShown,
    ProblemShown,
    SandboxShown,
    ToolShown,
    UsesShown,
)
from valechat.plaintext import plain
from valechat.plugins.base import Answer, Content, LogLine, PluginInfo, PluginTool, Problem
from valechat.plugins.config import CloudService, Definition, OAuth, variable_names
from valechat.plugins.permitting import entries

__all__ = [
    "Counts",
    "answer_shown",
    "error_shown",
    "log_shown",
    "plugin_shown",
    "tool_shown",
    "without_clock",
]

MOST_TEXT = 100_000
"""Most characters of one piece of an answer that are shown."""

MOST_DATA = 5_000_000
"""Most bytes of a picture or a sound that are shown."""

MOST_DESCRIPTION = 2_000
MOST_LINE = 2_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many resources and prompts a server has; None where it has none to offer or was not asked."""

    resources: int | None = None
    prompts: int | None = None


def plugin_shown(
    info: PluginInfo,
    definition: Definition | None,
    *,
    counts: Counts = Counts(),
    signed_in: bool = False,
    uses: UsesShown | None = None,
) -> PluginShown:
    """A plugin's card."""
    now = datetime.now(UTC)
    offered = [tool for tool in info.tools if tool.offered]
    running_for = None if info.started_at is None else max(0.0, (now - info.started_at).total_seconds())
    return PluginShown(
        id=info.id,
        name=info.name or info.id,
        description=_cut(plain(info.description), MOST_DESCRIPTION),
        transport=info.transport,
        enabled=info.enabled,
        state=info.state,
        tools=len(info.tools),
        offered=len(offered),
        tokens=sum(tool.tokens for tool in offered),
        resources=counts.resources,
        prompts=counts.prompts,
        problem=None if info.problem is None else _problem_shown(info.problem, definition, now),
        protocol=info.protocol,
        server=plain(info.server),
        pid=info.pid,
        running_for=None if running_for is None else round(running_for),
        sandbox=[SandboxShown(subject=subject, level=level) for subject, level in info.sandbox.items()],
        needs=[NeedShown(permit=need.permit, value=need.value, evidence=need.evidence) for need in info.needs],
        permits=[PermitShown(permit=permit, value=value) for permit, value in entries(definition)]
        if definition
        else [],
        signs_in=_signs_in(definition),
        signed_in=signed_in,
        uses=uses,
    )


def tool_shown(tool: PluginTool) -> ToolShown:
    """A tool's row."""
    return ToolShown(
        name=tool.name,
        title=plain(tool.title),
        description=_cut(plain(tool.description), MOST_DESCRIPTION),
        enabled=tool.enabled,
        problem=tool.problem,
        read_only=tool.read_only,
        tokens=tool.tokens,
    )


def log_shown(line: LogLine) -> LogShown:
    """A line of a log: what a terminal obeys is left out, what is very long is cut."""
    return LogShown(
        at=f"{line.at.astimezone():%H:%M:%S}",
        source=line.source,
        level=line.level,
        text=_cut(plain(line.text), MOST_LINE),
    )


def answer_shown(answer: Answer) -> tuple[list[ContentShown], str]:
    """A tool's answer piece by piece, and its structured value as JSON."""
    structured = ""
    if answer.structured is not None:
        structured = _cut(json.dumps(answer.structured, indent=2, ensure_ascii=False, default=str), MOST_TEXT)
    return [_content(piece) for piece in answer.content], structured


def error_shown(error: ValeChatError) -> ErrorShown:
    """What happened, and what to do."""
    return ErrorShown(kind=error.kind, message=error.message, fix=error.fix)


def _problem_shown(problem: Problem, definition: Definition | None, now: datetime) -> ProblemShown:
    names = [] if definition is None else [name for name in variable_names(definition) if is_secret_name(name)]
    missing = next((name for name in names if name in problem.message and "not set" in problem.message), "")
    return ProblemShown(
        message=plain(problem.message),
        fix=problem.fix,
        attempt=problem.attempt + 1,
        most=problem.most,
        retry_in=None if problem.retry_at is None else max(0.0, (problem.retry_at - now).total_seconds()),
        secret=missing,
    )


def _content(piece: Content) -> ContentShown:
    shown = piece.kind in ("image", "audio") and len(piece.data) <= MOST_DATA
    return ContentShown(
        kind=piece.kind,
        text=_cut(piece.text, MOST_TEXT),
        data=base64.b64encode(piece.data).decode() if shown else "",
        media_type=piece.media_type,
        uri=piece.uri,
        name=piece.name,
        size=len(piece.data) or len(piece.text.encode()),
    )


def _signs_in(definition: Definition | None) -> bool:
    return (
        isinstance(definition, CloudService)
        and isinstance(definition.auth, OAuth)
        and definition.auth.grant == "authorization_code"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… {len(text) - most:,} more characters"


def without_clock(shown: PluginShown) -> Mapping[str, Any]:
    """A card less what changes by itself, to tell whether anything else did."""
    problem = shown["problem"]
    return {**shown, "running_for": None, "problem": None if problem is None else {**problem, "retry_in": None}}
