"""`valechat backup`, `restore`, `prune`, `export`, `import`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from valechat.atomic import write_atomically
from valechat.billing.limits import model_scope
from valechat.cli.output import note, say
from valechat.errors import ConfigError
from valechat.exports import FORMATS
from valechat.ledger import open_ledger
from valechat.ledger.base import Ledger, Retention
from valechat.ledger.salvage import report
from valechat.ledger.tables import write_tables
from valechat.paths import user_paths

__all__ = ["backup", "export", "prune", "restore", "take"]


def backup(options: argparse.Namespace) -> int:
    """Copy the ledger."""
    ledger = open_ledger(user_paths())
    try:
        written = ledger.backup(Path(options.target))
    finally:
        ledger.close()
    say(f"The ledger is in {written}, {written.stat().st_size:,} bytes.")
    return 0


def restore(options: argparse.Namespace) -> int:
    """Put a backup in the ledger's place, or recover what is left of a damaged one."""
    if options.salvage:
        return _salvage([Path(source) for source in options.source])
    if len(options.source) != 1:
        raise ConfigError("One backup is restored.", fix="Name its file, or add --salvage to recover a damaged ledger.")
    source = Path(options.source[0])
    ledger = open_ledger(user_paths())
    try:
        replaced = ledger.restore(source)
    finally:
        ledger.close()
    say(f"The ledger is the one of {source} now.")
    if replaced is not None:
        say(f"What was there is kept as {replaced}.")
    return 0


def _salvage(backups: Sequence[Path]) -> int:
    if missing := [path for path in backups if not path.is_file()]:
        raise ConfigError(f"There is no file {missing[0]}.", fix="Name files that valechat backup wrote.")
    ledger = open_ledger(user_paths())
    try:
        salvaged = ledger.salvage(backups, model_scope=model_scope)
    finally:
        ledger.close()
    for line in report(salvaged):
        say(line)
    return 0


def _export_tables(ledger: Ledger, options: argparse.Namespace) -> int:
    for path in write_tables(ledger, Path(options.output or "."), options.format, options.name):
        say(f"{path}, {path.stat().st_size:,} bytes")
    return 0


def prune(options: argparse.Namespace) -> int:
    """Delete what is older than it is kept."""
    from valechat.services import services

    opened = services()
    days = {"conversations": options.conversations_days, "tool_results": options.tool_results_days}
    asked = {name: timedelta(days=count) for name, count in days.items() if count is not None}
    retention = Retention(**asked) if asked else opened.retention
    if retention == Retention():
        raise ConfigError(
            "Nothing is ever too old: [retention] in config.toml sets no number of days.",
            fix="Set conversations_days or tool_results_days there, or give --conversations-days N.",
        )
    from valechat.plugins.results import ResultStore

    pruned = opened.ledger.prune(retention)
    ResultStore(opened.paths.tool_results, most_age=retention.tool_results).prune()
    say(f"{pruned.conversations:,} conversations were deleted; {pruned.tool_results:,} messages lost tools' answers.")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write conversations, or the ledger's views."""
    ledger = open_ledger(user_paths())
    try:
        if options.format in ("csv", "parquet"):
            return _export_tables(ledger, options)
        ids = options.name or [one.id for one in ledger.conversations(most=sys.maxsize)]
        text = FORMATS.get(options.format, FORMATS["markdown"]).write(ledger, ids)
    finally:
        ledger.close()
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        write_atomically(Path(options.output), text.encode())
    except OSError as error:
        raise ConfigError(f"{options.output} cannot be written: {error.strerror}.", fix="Name another file.") from error
    note(f"{len(ids)} conversations are in {options.output}.")
    return 0


def take(options: argparse.Namespace) -> int:
    """Add the conversations of an export."""
    from valechat.exports.reading import read_file, take_in

    conversations = read_file(Path(options.file))
    ledger = open_ledger(user_paths())
    try:
        for head in take_in(ledger, conversations):
            say(f"{head.id}  {head.title or 'without a title'}, {head.message_count} messages")
    finally:
        ledger.close()
    return 0
