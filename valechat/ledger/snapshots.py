"""Small tables that change as a whole: limits and prices, published as one file each."""

from __future__ import annotations

import sqlite3

import orjson

__all__ = ["limits_snapshot", "prices_snapshot"]


def limits_snapshot(db: sqlite3.Connection) -> bytes:
    """Each ceiling with what is used and the holds on it, each with its end, as JSON lines.

    The holds are listed so that a query leaves out those that have lapsed since.
    """
    found = []
    for row in db.execute(
        "SELECT c.name, c.scope, c.period, c.amount, c.resets_at, coalesce(b.used, '0') AS used"
        " FROM ceilings c LEFT JOIN buckets b ON b.scope = c.scope AND b.period = c.period"
        " ORDER BY c.name, c.scope"
    ).fetchall():
        holds = db.execute(
            "SELECT h.amount, h.lapses_at FROM hold_buckets b JOIN holds h ON h.request_id = b.request_id"
            " WHERE b.scope = ? AND b.period = ?",
            (row["scope"], row["period"]),
        )
        found.append(
            orjson.dumps(
                {
                    "limit": row["name"],
                    "scope": row["scope"],
                    "period": row["period"],
                    "amount": row["amount"],
                    "used": row["used"],
                    "resets_at": row["resets_at"],
                    "holds": [{"amount": hold["amount"], "lapses_at": hold["lapses_at"]} for hold in holds],
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
        )
    return b"".join(found)


def prices_snapshot(db: sqlite3.Connection) -> bytes:
    """The price table as JSON lines, as it was last set."""
    row = db.execute("SELECT rows FROM prices").fetchone()
    return b"" if row is None else str(row["rows"]).encode("utf-8")
