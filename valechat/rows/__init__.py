"""Rows: one prompt asked for each row of a table, with its cost, its limits and its answers kept."""

from __future__ import annotations

from valechat.rows.estimate import Estimate
from valechat.rows.mapping import jobs
from valechat.rows.mapping import map_rows as map  # noqa: A004  # `valechat.map` is its public name
from valechat.rows.mapping import map_rows_sync as map_sync
from valechat.rows.result import Rows

__all__ = ["Estimate", "Rows", "jobs", "map", "map_sync"]
