"""How a notebook's values are written for a model."""

from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from valechat.ledger import base
from valechat.notebook.values import TABLE_CHARS, as_text

CITIES = {"city": ["Oslo", "Rome", "Lima"], "people": [0.7, 2.8, 10.0]}


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (pd.DataFrame(CITIES), "pandas DataFrame"),
        (pl.DataFrame(CITIES), "polars DataFrame"),
        (pa.table(CITIES), "Arrow Table"),
    ],
)
def test_a_table_is_sent_as_its_schema_and_rows(table: object, kind: str) -> None:
    sent = as_text(table)
    assert sent.text.startswith(f"{kind}, 3 rows × 2 columns\nColumns: city (")
    assert sent.text.endswith("All rows:\ncity | people\nOslo | 0.7\nRome | 2.8\nLima | 10.0")
    assert sent.what == "schema and 3 of 3 rows"


def test_a_duckdb_relation_is_a_table() -> None:
    with duckdb.connect() as connection:
        sent = as_text(connection.sql("select range as i from range(50)"))
    assert "DuckDB relation, 50 rows × 1 columns" in sent.text
    assert sent.what == "schema and 10 of 50 rows"


def test_a_series_is_a_table_of_one_column() -> None:
    assert "pandas Series, 2 rows × 1 columns" in as_text(pd.Series([1, 2], name="n")).text
    assert "polars Series, 2 rows × 1 columns" in as_text(pl.Series("n", [1, 2])).text


def test_a_large_table_says_how_much_of_it_was_sent() -> None:
    sent = as_text(pd.DataFrame({"i": range(1_000_000)}))
    assert sent.what == "schema and 10 of 1,000,000 rows"
    assert "First 10 of 1,000,000 rows:" in sent.text


def test_a_table_stays_within_its_budget() -> None:
    wide = pd.DataFrame({f"column_{i}": ["long text " * 100] * 20 for i in range(500)})
    assert len(as_text(wide).text) <= TABLE_CHARS


def test_an_empty_table_has_a_schema() -> None:
    sent = as_text(pd.DataFrame({"a": pd.Series([], dtype="int64")}))
    assert "Columns: a (int64)" in sent.text
    assert sent.what == "schema and 0 of 0 rows"


def test_a_function_and_a_class_are_sent_as_source() -> None:
    assert as_text(as_text).text.startswith("def as_text(value: Any) -> Sent:")
    assert "class Bucket:" in as_text(base.Bucket).text


def test_a_builtin_function_is_sent_as_it_prints() -> None:
    assert as_text(len).text == "<built-in function len>"


def test_text_is_sent_as_it_is() -> None:
    assert as_text("  as\nis ").text == "  as\nis "
