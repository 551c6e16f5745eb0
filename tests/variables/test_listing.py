"""The menu of variables: what is in it, and what must not run for it."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

from valechat.chat import Chat
from valechat.errors import ConfigError
from valechat.reply import Reply
from valechat.rows import Rows
from valechat.usage import Usage
from valechat.variables.listing import Listed, listed
from valechat.variables.paths import described, first_name, value_of


class Trap:
    """Anything asked of it is a fault."""

    def _touched(self, *_: object) -> NoReturn:
        raise AssertionError("a value's own code ran for a menu")

    __repr__ = __str__ = __len__ = __getattr__ = __eq__ = __hash__ = _touched


def one(name: str, value: Any, budget: int = 1500) -> Listed:
    (found,) = listed({name: value}, budget=budget)
    return found


@pytest.mark.parametrize(
    ("value", "kind", "size"),
    [
        (pd.DataFrame({"a": range(1200)}), "DataFrame", "1,200 × 1"),
        (pl.DataFrame({"a": [1], "b": [2]}), "DataFrame", "1 × 2"),
        (pd.Series([1, 2, 3]), "Series", "3 × 1"),
        (np.zeros((3, 4)), "array, float64", "3 × 4"),
        ("text", "str", "4 characters"),
        ([1, 2], "list", "2 items"),
        ({"a": 1}, "dict", "1 items"),
        (5, "int", ""),
        (None, "NoneType", ""),
    ],
)
def test_a_variable_is_listed_with_its_kind_and_size(value: Any, kind: str, size: str) -> None:
    found = one("x", value)
    assert (found.kind, found.size) == (kind, size)
    assert found.tokens is not None


def test_a_relation_is_listed_without_running_it() -> None:
    with duckdb.connect() as connection:
        relation = connection.sql("select error('ran' || range) as a, range as b from range(3)")
        assert one("r", relation) == Listed("r", "DuckDBPyRelation", "2 columns", 104)


def test_a_relation_over_a_table_that_is_gone_is_still_listed() -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select 1 as a")
        relation = connection.sql("select * from t")
        connection.execute("drop table t")
        assert one("r", relation).name == "r"


def test_no_code_of_a_value_runs_for_the_menu() -> None:
    assert one("trap", Trap()) == Listed("trap", "Trap", "", None)


def test_the_budget_bounds_what_a_table_is_said_to_cost() -> None:
    assert one("df", pd.DataFrame(np.zeros((1000, 300))), budget=700).tokens == 700


def test_modules_imports_and_what_is_private_are_left_out() -> None:
    names = {"os": os, "_x": 1, "In": [], "Out": {}, "Path": type("Path", (), {}), "join": os.path.join, "b": 1, "A": 2}
    assert [found.name for found in listed(names)] == ["A", "b"]


def test_answers_are_offered_and_chats_are_not() -> None:
    reply = Reply("It rains.", "a/b", Usage(), None, "complete")
    assert [found.name for found in listed({"answer": reply, "rows": Rows("job"), "chat": Chat("demo/echo")})] == [
        "answer",
        "rows",
    ]


def test_the_users_own_functions_are_in() -> None:
    def mine() -> None: ...

    mine.__module__ = "__main__"
    assert one("mine", mine).kind == "function"


@pytest.mark.parametrize("path", ["df", "df.a", 'df["a b"]', "rows[-1]['x']", "größe", "x[1:3]"])
def test_a_path_is_known_by_its_first_name(path: str) -> None:
    assert first_name(path) in ("df", "rows", "größe", "x")


@pytest.mark.parametrize(
    "path", ["", "1", "df()", "df + 1", "df}", "{df", "a b", "df!r", "df:>3", "[1]", "x[y]", "a" * 400]
)
def test_what_calls_or_counts_is_no_path(path: str) -> None:
    assert first_name(path) is None


def test_a_path_is_followed() -> None:
    frame = pd.DataFrame({"a b": [1, 2]})
    assert list(value_of('df["a b"]', {"df": frame})) == [1, 2]


def test_a_name_that_is_gone_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="`df` is not defined in the kernel any more"):
        value_of("df", {})
    with pytest.raises(ConfigError, match=r"df.town"):
        value_of("df.town", {"df": 1})


def test_the_last_name_of_a_path_says_what_stands_there() -> None:
    names = {"config": {"password": "hunter2", "user": "ada"}}
    assert described('config["password"]', names, budget=100).text == "•••"
    assert described('config["user"]', names, budget=100).text == "ada"
