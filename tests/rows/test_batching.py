"""Rows handed to a provider's batch API, fetched later, at half the price."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import valechat
from tests.rows.batchserver import BatchServer
from tests.rows.conftest import configure
from valechat.engine import engine
from valechat.errors import ConfigError, LimitReached, ProviderError, RequestRejected, Unreachable
from valechat.ledger.base import Bucket, Ceiling, Hold, Retention
from valechat.rows import Rows, lost
from valechat.services import services

EACH = Decimal("0.00012")
NOTHING = Decimal(0)
LIMIT = '[limits]\ndaily = "1"\n'


def hand_over(count: int = 5, **how: Any) -> Rows:
    rows = [{"text": f"t{n}"} for n in range(count)]
    return valechat.map_sync(rows, "Say {text}", mode="batch", max_tokens=100, **how)


@pytest.fixture(params=["openai-compatible", "anthropic"])
def server(request: pytest.FixtureRequest, batch_server: BatchServer, home: Path) -> BatchServer:
    url = batch_server.url if request.param != "anthropic" else batch_server.url.removesuffix("/v1")
    configure(home, url, LIMIT, kind=request.param)
    return batch_server


def held() -> Decimal:
    return valechat.limits.remaining()[0].held


def restart() -> None:
    """As a new kernel finds it."""
    engine().close()


def test_a_batch_is_out_until_it_is_answered_and_then_each_row_has_its_answer(server: BatchServer) -> None:
    rows = hand_over()
    assert (rows.status, [row["status"] for row in rows.table]) == ("out", ["out"] * 5)
    assert held() > 0
    server.work()
    assert rows.refresh().status == "complete"
    assert [row["answer"] for row in rows.table] == [f"Answer to Say t{n}" for n in range(5)]
    assert (rows.cost, held()) == (5 * EACH, NOTHING)


def test_a_job_is_deleted_only_when_what_it_costs_is_known(server: BatchServer) -> None:
    rows = hand_over()
    with pytest.raises(ConfigError, match="5 rows of this job are with the provider"):
        rows.delete()
    server.work()
    rows.refresh().delete()
    assert valechat.jobs() == []
    assert (valechat.sql("SELECT sum(cost) FROM usage").fetchall(), held()) == ([(5 * EACH,)], NOTHING)


def test_a_job_with_a_batch_out_is_kept_however_old(server: BatchServer) -> None:
    rows = hand_over()
    services().ledger.jobs.change(rows.id, status="limit")
    services().ledger.prune(Retention(timedelta(0)))
    assert [job.id for job in valechat.jobs()] == [rows.id]
    server.work()
    rows.refresh()
    services().ledger.prune(Retention(timedelta(0)))
    assert valechat.jobs() == []


def test_it_is_found_again_after_a_restart_and_not_handed_over_twice(server: BatchServer) -> None:
    hand_over()
    restart()
    (rows,) = valechat.jobs()
    assert rows.status == "out"
    again = hand_over()
    assert len(server.batches) == 1
    server.work()
    restart()
    assert hand_over().done == again.done == 5
    assert len(server.batches) == 1


def test_what_expired_failed_or_was_rejected_costs_nothing_and_is_handed_over_again(server: BatchServer) -> None:
    rows = valechat.map_sync(["reject me", "a", "b"], "{text}", mode="batch", max_tokens=50)
    server.work(answered=2, status="expired")
    rows.refresh()
    assert [row["status"] for row in rows.table] == ["failed", "complete", "failed"]
    assert (rows.status, rows.cost, held()) == ("complete", EACH, NOTHING)
    assert valechat.map_sync(["reject me", "a", "b"], "{text}", mode="batch", max_tokens=50).status == "out"
    assert [len(lines) for lines in server.lines.values()] == [3, 2]


def test_a_cancelled_batch_keeps_what_was_answered(server: BatchServer) -> None:
    rows = hand_over(3).cancel()
    assert sorted(row["status"] for row in rows.table) == ["complete", "failed", "failed"]
    assert held() == 0


def test_a_batch_that_was_taken_though_its_answer_was_lost_is_found_again(server: BatchServer) -> None:
    server.lose_answers = True
    with pytest.raises(ProviderError):
        hand_over()
    server.lose_answers = False
    assert held() > 0
    server.work()
    rows = hand_over()
    assert (len(server.batches), rows.done, rows.status, held()) == (1, 5, "complete", NOTHING)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was handed over and is not listed will not be listed any more."""
    monkeypatch.setattr(lost, "SETTLING", timedelta(0))


def lose(server: BatchServer, fault: str, **how: Any) -> None:
    """Hand a batch over with no word whether it was taken."""
    setattr(server, fault, True)
    with pytest.raises(ProviderError, match="looks for the batch"):
        hand_over(**how)
    setattr(server, fault, False)


def test_a_batch_that_was_taken_is_not_handed_over_again_before_it_is_answered(
    server: BatchServer, settled: None
) -> None:
    lose(server, "lose_answers")
    rows = hand_over()
    assert (len(server.batches), rows.status, rows.done) == (1, "out", 0)
    assert held() > 0
    server.work()
    assert (hand_over().done, len(server.batches), held()) == (5, 1, NOTHING)


def test_it_is_found_on_a_later_page_behind_batches_of_other_jobs(server: BatchServer, settled: None) -> None:
    lose(server, "lose_answers")
    others = [hand_over(system=system) for system in ("briefly", "politely")]
    server.most_listed = 1
    server.work()
    assert (hand_over().done, len(server.batches)) == (5, 3)
    assert [rows.refresh().done for rows in others] == [5, 5]


def test_where_it_may_be_one_of_several_batches_each_row_is_still_paid_once(server: BatchServer, settled: None) -> None:
    lose(server, "lose_answers")
    lose(server, "lose_answers", system="briefly")
    for system in (None, "briefly"):
        assert hand_over(system=system).done == 0
    server.work()
    assert [hand_over(system=system).done for system in (None, "briefly")] == [5, 5]
    assert (len(server.batches), held()) == (2, NOTHING)


def test_a_batch_that_never_arrived_is_handed_over_again_once_that_is_sure(
    server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(system="another job of as many rows, in progress")
    lose(server, "never_arrives")
    rows = hand_over()
    assert (len(server.batches), rows.status) == (1, "out")
    assert "It lists no batch of theirs so far." in rows.note
    monkeypatch.setattr(lost, "SETTLING", timedelta(0))
    assert (hand_over().status, rows.note, len(server.batches)) == ("out", "", 2)


def test_somebody_elses_anthropic_batch_of_as_many_rows_is_waited_for(
    batch_server: BatchServer, home: Path, settled: None
) -> None:
    configure(home, batch_server.url.removesuffix("/v1"), LIMIT, kind="anthropic")
    lose(batch_server, "never_arrives")
    message = {"role": "user", "content": [{"type": "text", "text": "theirs"}]}
    theirs = batch_server.take([{"custom_id": f"their-{n}", "params": {"messages": [message]}} for n in range(5)])
    batch_server.take([{"custom_id": "one", "params": {"messages": [message]}}])
    rows = hand_over()
    assert (len(batch_server.batches), rows.status) == (2, "out")
    assert f"They may be in {theirs}, which says so only once it has ended, " in rows.note
    batch_server.work()
    assert (hand_over().status, rows.note, len(batch_server.batches)) == ("out", "", 3)


def test_a_cancelled_batch_whose_answer_was_lost_is_found_and_ended(batch_server: BatchServer, home: Path) -> None:
    configure(home, batch_server.url, LIMIT)
    lose(batch_server, "lose_answers")
    (rows,) = valechat.jobs()
    assert (rows.cancel().done, rows.failed, held()) == (1, 4, NOTHING)


def test_a_batch_that_could_not_be_sent_holds_nothing_and_waits_for_nothing(server: BatchServer, home: Path) -> None:
    config = home / "config.toml"
    settings = config.read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        config.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{taken.getsockname()[1]}", settings))
        with pytest.raises(Unreachable):
            hand_over()
    assert held() == 0
    config.write_text(settings)
    assert (hand_over().status, len(server.batches)) == ("out", 1)


def test_a_refused_batch_holds_nothing(server: BatchServer) -> None:
    server.refuse = True
    with pytest.raises(RequestRejected):
        hand_over()
    assert held() == 0


def test_a_batch_over_a_limit_is_not_handed_over(server: BatchServer) -> None:
    with pytest.raises(LimitReached):
        hand_over(max_cost="0.0001")
    assert not server.batches


def test_the_batch_price_is_half_where_the_table_has_one(batch_server: BatchServer, home: Path) -> None:
    configure(home, batch_server.url)
    text = home.joinpath("config.toml").read_text() + f'[providers.openai]\nbase_url = "{batch_server.url}"\n'
    home.joinpath("config.toml").write_text(text + 'api = "chat"\n')
    rows = hand_over(model="openai/gpt-4o-mini")
    batch_server.work()
    rows.refresh()
    assert rows.cost == 5 * Decimal("0.0000105")  # $0.15 and $0.60 a million, halved


def test_a_detached_hold_outlives_the_process_that_made_it(fresh_engine: None) -> None:
    ledger, bucket, far = services().ledger, Bucket("all", ""), datetime(2126, 1, 1, tzinfo=UTC)
    ceiling = Ceiling("total", bucket, Decimal(1))

    def hold(name: str, *, detached: bool) -> None:
        ledger.reserve(Hold(name, Decimal("0.6"), [bucket], [ceiling], far, detached))

    with mock.patch("valechat.ledger.processes.started", return_value=None):
        hold("batch", detached=True)
        with pytest.raises(LimitReached):
            hold("next", detached=False)
        ledger.release("batch")
        hold("kernel's", detached=False)
    hold("next", detached=False)
