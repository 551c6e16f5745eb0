from __future__ import annotations

import os
import threading
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valechat.config import change_limits, change_settings, load_settings
from valechat.errors import ConfigError
from valechat.paths import Paths

COMMENTED = """# My limits, agreed with the group.
default_model = "openai/gpt-5"   # the cheap one

[limits]
daily   = "5.00"  # lunch
# monthly comes later
[limits.models."openai:gpt-5"]
monthly = '20'
"""


def test_a_changed_limit_keeps_comments_order_and_spacing(paths: Paths) -> None:
    paths.config_file.write_text(COMMENTED)
    change_limits(paths, {"daily": Decimal("7.50")})
    assert paths.config_file.read_text() == COMMENTED.replace('"5.00"', '"7.50"')


def test_a_model_is_found_under_the_spelling_the_file_has(paths: Paths) -> None:
    paths.config_file.write_text(COMMENTED)
    change_limits(paths, {"model:openai/gpt-5:monthly": Decimal(30)})
    assert paths.config_file.read_text() == COMMENTED.replace("'20'", '"30"')


def test_limits_are_written_into_a_file_that_does_not_exist_yet(paths: Paths) -> None:
    changed = change_limits(
        paths,
        {
            "daily": Decimal("5.00"),
            "confirm_above": Decimal("0.50"),
            "conversation": Decimal(1),
            "model:openai/gpt-5:daily": Decimal("0.1"),
            "rate:openai:requests_per_minute": 60,
            "rate:openai:cost_per_minute": Decimal("0.5"),
        },
    )
    assert changed == load_settings(paths)
    limits = changed.limits
    assert (limits.daily, limits.confirm_above, limits.conversation.total) == (Decimal(5), Decimal("0.5"), Decimal(1))
    assert limits.models["openai/gpt-5"].daily == Decimal("0.1")
    assert limits.rate["openai"].requests_per_minute == 60
    assert tomllib.loads(paths.config_file.read_text())["limits"]["daily"] == "5.00"


def test_a_limit_is_removed_and_a_missing_one_stays_missing(paths: Paths) -> None:
    paths.config_file.write_text(COMMENTED)
    changed = change_limits(paths, {"daily": None, "monthly": None, "model:a/b:daily": None})
    assert changed.limits.daily is None
    assert "# monthly comes later" in paths.config_file.read_text()


@pytest.mark.parametrize(
    "text",
    [
        'limits.daily = "5"\n',
        'limits = { daily = "5" }\n',
        '[limits.models]\n"openai/gpt-5" = { daily = "1" }\n',
        '[limits.conversation]\ntotal = "1"\n[sizes]\nmessage = 5\n[limits]\ndaily = "5"\n',
    ],
)
def test_every_way_to_write_a_table_can_be_changed(paths: Paths, text: str) -> None:
    paths.config_file.write_text(text)
    changed = change_limits(paths, {"daily": Decimal(9), "model:openai/gpt-5:monthly": Decimal(3)})
    assert load_settings(paths).limits == changed.limits
    assert (changed.limits.daily, changed.limits.models["openai/gpt-5"].monthly) == (Decimal(9), Decimal(3))


@pytest.mark.parametrize(
    ("name", "fix"),
    [("dayly", "Did you mean daily?"), ("model:openai/gpt-5:yearly", "Limits are: daily"), ("x", "Limits are: daily")],
)
def test_an_unknown_limit_is_refused_with_the_known_ones(paths: Paths, name: str, fix: str) -> None:
    with pytest.raises(ConfigError, match="There is no limit named") as caught:
        change_limits(paths, {name: Decimal(1)})
    assert fix in caught.value.fix


def test_an_impossible_change_leaves_the_file_as_it_was(paths: Paths) -> None:
    paths.config_file.write_text(COMMENTED)
    with pytest.raises(ConfigError, match="below zero"):
        change_limits(paths, {"monthly": Decimal(50), "daily": Decimal(-1)})
    assert paths.config_file.read_text() == COMMENTED


def test_a_broken_file_is_not_touched(paths: Paths) -> None:
    paths.config_file.write_text("[limits\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        change_limits(paths, {"daily": Decimal(1)})
    assert paths.config_file.read_text() == "[limits\n"


def test_any_setting_can_be_changed_by_its_path(paths: Paths) -> None:
    changed = change_settings(
        paths,
        {
            ("default_model",): "mylab/scripted",
            ("providers", "mylab", "base_url"): "http://127.0.0.1:1/v1",
            ("prices", "mylab/scripted", "input"): Decimal("1.25"),
            ("prices", "mylab/scripted", "output"): Decimal(10),
        },
    )
    assert changed.default_model == "mylab/scripted"
    assert changed.prices["mylab/scripted"].input == Decimal("1.25")


def test_a_linked_file_is_changed_where_it_is(paths: Paths, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    paths.config_file.symlink_to(real)
    change_limits(paths, {"daily": Decimal(1)})
    assert paths.config_file.is_symlink()
    assert real.read_text().startswith("# mine\n")


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX")
def test_a_new_file_is_the_users_alone(paths: Paths) -> None:
    change_limits(paths, {"daily": Decimal(1)})
    assert paths.config_file.stat().st_mode & 0o777 == 0o600


def test_no_temporary_file_is_left(paths: Paths) -> None:
    change_limits(paths, {"daily": Decimal(1)})
    assert list(paths.config.glob("*.tmp")) == list(paths.config.glob(".*.tmp")) == []


def test_changes_from_several_threads_are_all_kept(paths: Paths) -> None:
    start = threading.Barrier(4)

    def change(name: str) -> None:
        start.wait()
        for amount in range(10):
            change_limits(paths, {name: Decimal(amount)})

    names = ["daily", "monthly", "confirm_above", "conversation"]
    threads = [threading.Thread(target=change, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    limits = load_settings(paths).limits
    assert [limits.daily, limits.monthly, limits.confirm_above, limits.conversation.total] == [Decimal(9)] * 4


amounts = st.decimals(min_value=0, max_value=10**9, places=4)
names = st.sampled_from(
    ["daily", "monthly", "conversation", "model:a/b:daily", "model:a/c/d:monthly", "model:x/y.z:daily"]
)
changes = st.dictionaries(names, st.none() | amounts, max_size=4)


@given(st.lists(changes, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_changes_leaves_exactly_what_was_set_last(
    paths: Paths, steps: list[dict[str, Decimal | None]]
) -> None:
    paths.config_file.write_text(COMMENTED)
    last: dict[str, Decimal | None] = {}
    for step in steps:
        change_limits(paths, step)
        last |= step
    limits = load_settings(paths).limits
    for name, amount in last.items():
        scope, _, rest = name.partition(":")
        model, _, field = rest.rpartition(":")
        if scope == "conversation":
            found = limits.conversation.total
        elif scope == "model":
            found = getattr(limits.models.get(model), field, None)
        else:
            found = getattr(limits, name)
        assert found == amount
    assert paths.config_file.read_text().startswith("# My limits, agreed with the group.\n")
