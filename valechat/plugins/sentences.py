"""What is said of a plugin that is not well: what happened, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from valechat.config.names import nearest
from valechat.errors import PluginError, ValeChatError
from valechat.plugins.backoff import MOST_RESTARTS
from valechat.plugins.base import PluginInfo, Problem
from valechat.plugins.runs import Run

if TYPE_CHECKING:
    from valechat.plugins.definition import Definition
    from valechat.plugins.owner import Owner
    from valechat.plugins.transports.base import Link

__all__ = [
    "info",
    "no_such_tool",
    "problem",
    "removed_elsewhere",
    "too_slow",
    "unavailable",
    "unknown",
    "with_last_words",
]

LONGEST_WORDS = 300


def info(owner: Owner, link: Link | None) -> PluginInfo:
    """A plugin as it stands now."""
    definition, connection = owner.definition, owner.connection
    return PluginInfo(
        id=definition.id,
        name=definition.title,
        description=definition.description or "",
        transport=definition.transport,
        enabled=definition.enabled,
        state=owner.state,
        tools=owner.tools,
        problem=owner.problem,
        protocol=connection.protocol if connection else "",
        server=connection.server if connection else "",
        instructions=connection.instructions if connection else "",
        capabilities=connection.capabilities if connection else frozenset(),
        started_at=owner.started_at,
        pid=link.pid if link else None,
        sandbox=dict(link.sandbox) if link else {},
        needs=tuple(owner.needs),
    )


def with_last_words(owner: Owner, error: ValeChatError, run: Run) -> ValeChatError:
    """An error of a server's end, with what the server itself said last."""
    words = owner.log.last_words(run.began)
    if not isinstance(error, PluginError) or not words or words[:40] in error.message:
        return error
    short = words if len(words) <= LONGEST_WORDS else f"{words[:LONGEST_WORDS]} …"
    error.message = f"{error.message} Its last words: {short}"
    error.args = (error.message,)
    return error


def problem(error: ValeChatError, plugin: str, *, attempt: int, pause: float | None, hopeless: bool) -> Problem:
    """What to show, with what happens next or is to be done."""
    now = datetime.now(UTC)
    if pause is not None:
        fix = f"It is started again in {pause:g} s, attempt {attempt + 1} of {MOST_RESTARTS}. {error.fix}".rstrip()
        return Problem(error.message, fix, now, attempt, MOST_RESTARTS, now + timedelta(seconds=pause))
    again = f'valechat.plugins.restart("{plugin}")'
    if hopeless:
        fix = error.fix or f"Mend it, then start it: {again}"
    else:
        mend = error.fix or "Look at its log and mend what is wrong."
        fix = f"It was started again {attempt} times in vain. {mend} Then start it yourself: {again}"
    return Problem(error.message, fix, now, attempt, MOST_RESTARTS)


def too_slow(definition: Definition, run: Run) -> PluginError:
    """It did not get up in time."""
    return PluginError(
        f"{definition.title} was not done with {run.doing} after {definition.timeout:g} s.",
        fix="Raise its timeout if it needs longer; a program that is downloaded first can take a minute.",
    )


def unavailable(owner: Owner) -> PluginError:
    """Why a plugin cannot be used now."""
    title, plugin = owner.definition.title, owner.definition.id
    if owner.problem is not None:
        return PluginError(f"{title} does not run: {owner.problem.message}", fix=owner.problem.fix)
    if owner.wanted:
        return PluginError(f"{title} is not ready yet: it is {owner.state}.", fix="Try again in a moment.")
    return PluginError(f"{title} does not run.", fix=f'Enable it: valechat.plugins.enable("{plugin}")')


def removed_elsewhere(title: str, plugin: str) -> PluginError:
    """It was there, and somebody else took it away."""
    return PluginError(
        f"{title} is not in mcp_plugins.json any more: another kernel or an editor removed it.",
        fix=f'Add it again: valechat.plugins.add({{"id": "{plugin}", …}})',
    )


def no_such_tool(title: str, tool: str, known: list[str]) -> PluginError:
    """There is no tool of that name."""
    near = nearest(tool, known)
    few = f"It has {', '.join(known[:20])}{' …' if len(known) > 20 else ''}." if known else "It has none."
    return PluginError(f"{title} has no tool {tool!r}.", fix=f"Did you mean {near!r}?" if near else few)


def unknown(plugin: str, known: list[str]) -> PluginError:
    """There is no plugin of that id."""
    there = f"Known: {', '.join(sorted(known))}." if known else "There are none yet."
    return PluginError(f"There is no plugin {plugin!r}.", fix=f"{there} valechat.plugins.add({{…}}) adds one.")
