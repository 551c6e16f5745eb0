"""The DuckDB views, as SQL text: what each is made of and what its columns are called.

The watermark is read once a query, as one materialised row; the Parquet scans stand each for itself,
because a shared one would keep a query's filters away from the files.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from valechat.ledger.streams import MONEY, STREAMS, Stream

__all__ = ["NAMES", "from_lines", "placeholder", "placeholder_name", "read_segments", "source", "target", "view_script"]


NAMES = """SELECT name FROM (
    SELECT view_name AS name, 0 AS place FROM duckdb_views() WHERE NOT internal
    UNION SELECT column_name, 1 FROM duckdb_columns() WHERE NOT internal
) WHERE NOT starts_with(name, '_') GROUP BY name ORDER BY min(place), name"""
"""The names of the views that are there for users, then those of their columns."""


def source(path: Path) -> str:
    """A path to read, as a SQL string that no character of it turns into a pattern."""
    return _literal(_escaped(path))


def target(path: Path) -> str:
    """A path to write, as a SQL string."""
    return _literal(path.as_posix())


def _escaped(path: Path) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in path.as_posix())


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _read_json(pattern: str, columns: Mapping[str, str], *, lenient: bool) -> str:
    fields = ", ".join(f"{_literal(name)}: {_literal(kind)}" for name, kind in columns.items())
    # A query may meet a line that is just being written: it is left out, being no row yet.
    ignore = ", ignore_errors=true" if lenient else ""
    return f"read_json({pattern}, format='newline_delimited', columns={{{fields}}}{ignore})"


def _wire_type(kind: str) -> str:
    """What a JSON line has a column as; the rest is cast from text, so that no digit is lost."""
    return kind if kind in ("BIGINT", "JSON") or kind.endswith("[]") else "VARCHAR"


def _typed(columns: Mapping[str, str]) -> str:
    return ", ".join(
        name if _wire_type(kind) == kind else f"CAST({name} AS {kind}) AS {name}" for name, kind in columns.items()
    )


def _lines_source(stream: Stream, pattern: str, *, lenient: bool) -> str:
    wire = {"seq": "BIGINT", "rev": "BIGINT", **{name: _wire_type(kind) for name, kind in stream.columns.items()}}
    return _read_json(pattern, wire, lenient=lenient)


def from_lines(stream: Stream, path: Path) -> str:
    """A query for the rows of a file of JSON lines, typed; it fails at a line that cannot be read."""
    return f"SELECT seq, {_typed(stream.columns)} FROM {_lines_source(stream, source(path), lenient=False)}"


def read_segments(files: str) -> str:
    """Parquet files of a stream: a column that some of them are too old for is NULL in those."""
    return f"read_parquet({files}, union_by_name=true)"


def placeholder_name(stream: Stream) -> str:
    """The placeholder's file, another one whenever the stream's columns are others."""
    return f"empty-{zlib.crc32(repr(list(stream.columns.items())).encode()):08x}.parquet"


def placeholder(stream: Stream) -> str:
    """A query without rows in the shape of the stream's Parquet files: a pattern needs a match."""
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in stream.columns.items())
    return f"SELECT CAST(NULL AS BIGINT) AS seq, {columns} WHERE false"


def _stream_view(stream: Stream, published: Path) -> str:
    """A stream's rows: counted large files, counted small ones, and the newest version of each tail row."""
    root = _escaped(published / stream.name)
    names = ", ".join(stream.columns)
    parquet = ", ".join(f"CAST({n} AS JSON) AS {n}" if k == "JSON" else n for n, k in stream.columns.items())
    mark = _read_json(_literal(f"{root}/mark.json"), {"small": "BIGINT", "large": "BIGINT"}, lenient=False)
    tail = _lines_source(stream, _literal(f"{root}/tail/*.jsonl"), lenient=True)
    large, small = (read_segments(_literal(f"{root}/{level}/*.parquet")) for level in ("large", "small"))
    return f"""
WITH mark AS MATERIALIZED (SELECT small, large FROM {mark})
SELECT {parquet} FROM {large} WHERE seq <= (SELECT large FROM mark)
UNION ALL
SELECT {parquet} FROM {small} WHERE seq > (SELECT large FROM mark) AND seq <= (SELECT small FROM mark)
UNION ALL
SELECT {names} FROM (
    SELECT {_typed(stream.columns)} FROM {tail} WHERE seq > (SELECT small FROM mark)
    QUALIFY row_number() OVER (PARTITION BY seq ORDER BY rev DESC) = 1)"""


def _messages_view(published: Path) -> str:
    """The messages; those published before any could be pinned are not."""
    found = _stream_view(STREAMS["messages"], published)
    return f"SELECT * REPLACE (coalesce(pinned, false) AS pinned) FROM ({found})"


_CONVERSATIONS = f"""
SELECT h.id, h.title, h.created_at,
    greatest(h.changed_at, coalesce(m.latest, h.changed_at), coalesce(u.latest, h.changed_at)) AS updated_at,
    h.model, coalesce(m.message_count, 0) AS message_count, CAST(u.total_cost AS {MONEY}) AS total_cost,
    h.leaf_id, coalesce(CAST(h.tags AS VARCHAR[]), []) AS tags
FROM conversation_heads h
LEFT JOIN (SELECT conversation_id, count(*) AS message_count, max(ts) AS latest FROM messages GROUP BY ALL) m
    ON m.conversation_id = h.id
LEFT JOIN (SELECT conversation_id, sum(cost) AS total_cost, max(ts) AS latest FROM usage GROUP BY ALL) u
    ON u.conversation_id = h.id"""

_SUMS = f"""count(*) AS requests,
    sum(input_tokens)::BIGINT AS input_tokens, sum(output_tokens)::BIGINT AS output_tokens,
    sum(cache_read_tokens)::BIGINT AS cache_read_tokens, sum(cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(reasoning_tokens)::BIGINT AS reasoning_tokens,
    CAST(sum(cost) AS {MONEY}) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced_requests"""

_SPEND = {
    "spend_by_day": f"SELECT day, {_SUMS} FROM usage GROUP BY day ORDER BY day",
    "spend_by_model": f"SELECT provider, model, {_SUMS}, min(ts) AS first_used, max(ts) AS last_used"
    " FROM usage GROUP BY provider, model ORDER BY cost DESC NULLS LAST, provider, model",
    "spend_by_conversation": "SELECT s.conversation_id, h.title, s.* EXCLUDE (conversation_id)"
    f" FROM (SELECT conversation_id, {_SUMS}, max(ts) AS last_used FROM usage"
    " WHERE conversation_id IS NOT NULL GROUP BY conversation_id) s"
    " LEFT JOIN conversation_heads h ON h.id = s.conversation_id ORDER BY s.cost DESC NULLS LAST, s.conversation_id",
    "spend_by_plugin": f"SELECT plugin, {_SUMS}, max(ts) AS last_used"
    " FROM usage WHERE plugin IS NOT NULL GROUP BY plugin ORDER BY cost DESC NULLS LAST, plugin",
}

_DISCREPANCIES = {
    "discrepancies_by_model": f"""SELECT provider, model, count(*) AS requests,
    count(*) FILTER (WHERE verification = 'verified') AS verified,
    count(*) FILTER (WHERE verification = 'discrepancy') AS discrepancies,
    count(*) FILTER (WHERE verification = 'unable') AS unable,
    count(*) FILTER (WHERE verification = 'pending') AS pending,
    arg_max(discrepancy_percent, abs(discrepancy_percent)) FILTER (WHERE verification = 'discrepancy')
        AS largest_percent,
    (sum(output_tokens - coalesce(reasoning_tokens, 0) - counted_output_tokens)
        FILTER (WHERE verification = 'discrepancy'))::BIGINT AS output_tokens_too_many,
    CAST(sum(cost) FILTER (WHERE verification = 'discrepancy') AS {MONEY}) AS cost,
    max(ts) FILTER (WHERE verification = 'discrepancy') AS last_seen
FROM usage GROUP BY provider, model ORDER BY discrepancies DESC, provider, model""",
}

_ANSWERS = """
WITH told AS (
    SELECT m.request_id, q.content AS prompt, m.content AS answer, CAST(NULL AS VARCHAR) AS job,
        CAST(NULL AS BIGINT) AS row, CAST(NULL AS JSON) AS parsed, CAST(NULL AS VARCHAR) AS error
    FROM messages m LEFT JOIN messages q ON q.id = m.parent_id AND q.role = 'user'
    WHERE m.role = 'assistant' AND m.request_id IS NOT NULL
    UNION ALL
    SELECT r.request_id, r.prompt, r.answer, j.name, r.row, r.parsed, r.error
    FROM map_rows r LEFT JOIN map_jobs j ON j.id = r.job_id WHERE r.request_id IS NOT NULL)
SELECT u.request_id, u.ts, u.day, u.kind, u.provider || '/' || u.model AS model, t.prompt, t.answer, t.parsed,
    u.status, coalesce(t.error, u.error) AS error, u.cost, u.first_token_ms, u.duration_ms, u.input_tokens,
    u.output_tokens, t.job, t.row, u.conversation_id
FROM told t JOIN usage u ON u.request_id = t.request_id"""

_PLUGINS = {
    # A call the user refused never ran, so it has no duration.
    "plugin_use": """SELECT CAST(ts AS DATE) AS day, plugin, tool, count(*) AS calls,
    count(*) FILTER (WHERE status = 'error') AS errors, count(*) FILTER (WHERE status = 'refused') AS refused,
    count(*) FILTER (WHERE status = 'timeout') AS timeouts,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    quantile_disc(duration_ms, 0.5) FILTER (WHERE status <> 'refused') AS p50_duration_ms,
    quantile_disc(duration_ms, 0.95) FILTER (WHERE status <> 'refused') AS p95_duration_ms,
    sum(input_bytes)::BIGINT AS input_bytes, sum(output_bytes)::BIGINT AS output_bytes
FROM tool_calls GROUP BY ALL ORDER BY day, plugin, tool""",
    # A run without an end is under way, or its kernel was killed: nobody knows how long it lasted.
    "plugin_uptime": """SELECT plugin, count(*) AS runs, count(*) FILTER (WHERE ended_at IS NULL) AS without_end,
    count(*) FILTER (WHERE reason IN ('crashed', 'failed')) AS failures,
    CAST(coalesce(sum(greatest(epoch_ms(ended_at) - epoch_ms(started_at), 0)), 0) / 1000 AS DECIMAL(18,3))
        AS uptime_seconds,
    min(started_at) AS first_started, max(started_at) AS last_started, max(ended_at) AS last_ended,
    arg_max(reason, ended_at) AS last_reason
FROM plugin_runs GROUP BY plugin ORDER BY plugin""",
}


def _limits_view(published: Path) -> str:
    columns = {
        "limit": "VARCHAR",
        "scope": "VARCHAR",
        "period": "VARCHAR",
        "amount": "VARCHAR",
        "used": "VARCHAR",
        "resets_at": "VARCHAR",
        "holds": "STRUCT(amount VARCHAR, lapses_at VARCHAR)[]",
    }
    found = _read_json(source(published / "limits.jsonl"), columns, lenient=False)
    return f"""
WITH snapshot AS (
    SELECT "limit", scope, period, CAST(amount AS {MONEY}) AS amount, CAST(used AS {MONEY}) AS used, holds,
        CAST(resets_at AS TIMESTAMPTZ) AS resets_at,
        coalesce(CAST(resets_at AS TIMESTAMPTZ) <= now(), false) AS is_over
    FROM {found}),
standing AS (
    SELECT * REPLACE (
        CASE WHEN is_over THEN 0 ELSE used END AS used,
        CASE WHEN is_over THEN NULL ELSE resets_at END AS resets_at,
        CASE WHEN is_over THEN 0 ELSE coalesce(list_sum(list_transform(
            list_filter(holds, lambda h: CAST(h.lapses_at AS TIMESTAMPTZ) > now()),
            lambda h: CAST(h.amount AS {MONEY}))), 0) END AS holds)
    FROM snapshot)
SELECT "limit", amount, CAST(used AS {MONEY}) AS used, CAST(holds AS {MONEY}) AS held,
    CAST(greatest(amount - used - holds, 0) AS {MONEY}) AS remaining, resets_at, scope, period
FROM standing"""


def _prices_view(published: Path) -> str:
    columns = {
        "provider": "VARCHAR",
        "model": "VARCHAR",
        "unit_prices": "JSON",
        "effective_from": "TIMESTAMPTZ",
        "known_at": "TIMESTAMPTZ",
        "source": "VARCHAR",
    }
    wire = {name: _wire_type(kind) for name, kind in columns.items()}
    found = _read_json(source(published / "prices.jsonl"), wire, lenient=False)
    per_million = ", ".join(
        f"TRY_CAST(unit_prices->>'{name}' AS {MONEY}) AS {name}"
        for name in ("input", "output", "cache_read", "cache_write")
    )
    return f"SELECT *, {per_million} FROM (SELECT {_typed(columns)} FROM {found})"


def view_script(published: Path) -> str:
    """The statements that make all views over a ledger's published folder."""
    views = {
        "usage": _stream_view(STREAMS["usage"], published),
        "conversation_heads": _stream_view(STREAMS["conversations"], published),
        "messages": _messages_view(published),
        "tool_calls": _stream_view(STREAMS["tool_calls"], published),
        "plugin_runs": _stream_view(STREAMS["plugin_runs"], published),
        "key_access": _stream_view(STREAMS["key_access"], published),
        "map_jobs": _stream_view(STREAMS["map_jobs"], published),
        "map_rows": _stream_view(STREAMS["map_rows"], published),
        "prices": _prices_view(published),
        "limits": _limits_view(published),
        "conversations": _CONVERSATIONS,
        "answers": _ANSWERS,
        **_SPEND,
        **_DISCREPANCIES,
        **_PLUGINS,
    }
    return "\n".join(f"CREATE OR REPLACE VIEW {name} AS {query};" for name, query in views.items())
