"""What stands on a magic's line."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.errors import ConfigError
from valechat.notebook.arguments import Asking, option_names, parse_cell, parse_line, split_assignment


def test_a_cells_line_holds_models_and_options_in_any_order() -> None:
    assert parse_cell("a/b -s 'be brief' c/d -f json -o x -c trip -t 0.5 --max-tokens 9 --max-cost $0.05") == Asking(
        models=("a/b", "c/d"),
        system="be brief",
        format="json",
        output="x",
        conversation="trip",
        temperature=0.5,
        max_tokens=9,
        max_cost=Decimal("0.05"),
    )
    assert parse_cell("--tools f,g --new --dry-run --no-stream") == Asking(
        tools=("f", "g"), new=True, dry_run=True, stream=False
    )


def test_a_model_named_twice_is_asked_once() -> None:
    assert parse_cell("a/b -m a/b c/d").models == ("a/b", "c/d")


def test_markdown_may_be_written_md() -> None:
    assert parse_cell("-f md").format == "markdown"


def test_a_variable_may_stand_before_two_angles() -> None:
    assert split_assignment(" x << rest of it") == ("x", "rest of it")
    assert split_assignment("x <<") == ("x", "")
    assert split_assignment("1 << 2") == (None, "1 << 2")
    assert split_assignment("x<<2") == (None, "x<<2")
    assert parse_cell("x << a/b").output == "x"


def test_two_variables_are_refused() -> None:
    with pytest.raises(ConfigError, match="both x and y"):
        parse_cell("x << -o y")


def test_a_question_on_the_line_stays_as_it_was_written() -> None:
    assert parse_line('it\'s "raw" -- and -f stays') == (Asking(), 'it\'s "raw" -- and -f stays')


def test_options_before_a_question_are_read() -> None:
    asking, question = parse_line("-m 'a/b' --new -s \"two words\" -- -f is what?")
    assert asking == Asking(models=("a/b",), new=True, system="two words")
    assert question == "-f is what?"


def test_words_are_expanded_each_for_itself() -> None:
    assert parse_cell("-s '{role}' {model}", lambda word: word.replace("{role}", "a b").replace("{model}", "x/y")) == (
        Asking(models=("x/y",), system="a b")
    )


@pytest.mark.parametrize(
    "line",
    [
        "-t warm",
        "-t 3",
        "-t nan",
        "--max-tokens 0",
        "--max-tokens 1.5",
        "--max-cost -1",
        "--max-cost inf",
        "-o 1x",
        "-o class",
        "-f pdf",
        "--what",
        "-s",
        "'open",
    ],
)
def test_what_cannot_be_right_is_refused(line: str) -> None:
    with pytest.raises(ConfigError):
        parse_cell(line)


def test_a_misspelt_option_is_told_with_the_nearest() -> None:
    for line in ("--dryrun", "a/b --dryrun", "--dry_run -o x"):
        with pytest.raises(ConfigError, match=r"Did you mean --dry-run\?"):
            parse_cell(line)


def test_every_option_is_offered() -> None:
    assert {"-s", "--system", "--dry-run", "--max-cost"} <= set(option_names())


@given(st.text())
def test_any_line_is_read_or_refused_by_an_error_of_ours(line: str) -> None:
    for parse in (parse_cell, parse_line):
        with contextlib.suppress(ConfigError):
            parse(line)


@given(st.text(min_size=1).filter(lambda text: not text.lstrip().startswith("-") and "<<" not in text))
def test_any_question_without_options_comes_through_whole(question: str) -> None:
    assert parse_line(question)[1] == question.strip()
