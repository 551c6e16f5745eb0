"""How the stored ledgers of earlier schemas were made: run in a checkout of the version that is stored.

    python -m tests.ledger.old.fill FOLDER NAME

It writes NAME.tar.xz: the ledger's folder with large, small and tail files, and `said.json`, what that
version's own views and methods say of it. Where a name has moved since, it is as in the newest version.
"""

from __future__ import annotations

import json
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

from tests.ledger.samples import Clock, message
from valechat.ledger.base import (
    Bucket,
    Ceiling,
    Conversation,
    Hold,
    RequestStatus,
    StoredMessage,
    ToolCallRow,
    UsageRow,
    Verification,
)
from valechat.ledger.pace import Pace
from valechat.ledger.sqlite import SqliteLedger
from valechat.messages import ImagePart, Message, TextPart, ToolCallPart, ToolResultPart, to_json
from valechat.usage import Usage

FAR = datetime(2126, 1, 1, tzinfo=UTC)
EVER = Ceiling("total", Bucket("all", ""), Decimal(100))
MONTH = Ceiling("monthly", Bucket("all", "2126-01", FAR), Decimal("50.00"))
MODEL = Ceiling("model:mylab/scripted:total", Bucket("model:mylab/scripted", ""), Decimal(20))
CEILINGS = (EVER, MONTH, MODEL)
BUCKETS = tuple(ceiling.bucket for ceiling in CEILINGS)

STATUSES: tuple[RequestStatus, ...] = ("complete", "complete", "cancelled", "failed", "limit")
QUERIES = {
    "usage": "FROM usage ORDER BY request_id",
    "messages": "FROM messages ORDER BY id",
    "tool_calls": "FROM tool_calls ORDER BY id",
    "key_access": "FROM key_access ORDER BY ts",
    "prices": "FROM prices ORDER BY provider, model",
    "limits": 'FROM limits ORDER BY "limit"',
    "conversations": "FROM conversations ORDER BY id",
    "spend_by_day": "FROM spend_by_day ORDER BY day",
    "spend_by_model": "FROM spend_by_model ORDER BY provider, model",
    "spend_by_conversation": "FROM spend_by_conversation ORDER BY conversation_id",
}


def fill(ledger: SqliteLedger, clock: Clock) -> None:
    """Sixty requests with everything that a row can have."""
    start = clock.now
    for n in range(4):
        ledger.start_conversation(Conversation(f"c{n}", f"Größe {n} ✓", start, start, "mylab/scripted"))
    for n in range(60):
        at = start + timedelta(hours=7 * n)
        request = f"r{n:03d}"
        cost = None if n % 11 == 5 else Decimal(n + 1) * Decimal("0.00012345678901234567")
        ledger.reserve(Hold(request, Decimal("0.05"), BUCKETS, CEILINGS, FAR))
        row = UsageRow(
            request_id=request,
            ts=at,
            day=at.date().isoformat(),
            billing_period=f"{at:%Y-%m}",
            provider="mylab" if n % 3 else "openai",
            model="scripted" if n % 3 else "gpt-5-mini",
            kind="map" if n % 7 == 0 else "chat",
            usage=Usage(10 * n, n, n or None, None, 2, {"service_tier": "default"}),
            cost=cost,
            cost_source="unpriced" if cost is None else "priced",
            status=STATUSES[n % 5],
            conversation_id=f"c{n % 4}",
            message_id=f"a{n}",
            first_token_ms=n,
            duration_ms=10 * n,
            unit_prices={"input": "1.25", "output": "10"},
            error="unreachable: no answer" if n % 5 == 3 else None,
        )
        tool = Message("assistant", (TextPart(f"Antwort {n}"), ToolCallPart(f"t{n}", "log", '{"n": 1}')))
        result = Message("tool", (ToolResultPart(f"t{n}", "log", f"Ergebnis {n}"),))
        ledger.settle(
            row,
            BUCKETS,
            [
                message(f"q{n}", f"Frage {n} naïve", conversation_id=f"c{n % 4}", ts=at),
                message(f"a{n}", "", conversation_id=f"c{n % 4}", ts=at, message=tool, parent_id=f"q{n}"),
                message(f"t{n}", "", conversation_id=f"c{n % 4}", ts=at, message=result, parent_id=f"a{n}"),
            ],
        )
        ledger.add_tool_call(ToolCallRow(f"t{n}", f"a{n}", "git", "log", "error" if n % 9 == 0 else "ok", n, 9, 99, at))
        ledger.add_key_access(key="openai", source="keychain", purpose="chat", at=at)
        if n % 2:
            ledger.verify(request, Verification("discrepancy", None, 10 * n, 2 * n, Decimal("-12.5")))
        ledger.tend()
        clock.advance(minutes=11 if n % 10 == 0 else 0)
    picture = Message("user", (TextPart("look"), ImagePart(b"PNG", "image/png")))
    ledger.add_messages([message("p1", "", conversation_id="c1", message=picture)])
    ledger.delete_conversation("c3")
    ledger.reserve(Hold("under-way", Decimal("1.5"), BUCKETS, CEILINGS, FAR))
    ledger.set_prices([{"provider": "openai", "model": "gpt-5-mini", "unit_prices": {"input": Decimal("0.25")}}])


def said(ledger: Any) -> dict[str, Any]:
    """What a ledger says of itself, as plain JSON: each view's rows by column, and what the methods give."""
    found: dict[str, Any] = {}
    # What is due once it is opened is done first: a file that is exchanged while DuckDB reads it fails the query.
    ledger.connect().close()
    ledger.close()
    with ledger.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, query in QUERIES.items():
            result = connection.execute(query)
            columns = [column[0] for column in result.description]
            found[name] = [dict(zip(columns, map(_plain, row), strict=True)) for row in result.fetchall()]
    found["states"] = [
        [state.limit, str(state.used), str(state.held), str(state.remaining), str(state.resets_at)]
        for state in ledger.limit_states(CEILINGS)
    ]
    found["heads"] = [
        [head.id, head.title, str(head.updated_at), head.message_count, str(head.total_cost)]
        for head in ledger.conversations()
    ]
    found["found"] = [head.id for head in ledger.conversations(search="naive 17")]
    found["talk"] = {f"c{n}": [_stored(stored) for stored in ledger.messages(f"c{n}")] for n in range(4)}
    found["requests"] = {
        row.request_id: [str(row.cost), str(row.ts), row.usage.input_tokens, dict(row.usage.details), row.error]
        for row in ledger.usage_of([f"r{n:03d}" for n in range(60)])
    }
    return found


def _stored(stored: StoredMessage) -> list[Any]:
    return [stored.id, stored.parent_id, str(stored.ts), stored.status, to_json(stored.message)]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else str(value)


def main(folder: Path, name: str) -> None:
    """Make the file of a version."""
    clock = Clock()
    ledger = SqliteLedger(folder / "ledger", clock=clock, pace=Pace(seal_rows=10, lag_rows=2, merge_rows=30))
    with mock.patch("valechat.ledger.processes.machine", return_value="another-machine"):
        fill(ledger, clock)
    text = json.dumps(said(ledger), ensure_ascii=False)
    (folder / "ledger" / "said.json").write_text(text, encoding="utf-8")
    ledger.close()
    with tarfile.open(folder / f"{name}.tar.xz", "w:xz") as archive:
        for path in sorted((folder / "ledger").rglob("*")):
            if path.suffix in {".sqlite3", ".parquet", ".jsonl", ".json"}:
                archive.add(path, path.relative_to(folder / "ledger").as_posix(), filter=_without_owner)


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
