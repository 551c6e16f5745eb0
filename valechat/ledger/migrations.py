"""The schema of the SQLite file, as steps that are only ever added to.

`PRAGMA user_version` counts the steps a file has taken. A step that was released is never edited.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from valechat.errors import LedgerTooNew
from valechat.ledger.faults import damaged

__all__ = ["APPLICATION_ID", "MIGRATIONS", "migrate"]

APPLICATION_ID = 0x5643_4C47
"""Tells SQLite's own tools, and us, that a file is a ledger ("VCLG")."""

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "first tables",
        (
            """CREATE TABLE migrations (
                name TEXT PRIMARY KEY,
                applied_at TEXT NOT NULL)""",
            """CREATE TABLE usage (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                request_id TEXT NOT NULL UNIQUE,
                ts TEXT NOT NULL,
                day TEXT NOT NULL,
                billing_period TEXT NOT NULL,
                provider TEXT NOT NULL,
                model TEXT NOT NULL,
                kind TEXT NOT NULL,
                conversation_id TEXT,
                message_id TEXT,
                input_tokens INTEGER,
                output_tokens INTEGER,
                cache_read_tokens INTEGER,
                cache_write_tokens INTEGER,
                reasoning_tokens INTEGER,
                details TEXT NOT NULL,
                cost TEXT,
                cost_source TEXT NOT NULL,
                status TEXT NOT NULL,
                error TEXT,
                first_token_ms INTEGER,
                duration_ms INTEGER,
                unit_prices TEXT NOT NULL,
                verification TEXT NOT NULL,
                verification_reason TEXT,
                counted_input_tokens INTEGER,
                counted_output_tokens INTEGER,
                discrepancy_percent TEXT)""",
            "CREATE INDEX usage_by_conversation ON usage (conversation_id) WHERE conversation_id IS NOT NULL",
            """CREATE TABLE conversations (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                title TEXT NOT NULL,
                created_at TEXT NOT NULL,
                updated_at TEXT NOT NULL,
                model TEXT NOT NULL,
                total_cost TEXT)""",
            "CREATE INDEX conversations_by_update ON conversations (updated_at)",
            "CREATE TABLE deleted_conversations (id TEXT PRIMARY KEY) WITHOUT ROWID",
            """CREATE TABLE messages (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                conversation_id TEXT NOT NULL,
                parent_id TEXT,
                role TEXT NOT NULL,
                text TEXT NOT NULL,
                body TEXT NOT NULL,
                ts TEXT NOT NULL,
                model TEXT,
                request_id TEXT,
                status TEXT NOT NULL)""",
            "CREATE INDEX messages_by_conversation ON messages (conversation_id)",
            """CREATE VIRTUAL TABLE messages_search USING fts5(
                text, content='messages', content_rowid='seq', tokenize='unicode61 remove_diacritics 2')""",
            """CREATE TRIGGER messages_added AFTER INSERT ON messages BEGIN
                INSERT INTO messages_search(rowid, text) VALUES (new.seq, new.text);
            END""",
            """CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN
                INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.seq, old.text);
            END""",
            """CREATE TRIGGER messages_changed AFTER UPDATE OF text ON messages BEGIN
                INSERT INTO messages_search(messages_search, rowid, text) VALUES ('delete', old.seq, old.text);
                INSERT INTO messages_search(rowid, text) VALUES (new.seq, new.text);
            END""",
            """CREATE TABLE tool_calls (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                message_id TEXT,
                plugin TEXT NOT NULL,
                tool TEXT NOT NULL,
                status TEXT NOT NULL,
                duration_ms INTEGER NOT NULL,
                input_bytes INTEGER NOT NULL,
                output_bytes INTEGER NOT NULL,
                ts TEXT NOT NULL)""",
            """CREATE TABLE key_access (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                ts TEXT NOT NULL,
                key TEXT NOT NULL,
                source TEXT NOT NULL,
                purpose TEXT NOT NULL)""",
            """CREATE TABLE buckets (
                scope TEXT NOT NULL,
                period TEXT NOT NULL,
                used TEXT NOT NULL DEFAULT '0',
                held TEXT NOT NULL DEFAULT '0',
                PRIMARY KEY (scope, period)) WITHOUT ROWID""",
            """CREATE TABLE holds (
                request_id TEXT PRIMARY KEY,
                amount TEXT NOT NULL,
                lapses_at TEXT NOT NULL,
                host TEXT NOT NULL,
                pid INTEGER NOT NULL,
                started TEXT NOT NULL) WITHOUT ROWID""",
            "CREATE INDEX holds_by_lapse ON holds (lapses_at)",
            """CREATE TABLE hold_buckets (
                request_id TEXT NOT NULL,
                scope TEXT NOT NULL,
                period TEXT NOT NULL,
                PRIMARY KEY (request_id, scope, period)) WITHOUT ROWID""",
            """CREATE TABLE ceilings (
                noted INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL,
                scope TEXT NOT NULL,
                period TEXT NOT NULL,
                amount TEXT NOT NULL,
                resets_at TEXT,
                UNIQUE (name, scope))""",
            """CREATE TABLE prices (
                digest TEXT NOT NULL,
                rows TEXT NOT NULL)""",
            """CREATE TABLE publication (
                stream TEXT PRIMARY KEY,
                tail TEXT NOT NULL,
                tail_start INTEGER NOT NULL,
                tail_end INTEGER NOT NULL,
                pending TEXT NOT NULL,
                sealed INTEGER NOT NULL DEFAULT 0,
                small_mark INTEGER NOT NULL DEFAULT 0,
                large_mark INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
            """CREATE TABLE files (
                stream TEXT NOT NULL,
                kind TEXT NOT NULL,
                name TEXT NOT NULL,
                first INTEGER NOT NULL,
                last INTEGER NOT NULL,
                size INTEGER,
                written_at TEXT,
                retired_at TEXT,
                PRIMARY KEY (stream, kind, name)) WITHOUT ROWID""",
            """CREATE TABLE dirty (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                stream TEXT NOT NULL,
                seq INTEGER NOT NULL)""",
        ),
    ),
    (
        "plugins",
        (
            "ALTER TABLE usage ADD COLUMN plugin TEXT",
            """CREATE TABLE plugin_runs (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                plugin TEXT NOT NULL,
                started_at TEXT NOT NULL,
                ended_at TEXT,
                reason TEXT)""",
        ),
    ),
    (
        "branches",
        (
            "ALTER TABLE conversations ADD COLUMN leaf_id TEXT",
            "ALTER TABLE conversations ADD COLUMN tags TEXT DEFAULT '[]'",
            "ALTER TABLE messages ADD COLUMN pinned INTEGER DEFAULT 0",
            # Until now a conversation was one path in the order stored, whatever two kernels noted as parents.
            "CREATE TEMP TABLE relinked (seq INTEGER PRIMARY KEY, parent_id TEXT)",
            """INSERT INTO relinked SELECT seq, before FROM (
                SELECT seq, parent_id, lag(id) OVER (PARTITION BY conversation_id ORDER BY seq) AS before
                FROM messages) WHERE parent_id IS NOT before""",
            """UPDATE messages SET rev = rev + 1,
                parent_id = (SELECT r.parent_id FROM relinked r WHERE r.seq = messages.seq)
                WHERE seq IN (SELECT seq FROM relinked)""",
            "INSERT INTO dirty (stream, seq) SELECT 'messages', seq FROM relinked",
            # A tail of no known size is written anew at once.
            """UPDATE publication SET tail_start = -1, tail_end = -1, pending = '[]'
                WHERE stream = 'messages' AND EXISTS (SELECT 1 FROM relinked)""",
            "DROP TABLE relinked",
        ),
    ),
    (
        "jobs",
        (
            """CREATE TABLE map_jobs (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                model TEXT NOT NULL,
                prompt TEXT NOT NULL,
                mode TEXT NOT NULL,
                settings TEXT NOT NULL,
                status TEXT NOT NULL,
                note TEXT NOT NULL,
                rows INTEGER,
                created_at TEXT NOT NULL,
                updated_at TEXT NOT NULL)""",
            """CREATE TABLE map_rows (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                rev INTEGER NOT NULL DEFAULT 0,
                id TEXT NOT NULL UNIQUE,
                job_id TEXT NOT NULL,
                row INTEGER NOT NULL,
                digest TEXT NOT NULL,
                prompt TEXT NOT NULL,
                answer TEXT,
                parsed TEXT,
                status TEXT NOT NULL,
                error TEXT,
                model TEXT NOT NULL,
                request_id TEXT,
                cost TEXT,
                ts TEXT NOT NULL,
                source TEXT)""",
            "CREATE INDEX map_rows_by_place ON map_rows (job_id, row)",
            "CREATE INDEX map_rows_by_digest ON map_rows (job_id, digest)",
            """CREATE TABLE map_batches (
                id TEXT PRIMARY KEY,
                job_id TEXT NOT NULL,
                created_at TEXT NOT NULL,
                body TEXT NOT NULL) WITHOUT ROWID""",
            """CREATE TABLE map_claims (
                job_id TEXT PRIMARY KEY,
                until TEXT NOT NULL,
                host TEXT NOT NULL,
                pid INTEGER NOT NULL,
                started TEXT NOT NULL) WITHOUT ROWID""",
        ),
    ),
)


def migrate(db: sqlite3.Connection, path: Path, now: str) -> bool:
    """Bring a file to the newest schema, in one transaction; whether anything was done.

    Raises:
        LedgerTooNew: The file has taken steps this version does not know.
        LedgerDamaged: The file is a database, but not a ledger.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise LedgerTooNew(
            f"The ledger {path} was written by a newer ValeChat (schema {version}, this one knows {len(MIGRATIONS)}).",
            fix="Upgrade with `pip install --upgrade valechat`.",
        )
    if version == len(MIGRATIONS):
        return False
    application = int(db.execute("PRAGMA application_id").fetchone()[0])
    foreign = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] and application != APPLICATION_ID
    if foreign:
        raise damaged(path, "it is a database of another program")
    db.execute("BEGIN IMMEDIATE")
    try:
        for name, statements in MIGRATIONS[version:]:
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO migrations (name, applied_at) VALUES (?, ?)", (name, now))
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return True
