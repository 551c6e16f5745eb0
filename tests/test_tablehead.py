"""The beginning of a table as a value: stored, and kept within its sizes."""

from __future__ import annotations

from valechat.messages import Message, ToolResultPart, from_json, to_json
from valechat.tablehead import MOST_CELL, MOST_COLUMNS, MOST_ROWS, TableColumn, TableHead, bounded

HEAD = TableHead(
    "pandas DataFrame",
    1204,
    2,
    (
        TableColumn("", "", ("a", "b"), label=True),
        TableColumn("eur", "float64", ("1.50", "nan"), (1,), number=True),
        TableColumn("city", "str", ("Oslo", "Rome")),
    ),
)


def test_it_is_stored_with_the_tools_result() -> None:
    message = Message("tool", (ToolResultPart("c1", "sales", "text", table=HEAD), ToolResultPart("c2", "other", "x")))
    stored = to_json(message)
    assert from_json(stored) == message
    assert "table" not in stored["parts"][1]


def test_a_result_stored_before_there_were_heads_has_none() -> None:
    (part,) = from_json(
        {"role": "tool", "parts": [{"kind": "tool_result", "call_id": "c1", "name": "x", "text": "y"}]}
    ).parts
    assert part == ToolResultPart("c1", "x", "y")


def test_what_is_small_enough_stays_as_it_is() -> None:
    assert bounded(HEAD) == HEAD


def test_a_head_from_anybodys_file_is_cut_to_size_and_made_even() -> None:
    long = TableColumn("n" * 500, "t", tuple("x" * 500 for _ in range(500)), (-1, 3, 10**9))
    found = bounded(TableHead("k", 10**30, -5, (long,) * 500))
    assert (found.rows, found.width) == (2**53 - 1, 0)
    assert len(found.columns) == MOST_COLUMNS
    assert len(found.columns[0].cells) <= MOST_ROWS
    assert len(found.columns[0].name) == len(found.columns[0].cells[0]) == MOST_CELL
    assert found.columns[0].missing == (3,)
    uneven = bounded(TableHead("k", 5, 2, (TableColumn("a", "", ("1", "2", "3")), TableColumn("b", "", ("1",)))))
    assert [len(column.cells) for column in uneven.columns] == [1, 1]
