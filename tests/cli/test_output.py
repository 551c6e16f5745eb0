from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from valechat.cli.output import emit, harmless, shown

COLUMNS = ["model", "cost", "at"]
ROWS: list[list[object]] = [
    ["openai/gpt-5", Decimal("0.00000000000000000100"), dt.datetime(2026, 11, 22, 1, 2, 3, tzinfo=dt.UTC)],
    ["模型/ü", None, None],
]


def test_a_table_aligns_columns_and_puts_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    emit(COLUMNS, ROWS, "table")
    assert capsys.readouterr().out.splitlines() == [
        "model                         cost  at",
        "────────────  ────────────────────  ─────────────────────────",
        "openai/gpt-5  0.000000000000000001  2026-11-22 01:02:03+00:00",
        "模型/ü",
    ]


def test_csv_and_json_keep_every_digit_and_an_unknown_cost_empty(capsys: pytest.CaptureFixture[str]) -> None:
    emit(COLUMNS, ROWS, "csv")
    assert capsys.readouterr().out == (
        "model,cost,at\nopenai/gpt-5,0.000000000000000001,2026-11-22 01:02:03+00:00\n模型/ü,,\n"
    )
    emit(COLUMNS, ROWS, "json")
    first, second = json.loads(capsys.readouterr().out)
    assert (first["cost"], second["cost"]) == ("0.000000000000000001", None)


@pytest.mark.parametrize(
    ("value", "text"), [(Decimal("1E+2"), "100"), (Decimal("5.00"), "5"), (Decimal(10), "10"), (None, ""), (0, "0")]
)
def test_an_amount_is_written_plainly(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_table_cell_cannot_take_the_terminal_over(capsys: pytest.CaptureFixture[str]) -> None:
    emit(["title"], [["a\x1b]0;owned\x07\nb\x9b2J"]], "table")
    assert capsys.readouterr().out.splitlines()[-1] == "a b2J"


def test_a_models_answer_cannot_take_the_terminal_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert harmless("a\x1b[2Jb\tc\n") == "ab\tc\n"


def test_a_models_answer_in_a_file_is_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert harmless("a\x1b[2J") == "a\x1b[2J"
