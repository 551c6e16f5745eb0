"""The ledger's views as files: complete, exact to the digit, and nothing in them that a spreadsheet runs."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.ledger.samples import DAY, conversation, message, usage_row
from valechat.errors import ConfigError
from valechat.ledger.sqlite import SqliteLedger
from valechat.ledger.tables import write_tables

FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("http://example.org")']


@pytest.fixture
def ledger(sqlite_ledger: SqliteLedger) -> SqliteLedger:
    return sqlite_ledger


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_view_is_written_in_both_forms(ledger: SqliteLedger, tmp_path: Path) -> None:
    ledger.settle(usage_row("r1"), [DAY])
    with ledger.connect() as connection:
        views = {row[0] for row in connection.execute("SHOW TABLES").fetchall()} - {"conversation_heads"}
    assert {path.name for path in write_tables(ledger, tmp_path, "csv")} == {f"{view}.csv" for view in views}
    assert {path.name for path in write_tables(ledger, tmp_path, "parquet")} == {f"{view}.parquet" for view in views}
    assert {path.suffix for path in tmp_path.iterdir()} >= {".csv", ".parquet"}
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_run_is_quoted(ledger: SqliteLedger, tmp_path: Path, text: str) -> None:
    ledger.start_conversation(conversation("c1", text))
    ledger.add_messages([message("m1", text)])
    write_tables(ledger, tmp_path, "csv", ["conversations", "messages"])
    assert table(tmp_path / "conversations.csv")[0]["title"] == "'" + text
    assert table(tmp_path / "messages.csv")[0]["content"] == "'" + text


@pytest.mark.parametrize("text", ["plain", "a=b", "-5", "+5.25", "1-2", "", "'=1"])
def test_other_texts_are_written_as_they_are(ledger: SqliteLedger, tmp_path: Path, text: str) -> None:
    ledger.start_conversation(conversation("c1", text))
    write_tables(ledger, tmp_path, "csv", ["conversations"])
    assert table(tmp_path / "conversations.csv")[0]["title"] == text


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_money_keeps_every_digit(ledger: SqliteLedger, tmp_path: Path, form: str) -> None:
    ledger.settle(usage_row("r1", "123456.00000000000000000001"), [DAY])
    write_tables(ledger, tmp_path, "csv" if form == "csv" else "parquet", ["usage"])
    if form == "csv":
        cost = Decimal(table(tmp_path / "usage.csv")[0]["cost"])
    else:
        (cost,) = duckdb.read_parquet(str(tmp_path / "usage.parquet")).project("cost").fetchall()[0]
    assert cost == Decimal("123456.00000000000000000001")


def test_an_unknown_cost_is_empty_and_not_0(ledger: SqliteLedger, tmp_path: Path) -> None:
    ledger.settle(usage_row("r1", None), [DAY])
    write_tables(ledger, tmp_path, "csv", ["usage"])
    assert table(tmp_path / "usage.csv")[0]["cost"] == ""


def test_parquet_keeps_texts_and_types(ledger: SqliteLedger, tmp_path: Path) -> None:
    ledger.start_conversation(conversation("c1", "=1+1"))
    (path,) = write_tables(ledger, tmp_path / "it's new", "parquet", ["conversations"])
    found = duckdb.read_parquet(str(path))
    assert found.project("title").fetchall() == [("=1+1",)]
    assert "TIMESTAMP WITH TIME ZONE" in [str(kind) for kind in found.types]


def test_a_view_that_is_not_there_is_named_with_those_that_are(ledger: SqliteLedger, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no view usages") as refused:
        write_tables(ledger, tmp_path / "out", "csv", ["usages"])
    assert "spend_by_day" in (refused.value.fix or "")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_a_file_is_said_to_be(ledger: SqliteLedger, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_tables(ledger, tmp_path / "file", "csv", ["usage"])
