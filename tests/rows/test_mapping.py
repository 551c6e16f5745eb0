"""One prompt for each row: answers beside their rows, money, stops, and going on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import valechat
from tests.rows.conftest import configure
from tests.rows.modelserver import ModelServer
from valechat import watching
from valechat.errors import ConfigError, ConfirmationRequired, LimitReached
from valechat.rows.clerk import MOST_WAITING
from valechat.services import services

EACH = Decimal("0.00012")
"""100 tokens in and 10 out, at $1 and $2 a million."""

WORDS = ["one", "two", "three"]


@dataclass
class Label:
    topic: Literal["fish", "bird"]
    score: int


def say(data: Any, prompt: Any = "Say {text}", **how: Any) -> Any:
    return valechat.map_sync(data, prompt, **{"max_tokens": 100, **how})


class Watching:
    """A front end that notes the progress it is shown."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.looks: list[int] = []

    def look(self, progress: watching.Progress) -> None:
        self.looks.append(progress.finished)

    def end(self, progress: watching.Progress) -> None:
        self.ends.append(watching.line(progress))


@pytest.fixture(autouse=True)
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watching:
    found = Watching()
    monkeypatch.setattr(watching, "_maker", lambda: found)
    return found


FRAMES: Mapping[str, tuple[Callable[[], Any], Callable[[Any], list[dict[str, Any]]]]] = {
    "pandas": (lambda: pd.DataFrame({"text": WORDS}, index=[7, 8, 9]), lambda t: t.to_dict("records")),
    "polars": (lambda: pl.DataFrame({"text": WORDS}), lambda t: t.to_dicts()),
    "arrow": (lambda: pa.table({"text": WORDS}), lambda t: t.to_pylist()),
    "duckdb": (
        lambda: duckdb.sql("SELECT unnest(['one', 'two', 'three']) AS text"),
        lambda t: pa.table(t).to_pylist(),
    ),
    "mappings": (lambda: [{"text": word} for word in WORDS], list),
    "texts": (lambda: WORDS, list),
    "iterator": (lambda: iter(WORDS), list),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_answers_stand_beside_their_rows_in_the_kind_of_table_that_came(server: ModelServer, kind: str) -> None:
    make, records = FRAMES[kind]
    given = make()
    table = say(given).table
    if kind not in ("mappings", "texts", "iterator"):
        assert type(table) is type(given)
    found = records(table)
    assert [(row["text"], row["answer"], row["status"]) for row in found] == [
        (word, f"Answer to Say {word}", "complete") for word in WORDS
    ]
    assert [row["cost"] for row in found] == [EACH] * 3


def test_each_field_of_the_form_is_a_column(server: ModelServer) -> None:
    server.answer = lambda prompt: '{"topic": "fish", "score": 3}' if "tuna" in prompt else "I do not know."
    rows = say(pd.DataFrame({"text": ["tuna", "?"], "status": ["new", "old"]}), schema=Label)
    table = rows.table
    assert list(table.columns) == [
        "text", "status", "topic", "score", "map_status", "error", "cost", "request_id", "model",
    ]  # fmt: skip
    assert table["topic"].tolist()[0] == "fish"
    assert table["map_status"].tolist() == ["complete", "invalid"]
    assert rows.invalid == 1
    assert say(pd.DataFrame({"text": ["tuna", "?"]}), schema=Label).table["score"][0] == 3
    assert server.answers == 2


def test_braces_follow_the_rule_of_the_magics(server: ModelServer) -> None:
    say([{"a": 1.5, "b c": "x"}], 'As {"a": {a:.2f}} {{a}} {row["b c"]} {}')
    assert server.bodies[-1]["messages"][-1]["content"] == 'As {"a": 1.50} {a} x {}'


def test_an_unknown_column_is_said_before_anything_is_sent(server: ModelServer) -> None:
    with pytest.raises(ConfigError, match=r"\{txt\}.*Did you mean \{text\}"):
        say(WORDS, "Say {txt}")
    assert not server.bodies


def test_what_cannot_be_meant_is_refused_before_anything_is_sent(server: ModelServer) -> None:
    with pytest.raises(TypeError, match=r"takes no keyword 'max_cots'. Did you mean 'max_cost'\?"):
        say(WORDS, max_cots="3.00")
    for how in ({"max_cost": "cheap"}, {"max_cost": "-1"}, {"concurrency": 0}):
        with pytest.raises(ConfigError, match=next(iter(how))):
            say(WORDS, **how)
    assert not server.bodies
    assert valechat.jobs() == []


def test_a_function_makes_prompts_and_its_failure_is_its_rows(server: ModelServer) -> None:
    rows = say([{"n": 1}, {"n": 0}], lambda row: f"Tell {2 // row['n']}")
    assert [row["answer"] for row in rows.table] == ["Answer to Tell 2", None]
    assert "ZeroDivisionError" in rows.table[1]["error"]


def test_an_images_column_is_sent_as_images(server: ModelServer) -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"0" * 20
    say([{"text": "look", "photo": png}, {"text": "blind", "photo": None}], images="photo")
    kinds = sorted(str(type(body["messages"][-1]["content"]).__name__) for body in server.bodies)
    assert kinds == ["list", "str"]


def test_a_rows_error_leaves_the_others_alone(server: ModelServer) -> None:
    rows = say(["one", "reject", "two"], "{text}")
    assert [row["status"] for row in rows.table] == ["complete", "failed", "complete"]
    assert rows.table[1]["error"].startswith("RequestRejected")
    assert rows.cost == 2 * EACH


def test_a_server_that_rejects_everything_is_not_asked_for_all_rows(server: ModelServer) -> None:
    rows = say(["reject"] * 100, "{text} {row}", concurrency=2)
    assert rows.status == "failed"
    assert rows.failed < 30


def test_the_same_call_again_asks_only_what_is_new(server: ModelServer) -> None:
    say(WORDS)
    rows = say([*WORDS, "four"])
    assert (server.answers, rows.done, rows.cost) == (4, 4, 4 * EACH)
    say(["one", "changed", "three", "four"])
    assert server.answers == 5


def test_a_named_job_goes_on_with_other_words_and_asks_what_changed(server: ModelServer) -> None:
    first = say(WORDS, name="mine")
    second = say(WORDS, "Tell {text}", name="mine")
    assert first.id == second.id
    assert second.table[0]["answer"] == "Answer to Tell one"


def test_equal_prompts_are_asked_once_if_wanted(server: ModelServer) -> None:
    rows = say(["same"] * 20 + ["other"], deduplicate=True)
    assert (server.answers, rows.done, rows.cost) == (2, 21, 2 * EACH)
    assert {row["answer"] for row in rows.table[:20]} == {"Answer to Say same"}


def test_an_endless_input_is_read_no_further_than_it_is_asked(server: ModelServer, home: Path) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield f"t{read}"

    rows = say(endless(), max_cost=10 * EACH)
    assert rows.status == "limit"
    assert read < 1000


def test_a_dry_run_sends_nothing_and_says_what_it_rests_on(server: ModelServer) -> None:
    rows = say([f"t{n}" for n in range(1000)], dry_run=True)
    found = rows.estimate
    assert found is not None
    assert found.rows == 1000
    assert found.likely < found.worst
    assert "200 of 1,000 rows" in found.basis
    assert (rows.status, server.bodies) == ("estimated", [])


def test_the_users_agreement_is_asked_once_for_the_whole_job(server: ModelServer, home: Path) -> None:
    configure(home, server.url, '[limits]\nconfirm_above = "0.001"\n')
    with pytest.raises(ConfirmationRequired, match="All together"):
        say([str(n) for n in range(50)])
    assert not server.bodies
    assert say([str(n) for n in range(50)], confirmed=True).done == 50


def test_what_a_job_may_cost_stops_it_with_all_finished_rows_kept(server: ModelServer, watcher: Watching) -> None:
    rows = say([f"t{n}" for n in range(200)], max_cost="0.003")
    assert rows.status == "limit"
    assert "max_cost" in rows.note
    assert Decimal("0.002") < rows.cost <= Decimal("0.003")
    assert rows.cost == rows.done * EACH == server.answers * EACH
    assert [row["status"] for row in rows.table].count("waiting") == 200 - rows.done
    assert "max_cost" in watcher.ends[-1]
    assert say([f"t{n}" for n in range(200)], max_cost="1").done == 200
    assert server.answers == 200


def test_a_limit_near_the_last_rows_ends_it_too(server: ModelServer) -> None:
    rows = say([f"t{n}" for n in range(20)], max_cost=18 * EACH, concurrency=8)
    assert rows.status == "limit"


def test_a_limit_of_the_ledger_holds_to_the_digit(server: ModelServer, home: Path) -> None:
    configure(home, server.url, '[limits]\ndaily = "0.004"\n')
    rows = say([f"t{n}" for n in range(200)])
    state = valechat.limits.remaining()[0]
    assert (rows.status, state.held) == ("limit", Decimal(0))
    assert state.used == rows.cost <= Decimal("0.004")
    assert "daily" in rows.note


def test_a_limit_with_no_room_for_one_row_is_raised(server: ModelServer, home: Path) -> None:
    configure(home, server.url, '[limits]\ndaily = "0.00001"\n')
    with pytest.raises(LimitReached):
        say(WORDS)


def test_faults_cost_no_row_and_pay_none_twice(server: ModelServer) -> None:
    server.faults = {"refuse": 0.03, "fail": 0.05, "cut": 0.03, "drop": 0.03}
    rows = say([f"t{n}" for n in range(400)], concurrency=32)
    assert max(server.completed.values()) == 1
    settled = valechat.sql("SELECT count(*) FROM usage WHERE status = 'complete'").fetchall()[0][0]
    assert server.answers == settled == rows.done
    assert rows.failed + rows.done == 400
    spent = valechat.sql("SELECT sum(cost) FROM usage").fetchall()[0][0]
    assert spent == rows.cost


def test_it_does_not_begin_with_all_at_once_and_never_runs_more_than_asked(server: ModelServer) -> None:
    server.seconds = 0.05
    say([f"t{n}" for n in range(60)], concurrency=6)
    assert 4 <= server.most_inside <= 6


def test_a_stop_keeps_what_is_finished_and_settles_what_is_under_way(server: ModelServer) -> None:
    say(WORDS)
    server.go_on.clear()
    server.arrived.clear()
    data = [*WORDS, *(f"t{n}" for n in range(20))]

    async def stopped() -> None:
        work = asyncio.ensure_future(valechat.map(data, "Say {text}", max_tokens=100))
        while not server.inside:
            await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.wait({work})
        assert work.cancelled()

    asyncio.run(stopped())
    (rows,) = valechat.jobs()
    assert (rows.status, rows.done) == ("stopped", 3)
    statuses = dict(valechat.sql("SELECT status, count(*) FROM usage GROUP BY ALL").fetchall())
    assert statuses["complete"] == 3
    assert statuses["cancelled"] >= 1
    assert valechat.sql("SELECT count(*) FROM usage WHERE cost IS NULL").fetchall() == [(0,)]
    server.go_on.set()
    assert say(data).done == 23


def test_the_stop_button_ends_a_waiting_cell(server: ModelServer) -> None:
    server.go_on.clear()

    def press() -> None:
        while not server.inside:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        say([f"t{n}" for n in range(20)])
    assert valechat.jobs()[0].status == "stopped"
    server.go_on.set()


def test_a_job_that_another_process_runs_is_not_begun(server: ModelServer) -> None:
    rows = say(WORDS)
    with mock.patch("os.getpid", return_value=1):
        assert services().ledger.jobs.claim(rows.id, datetime.now(UTC) + timedelta(minutes=1))
    with pytest.raises(ConfigError, match="another kernel"):
        say(WORDS)


KILLED = """
import sys, valechat
valechat.map_sync([f"t{n}" for n in range(200)], "Say {text}", max_tokens=100, concurrency=8)
"""


def test_after_a_kill_it_goes_on_where_it_was_and_pays_no_kept_row_twice(server: ModelServer) -> None:
    server.seconds = 0.05
    child = subprocess.Popen([sys.executable, "-c", KILLED], stderr=subprocess.DEVNULL)
    while not any(job.done for job in valechat.jobs()):
        assert child.poll() is None
        threading.Event().wait(0.01)
    child.kill()
    child.wait()
    server.seconds = 0.0
    (before,) = valechat.jobs()
    assert 0 < before.done < 200
    rows = say([f"t{n}" for n in range(200)])
    assert rows.done == 200
    # Only what was on its way, waited to be written or was being written when the process died is asked again.
    assert server.answers - 200 <= 8 + 2 * (MOST_WAITING + 8)
    assert rows.cost == 200 * EACH
    assert valechat.sql("SELECT count(*) FROM usage").fetchall() == [(200,)]


def test_every_answer_is_in_sql_with_prompt_model_cost_and_time(server: ModelServer) -> None:
    say(["one"])
    valechat.Chat().ask_sync("two", max_tokens=100)
    found = valechat.sql(
        "SELECT kind, model, prompt, answer, cost, duration_ms >= 0 FROM answers ORDER BY ts"
    ).fetchall()
    assert found == [
        ("map", "lab/scripted", "Say one", "Answer to Say one", EACH, True),
        ("chat", "lab/scripted", "two", "Answer to two", EACH, True),
    ]


def test_a_deleted_job_leaves_only_what_it_cost(server: ModelServer) -> None:
    say(WORDS).delete()
    assert valechat.jobs() == []
    assert valechat.sql("SELECT count(*) FROM map_rows").fetchall() == [(0,)]
    assert valechat.sql("SELECT count(*), sum(cost) FROM usage").fetchall() == [(3, 3 * EACH)]


def test_its_progress_is_shown_to_the_end(server: ModelServer, watcher: Watching) -> None:
    say(WORDS)
    assert watcher.ends == ["3 of 3 rows · $0.00036 · done"]


def test_a_limit_a_minute_makes_it_wait(server: ModelServer, home: Path) -> None:
    configure(home, server.url, "[limits.rate.lab]\nrequests_per_minute = 2\n")

    async def two() -> None:
        work = asyncio.ensure_future(valechat.map([str(n) for n in range(4)], "{text}", max_tokens=50))
        while server.answers < 2:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        work.cancel()
        await asyncio.wait({work})

    asyncio.run(two())
    assert server.answers == 2
