from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_without_any_key_the_demonstration_can_be_used(run: Run) -> None:
    done = run("models", "--json")
    assert done.returncode == 0
    assert [row["model"] for row in json.loads(done.stdout)] == ["demo/echo"]


def test_models_that_lack_a_key_are_shown_when_asked_for_with_prices_and_why(run: Run) -> None:
    rows = {row["model"]: row for row in json.loads(run("models", "--all", "--json", "openai/gpt-5-mini").stdout)}
    assert rows["openai/gpt-5-mini"]["input_per_million"] == "0.25"
    assert "valechat keys set openai" in rows["openai/gpt-5-mini"]["note"]


def test_a_provider_of_ones_own_is_listed(run: Run, home: Path) -> None:
    (home / "config.toml").write_text(
        '[providers.mylab]\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["scripted"]\n'
        '[prices."mylab/scripted"]\ninput = "1.25"\noutput = "10"\n'
    )
    (row,) = json.loads(run("models", "--json", "mylab").stdout)
    assert (row["model"], row["input_per_million"], row["output_per_million"]) == ("mylab/scripted", "1.25", "10")


def test_prices_are_shown_and_an_unknown_one_fails(run: Run) -> None:
    done = run("prices", "show", "--json", "openai/gpt-5", "nobody/nothing")
    assert done.returncode == 1
    assert {(row["unit"], row["price"]) for row in json.loads(done.stdout)} >= {("input", "1.25"), ("output", "10")}
    assert "No price is known for nobody/nothing." in done.stderr


def test_a_file_that_is_no_price_table_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    done = run("prices", "update", str(tmp_path / "x.json"))
    assert done.returncode == 1
    assert "not a price table" in done.stderr
