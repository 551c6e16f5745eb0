"""The beginning of a table, as the user is shown it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from valechat.tablehead import MOST_CELL, MOST_CHARS, MOST_COLUMNS, MOST_ROWS, TableColumn, TableHead
from valechat.variables.describing import describe

CITIES = {"city": ["Oslo", "Rome"], "people": [0.7, 2.8]}


def head(value: object, *, reveal: bool = True) -> TableHead:
    found = describe(value, reveal=reveal, head=True).table
    assert found is not None
    return found


def column(values: object) -> TableColumn:
    return head(pd.DataFrame({"x": values})).columns[0]


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (pd.DataFrame(CITIES), "pandas DataFrame"),
        (pl.DataFrame(CITIES), "polars DataFrame"),
        (pa.table(CITIES), "Arrow Table"),
    ],
)
def test_a_tables_head_has_its_size_and_its_columns_with_names_and_cells(table: object, kind: str) -> None:
    found = head(table)
    assert (found.kind, found.rows, found.width) == (kind, 2, 2)
    assert [(one.name, one.cells, one.number) for one in found.columns] == [
        ("city", ("Oslo", "Rome"), False),
        ("people", ("0.7", "2.8"), True),
    ]


def test_a_relation_has_a_head_too() -> None:
    with duckdb.connect() as connection:
        found = head(connection.sql("select range as i, (range / 3)::decimal(9, 2) as d from range(80)"))
    assert (found.rows, found.width, len(found.columns[0].cells)) == (80, 2, MOST_ROWS)
    assert [(one.type, one.number) for one in found.columns] == [("BIGINT", True), ("DECIMAL(9,2)", True)]


def test_what_names_the_rows_comes_before_their_cells() -> None:
    sales = pd.DataFrame({"region": ["N", "S", "N"], "year": [2025, 2025, 2026], "eur": [1, 2, 3]})
    by_region = head(sales.groupby("region").sum())
    assert by_region.columns[0] == TableColumn("region", "", ("N", "S"), label=True)
    assert by_region.width == 2
    by_both = head(sales.groupby(["region", "year"])["eur"].sum())
    assert [(one.name, one.cells) for one in by_both.columns if one.label] == [
        ("region", ("N", "N", "S")),
        ("year", ("2025", "2026", "2025")),
    ]
    assert head(sales.set_axis([7, 1, 5])).columns[0] == TableColumn("", "", ("7", "1", "5"), number=True, label=True)
    assert not any(one.label for one in head(sales).columns), "a row's number says nothing"


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([0.1 + 0.2, 12.5], ("0.3", "12.5")),
        ([1234567.89, 2.0], ("1234567.89", "2.00")),
        ([0.5, 1e-9], ("0.5", "1e-09")),
        ([1.0, float("inf")], ("1", "inf")),
        ([Decimal("0.10"), Decimal("2.00")], ("0.10", "2.00")),
        ([3, -20], ("3", "-20")),
        (np.array([1.5, 2.25], dtype="float32"), ("1.50", "2.25")),
    ],
)
def test_numbers_of_a_column_are_written_alike(values: object, cells: tuple[str, ...]) -> None:
    found = column(values)
    assert (found.cells, found.number) == (cells, True)


def test_cells_without_a_value_are_marked() -> None:
    found = head(pd.DataFrame({"n": [1.5, None], "at": [pd.NaT, pd.Timestamp("2026-01-02")], "s": ["a", pd.NA]}))
    assert [(one.missing, one.number) for one in found.columns] == [((1,), True), ((0,), False), ((1,), False)]
    assert head(pl.DataFrame({"n": [None, 3]})).columns[0].missing == (0,)


def test_days_are_written_without_their_midnight() -> None:
    assert column(pd.date_range("2026-01-01", periods=2)).cells == ("2026-01-01", "2026-01-02")
    assert column(pd.date_range("2026-01-01", periods=2, freq="12h")).cells[1] == "2026-01-01 12:00:00"
    assert head(pl.DataFrame({"x": [date(2026, 1, 1)]})).columns[0].cells == ("2026-01-01",)


def test_truths_are_no_numbers_and_texts_are_one_line() -> None:
    assert not column([True, False]).number
    assert column(["two\n  lines", "one"]).cells[0] == "two lines"


def test_a_head_stays_small_and_says_how_large_the_table_is() -> None:
    found = head(pd.DataFrame({f"column {n} {'x' * 200}": ["word " * 100] * 1000 for n in range(100)}))
    assert (found.rows, found.width, len(found.columns)) == (1000, 100, MOST_COLUMNS)
    texts = [text for one in found.columns for text in (one.name, *one.cells)]
    assert max(map(len, texts)) == MOST_CELL
    assert sum(len(cell) for one in found.columns for cell in one.cells) <= MOST_CHARS
    assert len(found.columns[0].cells) > 1


def test_an_empty_table_has_columns_without_cells() -> None:
    found = head(pd.DataFrame({"a": pd.Series([], dtype="int64")}))
    assert (found.rows, found.columns) == (0, (TableColumn("a", "int64", (), number=True),))


def test_what_looks_like_a_secret_is_hidden_in_the_head_as_in_the_text() -> None:
    frame = pd.DataFrame({"user": ["ada"], "password": ["hunter2"], "note": ["sk-proj-abcdef0123456789abcdef01"]})
    shown = head(frame, reveal=False)
    assert "hunter2" not in str(shown)
    assert "sk-proj" not in str(shown)
    assert shown.columns[0].cells == ("ada",)
    assert "hunter2" in str(head(frame)), "what a function gives is meant to be told"


def test_a_model_reads_what_names_the_rows() -> None:
    text = describe(pd.DataFrame({"x": [1, 2]}, index=["a", "b"])).text
    assert "(index) | x\na | 1\nb | 2" in text
