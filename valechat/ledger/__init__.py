"""The ledger: storage, migrations, queries, backup. The only place that knows the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valechat.ledger.sqlite import SqliteLedger
    from valechat.paths import Paths

__all__ = ["open_ledger"]


def open_ledger(paths: Paths) -> SqliteLedger:
    """The user's ledger. Nothing is opened or written before it is first used."""
    from valechat.ledger.sqlite import SqliteLedger

    return SqliteLedger(paths.ledger, state=paths.state / "duckdb")
