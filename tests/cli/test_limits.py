from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from valechat.cli import main
from valechat.config import load_settings
from valechat.paths import user_paths


def test_limits_that_are_set_are_shown_with_what_is_left(run: Run) -> None:
    run("limits", "set", "daily", "$5.00")
    run("limits", "set", "model:openai:gpt-5:monthly", "20")
    run("limits", "set", "rate:openai:requests_per_minute", "60")
    rows = {row["limit"]: row for row in json.loads(run("limits", "show", "--json").stdout)}
    assert (rows["daily"]["amount"], rows["daily"]["remaining"]) == ("5", "5")
    assert rows["daily"]["resets_at"] < rows["model:openai/gpt-5:monthly"]["resets_at"]
    assert rows["rate:openai:requests_per_minute"]["amount"] == 60


def test_without_limits_the_command_says_how_to_set_one(run: Run) -> None:
    assert run("limits").stdout == "No limits are set. Set one with: valechat limits set daily 5.00\n"


def test_a_removed_limit_is_gone() -> None:
    assert main(["limits", "set", "daily", "5"]) == 0
    assert main(["limits", "remove", "daily"]) == 0
    assert load_settings(user_paths()).limits.daily is None


@pytest.mark.parametrize(
    ("name", "amount", "message"),
    [
        ("dayly", "5", "Did you mean daily?"),
        ("daily", "five", "'five' is not an amount."),
        ("daily", "-5", "below zero"),
        ("rate:openai:requests_per_minute", "1.5", "is not a whole number"),
    ],
)
def test_an_impossible_limit_is_refused(
    name: str, amount: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["limits", "set", "--", name, amount]) == 1
    assert message in capsys.readouterr().err
