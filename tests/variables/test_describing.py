"""What a model gets of a variable, and what the user is told of that."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import duckdb
import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from PIL import Image

from valechat.attachments import media_type_of
from valechat.ledger import base
from valechat.reply import Reply
from valechat.usage import Usage
from valechat.variables.describing import describe
from valechat.variables.hiding import Hider
from valechat.variables.pictures import LOSSLESS, SIDE
from valechat.variables.statistics import SECONDS, statistics
from valechat.variables.tables import table_of

mpl.use("Agg")

CITIES = {"city": ["Oslo", "Rome", "Rome"], "people": [0.7, 2.8, None]}
ROWS = "All rows:\ncity | people\nOslo | 0.7\nRome | 2.8\nRome | "


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        (pd.DataFrame(CITIES), "pandas DataFrame"),
        (pl.DataFrame(CITIES), "polars DataFrame"),
        (pa.table(CITIES), "Arrow Table"),
    ],
)
def test_a_table_is_sent_as_schema_statistics_and_rows(table: object, kind: str) -> None:
    sent = describe(table)
    assert sent.text.startswith(f"{kind}, 3 rows × 2 columns\nColumns:\n- city (")
    assert '): 2 distinct, most often "Rome" 67 %, "Oslo" 33 %\n' in sent.text
    assert "): 1 null, 0.7 to 2.8, mean 1.75\n" in sent.text
    assert ROWS in sent.text
    assert sent.what == "schema, statistics and 3 of 3 rows"


def test_a_duckdb_relation_is_a_table() -> None:
    with duckdb.connect() as connection:
        sent = describe(connection.sql("select range as i from range(50)"))
    assert "DuckDB relation, 50 rows × 1 columns\nColumns:\n- i (BIGINT): 0 to 49, mean 24.5\n" in sent.text
    assert sent.what == "schema, statistics and 10 of 50 rows"


def test_a_series_is_a_table_of_one_column() -> None:
    assert "pandas Series, 2 rows × 1 columns" in describe(pd.Series([1, 2], name="n")).text
    assert "polars Series, 2 rows × 1 columns" in describe(pl.Series("n", [1, 2])).text


def test_an_index_with_a_name_is_told() -> None:
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index(["a", "b"], name="station"))
    assert "Index: station (str), from a to b" in describe(frame).text


def test_dates_and_truths_have_statistics_of_their_kind() -> None:
    text = describe(pd.DataFrame({"at": pd.date_range("2026-01-01", periods=3), "ok": [True, False, True]})).text
    assert "2026-01-01 00:00:00 to 2026-01-03 00:00:00" in text
    assert "- ok (bool): 2 true" in text


def test_a_column_of_mixed_objects_has_its_rows_and_no_statistics() -> None:
    text = describe(pd.DataFrame({"x": [1, "a", [2]]})).text
    assert "- x (object)\n" in text
    assert "\na\n[2]" in text


def test_a_table_stays_within_its_budget_and_says_what_is_left_out() -> None:
    wide = pd.DataFrame({f"column_{i}": ["long text " * 100] * 20 for i in range(500)})
    sent = describe(wide, budget=300)
    assert sent.tokens <= 330
    assert "more" in sent.text


def test_a_larger_budget_shows_more_rows() -> None:
    frame = pd.DataFrame({"text": [f"row {i} " * 10 for i in range(50)]})
    shown = [describe(frame, budget=budget).text.count("row ") for budget in (100, 400)]
    assert shown[0] < shown[1]


def test_a_large_table_is_sampled_and_says_so() -> None:
    sent = describe(pd.DataFrame({"i": np.arange(4_000_000)}))
    assert "Columns (statistics of every 2nd row):" in sent.text
    assert "First 10 of 4,000,000 rows:" in sent.text


def test_columns_after_the_time_go_without_statistics() -> None:
    clock = itertools.count(0, SECONDS)
    table = table_of(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    assert table is not None
    found = statistics(table, Hider(), clock=lambda: next(clock))
    assert [bool(phrase) for phrase in found.phrases] == [True, False, False]
    assert "the first 1 columns" in found.note


def test_an_empty_table_has_a_schema() -> None:
    sent = describe(pd.DataFrame({"a": pd.Series([], dtype="int64")}))
    assert "Columns: a (int64)" in sent.text
    assert sent.what == "schema, statistics and 0 of 0 rows"


def test_rows_without_columns_are_counted_and_not_shown() -> None:
    assert describe(pd.DataFrame(index=range(3))).text == "pandas DataFrame, 3 rows × 0 columns\nColumns:"


def test_names_that_could_be_missed_stand_in_quotes() -> None:
    text = describe(pd.DataFrame({"": [1], "a\nb": [2], "unit price": [3]})).text
    assert "- '' (int64)" in text
    assert text.endswith("'' | 'a\\nb' | unit price\n1 | 2 | 3")


def test_numbers_beyond_64_bits_have_rows_and_no_statistics() -> None:
    text = describe(pd.DataFrame({"n": [2**70, 1]})).text
    assert "- n (object)\n" in text
    assert "1180591620717411303424" in text


def test_a_cell_whose_text_raises_does_not_spoil_its_table() -> None:
    class Fragile:
        def __str__(self) -> str:
            raise OSError("no connection")

    assert "<Fragile, whose text raises OSError>" in describe(pd.DataFrame({"x": [Fragile()]})).text


def test_a_reply_is_sent_as_its_text() -> None:
    reply = Reply("It rains.", "a/b", Usage(), None, "complete")
    assert describe(reply).text == "It rains."
    assert describe({"a/b": reply}).text == "{'a/b': 'It rains.'}"


def test_a_figure_is_sent_as_an_image() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.set_title("Rainfall in mm")
    for drawn in (figure, axes):
        sent = describe(drawn)
        assert sent.text == "[Matplotlib figure · Rainfall in mm]"
        assert media_type_of(sent.images[0].data, "") == "image/png"


def test_a_large_picture_is_scaled_to_what_models_look_at() -> None:
    sent = describe(Image.new("RGB", (4000, 1000), "red"))
    assert sent.text == "[image, 4000 × 1000 pixels, sent as 1568 × 392]"
    width = int.from_bytes(sent.images[0].data[16:20], "big")
    assert width == SIDE


def test_a_photograph_is_sent_small_and_a_picture_that_is_partly_clear_keeps_that() -> None:
    noise = np.random.default_rng(1).normal(128, 8, (800, 1200, 4)).astype("uint8")
    photo, clear = (describe(Image.fromarray(noise).convert(mode)).images[0] for mode in ("RGB", "RGBA"))
    assert (photo.media_type, clear.media_type) == ("image/jpeg", "image/png")
    assert len(photo.data) < LOSSLESS < len(clear.data)


def test_a_figure_that_cannot_be_drawn_says_what_is_missing() -> None:
    class Chart:
        __module__ = "altair.vegalite"

        def to_dict(self) -> dict[str, Any]:
            return {"mark": "bar", "encoding": {}}

        def save(self, _file: object, **_how: str) -> None:
            raise ImportError("vl_convert")

    sent = describe(Chart())
    assert "install vl-convert-python" in sent.text
    assert "mark, encoding" in sent.text


def test_a_function_and_a_class_are_sent_as_source() -> None:
    assert describe(describe).text.startswith("def describe(")
    assert "class Bucket:" in describe(base.Bucket).text


def test_a_builtin_function_is_sent_as_it_prints() -> None:
    assert describe(len).text == "<built-in function len>"


def test_text_and_numbers_are_sent_as_they_are() -> None:
    assert describe("  as\nis ").text == "  as\nis "
    assert describe(2.50).text == "2.5"
    assert describe(None).text == "None"


def test_a_small_collection_is_sent_as_python_writes_it() -> None:
    value = {"a": [1, 2.5, None], "b": ("x",), "c": {"deep": True}}
    assert describe(value).text == str(value)
    assert describe(value).what == ""


def test_a_large_collection_is_abridged_within_the_budget() -> None:
    sent = describe({f"key {i}": list(range(1000)) for i in range(1000)}, budget=200)
    assert sent.tokens < 230
    assert sent.what == "dict of 1,000 items, abridged"
    assert "… 1" in sent.text or "more" in sent.text


def test_a_collection_that_holds_itself_comes_to_an_end() -> None:
    value: list[Any] = [1]
    value.append(value)
    assert describe(value).text.endswith("[1, …]")


def test_tables_in_a_collection_are_told_by_their_size() -> None:
    assert "<DataFrame 3 × 2>" in describe({"cities": pd.DataFrame(CITIES)}).text


def test_a_value_whose_repr_raises_does_not_spoil_its_collection() -> None:
    class Fragile:
        def __repr__(self) -> str:
            raise OSError("no connection")

    assert "whose repr raises OSError" in describe([1, Fragile()]).text


def test_an_array_is_told_by_shape_range_and_ends() -> None:
    text = describe(np.arange(1_000_000, dtype=float).reshape(1000, 1000)).text
    assert text.startswith("array of shape (1000, 1000), float64, 0 to 999999, mean 500000\n")
    assert describe(np.arange(3)).text == "array of shape (3,), int64:\n[0, 1, 2]"


@dataclass
class Account:
    user: str
    password: str


SECRET = "sk-proj-" + "a1B2c3D4" * 4


@pytest.mark.parametrize(
    "value",
    [
        {"password": "hunter2", "user": "ada"},
        {"outer": [{"api_key": "abc", "user": "ada"}]},
        Account("ada", "hunter2"),
        pd.DataFrame({"user": ["ada"], "password": ["hunter2"]}),
        pl.DataFrame({"user": ["ada"], "client_secret": ["hunter2"]}),
        pd.DataFrame({"user": ["ada"], "token": ["abcdef123456"]}),
        pd.DataFrame({"user": ["ada"], "note": [f"use {SECRET} please"]}),
        f"the user ada has {SECRET}",
        'user = "ada"\nAPI_KEY = "abcd1234"',
        "postgres://ada:hunter2@db.example/x",
        pd.Series(["ada"], index=pd.Index(["hunter2"], name="password")),
        pd.Series(["ada", "x"], index=[SECRET, f"{SECRET}9"]),
        {"user": "ada", "passwords": ["hunter2", "abcd1234"]},
        np.array(["ada", SECRET]),
        np.array([{"user": "ada", "password": "hunter2"}]),
        pd.DataFrame({"user": [f"ada {'x' * 90} password='{'hunter2' * 9}'"]}),
        ["ada", "q7Rk2Zp9Xw4Lm8Vt3Bn6Yc1Hd5Gf0Js"],
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_told(value: object) -> None:
    sent = describe(value)
    assert "•••" in sent.text
    assert sent.hidden
    for secret in ("hunter2", SECRET, "abcdef123456", "abcd1234", "q7Rk2Zp9"):
        assert secret not in sent.text
    assert "ada" in sent.text


@pytest.mark.parametrize(
    "value",
    [
        {"max_tokens": 5, "tokens": [1, 2], "key": "price"},
        pd.DataFrame({"token": ["the", "cat"], "input_tokens": [10, 20], "password_length": [8, 9]}),
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301 and da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "from sklearn.model_selection import train_test_split_with_a_very_long_name",
        "token = tokenizer.next()\nmax_tokens=100",
        "sk-learn-contrib-imbalanced is a package",
        "2026-11-22T12:00:00+00:00 https://example.org/a/b?c=d",
    ],
)
def test_what_only_sounds_like_a_secret_is_sent(value: object) -> None:
    assert describe(value).hidden == ()


def test_a_value_named_like_a_secret_is_hidden_until_the_user_says_otherwise() -> None:
    assert describe("hunter2", "db_password").text == "•••"
    assert describe("hunter2", "db_password", reveal=True).text == "hunter2"
    for value in (["hunter2"], {"x": "hunter2"}, np.array(["hunter2"])):
        assert describe(value, "db_passwords").text == "•••"
    for series in (pd.Series(["hunter2"]), pl.Series(["hunter2"])):
        assert "hunter2" not in describe(series, "db_passwords").text
    assert describe({"password": "hunter2"}, reveal=True).text == "{'password': 'hunter2'}"


@pytest.mark.parametrize("word", ["x", "password", "sk-."])
def test_a_very_long_word_is_searched_in_linear_time(word: str) -> None:
    text = word * (400_000 // len(word))
    assert Hider().text(text) == text


def test_statistics_show_nothing_of_a_hidden_column() -> None:
    sent = describe(pd.DataFrame({"password": ["hunter2"] * 5, "key": [SECRET] * 5}))
    assert "hunter2" not in sent.text
    assert SECRET not in sent.text
    assert sent.hidden[0] == "column `password`"
