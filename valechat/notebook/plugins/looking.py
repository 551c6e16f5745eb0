"""What the plugin manager shows beside plugins' states: the catalogue, other programs, settings, the ledger."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from valechat.errors import ConfigError, LedgerError
from valechat.notebook.plugins.protocol import (
    ApprovalShown,
    Catalogue,
    EntryShown,
    Foreign,
    ForeignServer,
    ForeignShown,
    InputShown,
    Settings,
    UsesShown,
)
from valechat.plugins.catalogue import load_catalogue
from valechat.plugins.config import Definition
from valechat.plugins.foreign import found
from valechat.pluginverbs import choosing, signing
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.masked import summary

__all__ = ["catalogue", "file_problems", "foreign", "settings", "signed_in", "uses"]

START_SECONDS, CALL_SECONDS = 60, 30

_USES = """
SELECT coalesce(c.plugin, r.plugin) AS plugin, coalesce(c.calls, 0), coalesce(c.errors, 0), c.median, c.slow,
    r.uptime_seconds, coalesce(r.runs, 0)
FROM (
    SELECT plugin, count(*) AS calls, count(*) FILTER (WHERE status IN ('error', 'timeout')) AS errors,
        quantile_disc(duration_ms, 0.5) AS median, quantile_disc(duration_ms, 0.95) AS slow
    FROM tool_calls WHERE status <> 'refused' AND plugin IS NOT NULL AND plugin <> '' GROUP BY plugin
) c FULL OUTER JOIN plugin_uptime r ON r.plugin = c.plugin
"""


async def catalogue(desk: Desk) -> Catalogue:
    """What can be added."""
    found_ = await asyncio.to_thread(load_catalogue, desk.services.paths)
    there = await _there(desk)
    known = await asyncio.to_thread(choosing.known_names, desk)
    newer = await asyncio.to_thread(choosing.newer, desk, there)
    shown = [
        EntryShown(
            id=entry.id,
            name=entry.name,
            description=entry.description,
            command=choosing.run_as(entry),
            homepage=entry.offer.homepage,
            version=entry.version,
            missing=entry.lacking,
            deprecated=entry.offer.deprecated,
            permissions=choosing.permission_words(entry),
            inputs=[
                InputShown(
                    name=one.name,
                    title=one.title,
                    several=one.several,
                    description=one.description,
                    secret=one.secret,
                    required=one.required and not (one.secret and one.variable in known),
                    default="" if one.secret else (one.default or ""),
                )
                for one in entry.needs
            ],
            added=entry.id in there,
            update=newer[entry.id][1] if entry.id in newer else "",
        )
        for entry in found_.entries.values()
    ]
    return Catalogue(type="catalogue", entries=shown, problems=[str(problem) for problem in found_.problems])


async def foreign(desk: Desk) -> Foreign:
    """What other programs have."""
    files = await asyncio.to_thread(found, Path.cwd())
    there = await _there(desk)
    shown = [
        ForeignShown(
            program=file.program,
            path=str(file.path),
            servers=[
                ForeignServer(id=name, summary=summary(one), taken=name in there) for name, one in file.servers.items()
            ],
            problems=[str(problem) for problem in file.problems]
            + [f"{name}: {note}" for name, notes in file.notes.items() for note in notes],
        )
        for file in files
    ]
    return Foreign(type="foreign", files=shown)


async def settings(desk: Desk) -> Settings:
    """What holds for all plugins."""
    kept = await asyncio.to_thread(desk.approvals.list)
    approvals = [
        ApprovalShown(plugin=one.plugin, tool=one.tool or "", decision="allow" if one.allowed else "deny")
        for one in kept
    ]
    return Settings(
        type="settings",
        file=str(desk.path),
        timeout=START_SECONDS,
        call_timeout=CALL_SECONDS,
        approvals=approvals,
    )


async def file_problems(desk: Desk) -> list[ConfigError]:
    """What is wrong with the file, or with single entries of it."""
    try:
        await asyncio.to_thread(desk.file.read)
    except ConfigError as error:
        return [error]
    return list(desk.file.problems)


async def signed_in(desk: Desk) -> set[str]:
    """The plugins that the user is signed in to."""
    return {info.id for info in desk.manager.list() if await signing.is_signed_in(desk, info.id)}


async def uses(desk: Desk) -> dict[str, UsesShown]:
    """What was called so far, by plugin; nothing where the ledger cannot be read, which others complain of."""
    try:
        rows = await asyncio.to_thread(_read, desk)
    except LedgerError:
        return {}
    return {
        plugin: UsesShown(
            calls=calls,
            errors=errors,
            median_ms=median,
            slow_ms=slow,
            up_seconds=None if seconds is None else float(seconds),
            starts=starts,
        )
        for plugin, calls, errors, median, slow, seconds, starts in rows
    }


async def _there(desk: Desk) -> dict[str, Definition]:
    """What is in the file; nothing where it is broken, which is shown on the board."""
    try:
        return await asyncio.to_thread(desk.file.read)
    except ConfigError:
        return {}


def _read(desk: Desk) -> list[tuple[str, int, int, float | None, float | None, Decimal | None, int]]:
    with desk.services.ledger.connect() as connection:
        found_rows: list[tuple[str, int, int, float | None, float | None, Decimal | None, int]] = connection.execute(
            _USES
        ).fetchall()
    return found_rows
