"""The notebook's own tools: what they tell a model, and what they keep from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

import valechat
from valechat.builtin_tools import TOOLS, expanded
from valechat.engine import engine
from valechat.errors import ConfigError, ToolFailed
from valechat.ledger.bounded import frames_select
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.tools import FunctionTools
from valechat.variables import workspace as at


class Notebook:
    """A kernel of one test."""

    def names(self) -> dict[str, Any]:
        return {
            "sales": pd.DataFrame({"region": ["N", "S", "N"], "price": [1, 2, 3]}),
            "people": pl.DataFrame({"name": ["Ada"], "password": ["hunter2"]}),
            "n": 5,
        }

    def cells(self) -> list[at.Cell]:
        return [at.Cell(1, "n = 5"), at.Cell(2, "n + 1", 6), at.Cell(3, "1/0", error="ZeroDivisionError")]

    async def run(self, code: str) -> at.Ran:
        return at.Ran(f"ran {code}\n", 42)


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "_make", Notebook)


def call(name: str, arguments: str = "{}") -> ToolResultPart:
    tools = FunctionTools(expanded(["notebook"]))
    return engine().run(tools.call(ToolCallPart("c", name, arguments))).result


def test_none_is_offered_unless_it_is_named() -> None:
    assert valechat.Chat("demo/echo").offered() == []
    assert [spec.name for spec in valechat.Chat("demo/echo", tools=["notebook"]).offered()] == list(TOOLS)
    assert [spec.name for spec in valechat.Chat("demo/echo", tools=["notebook/read_cell"]).offered()] == ["read_cell"]


def test_a_name_that_is_none_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="notebook/run_code"):
        valechat.Chat("demo/echo", tools=["notebok"])


def test_variables_are_listed() -> None:
    assert call("list_variables").text.splitlines() == ["n: int", "people: DataFrame, 1 × 2", "sales: DataFrame, 3 × 2"]


def test_a_variable_is_described_without_its_secrets() -> None:
    text = call("describe_variable", '{"path": "people"}').text
    assert "polars DataFrame" in text
    assert "hunter2" not in text


def test_a_variable_that_is_not_there_is_an_error_for_the_model() -> None:
    result = call("describe_variable", '{"path": "nobody"}')
    assert result.is_error
    assert "nobody" in result.text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [('{"number": 2}', "In[2]:\nn + 1\n\nOut[2]:\n6"), ("{}", "In[3]:\n1/0\n\nError:\nZeroDivisionError")],
)
def test_a_cell_is_read_with_its_result_and_error(arguments: str, told: str) -> None:
    assert call("read_cell", arguments).text == told


def test_a_cell_that_did_not_run_is_told_with_those_there_are() -> None:
    assert call("read_cell", '{"number": 9}').text == "There is no cell 9; there are 1 to 3."


def test_code_does_not_run_without_the_user() -> None:
    result = call("run_code", '{"code": "1 + 1"}')
    assert result.is_error
    assert "permission" in result.text


@pytest.mark.parametrize("table", ["sales", '"sales"', "Sales"])
def test_dataframes_are_queried_under_their_names(table: str) -> None:
    sql = f"select region, sum(price) as total from {table} group by all order by all;"
    assert call("query_data", json.dumps({"sql": sql})).text == "region | total\nN | 4\nS | 2"


def test_the_user_sees_the_rows_of_a_query_as_a_table_with_the_same_secrets_hidden() -> None:
    rows = call("query_data", '{"sql": "select region, price from sales"}').table
    assert rows is not None
    assert (rows.kind, rows.rows) == ("Query result", 3)
    assert [column.cells for column in rows.columns] == [("N", "S", "N"), ("1", "2", "3")]
    assert "hunter2" not in str(call("query_data", '{"sql": "select name, password from people"}').table)
    people = call("describe_variable", '{"path": "people"}').table
    assert people is not None
    assert [column.cells for column in people.columns] == [("Ada",), ("•••",)]


def test_a_query_of_a_table_that_is_not_there_is_told_which_there_are() -> None:
    result = call("query_data", '{"sql": "select * from sails"}')
    assert result.is_error
    assert result.text.endswith("The DataFrames are: people, sales.")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy sales to 'out.csv'",
        "attach 'other.db'",
        "install httpfs",
        "select 1; select 2",
        "create table x as select 1",
        "set enable_external_access = true",
        "select * from not_passed",
        "select * from read_text('config.toml')",
        "nonsense",
    ],
)
def test_a_query_reaches_no_file_no_network_and_changes_nothing(sql: str, tmp_path: Path) -> None:
    not_passed = pd.DataFrame({"a": [1]})
    with pytest.raises(ToolFailed):
        frames_select(sql, {"sales": not_passed}, 10)
    assert not (tmp_path / "out.csv").exists()


def test_a_query_that_takes_too_long_is_ended() -> None:
    with pytest.raises(ToolFailed, match="did not end"):
        frames_select("select count(*) from range(10000000000) a, range(1000000) b", {}, 10, seconds=0.2)


def test_more_rows_than_are_told_are_said_to_be_there() -> None:
    rows = frames_select("select * from range(500)", {}, 200)
    assert (rows.table.num_rows, rows.more) == (200, True)


def test_query_results_hide_what_looks_like_a_secret() -> None:
    result = call("query_data", '{"sql": "select name, password from people"}')
    assert result.text == "name | password\nAda | •••"


def test_the_ledger_is_queried_and_nothing_else_is(home: Path) -> None:
    valechat.Chat("demo/echo").ask_sync("hello")
    assert call("query_ledger", '{"sql": "select count(*) as n from usage"}').text == "n\n1"
    outside = home / "config.toml"
    outside.write_text("x")
    for sql in (f"select * from read_text('{outside}')", "select * from read_text('/etc/hostname')"):
        assert call("query_ledger", f'{{"sql": "{sql}"}}').is_error
