"""A fetched price table replaces the one in use only when all of it is right."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from valechat.billing import default_table
from valechat.billing.table import updated_file
from valechat.billing.update import install, load_update, validate
from valechat.errors import ConfigError

Change = Callable[[dict[str, Any]], object]


def rates(stored: dict[str, Any]) -> Any:
    return stored["models"]["acme/flat"]["known"][0]["rates"][0]


def test_the_packaged_table_passes_its_own_check() -> None:
    packaged = Path(__file__).parents[2] / "valechat/billing/data/prices.json"
    assert load_update(packaged).made == default_table().made


def test_a_right_table_takes_the_place_of_the_one_in_use(stored: dict[str, Any]) -> None:
    stored["made"] = "2099-01-01"
    install(json.dumps(stored).encode())
    found = default_table().find("acme/flat")
    assert found is not None
    assert found.source == "second"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda s: s.pop("models"), "its beginning"),
        (lambda s: s.update(made="yesterday"), "its beginning"),
        (lambda s: rates(s)["prices"].update(input="-1"), "acme/flat"),
        (lambda s: rates(s)["prices"].update(input="free"), "acme/flat"),
        (lambda s: rates(s)["prices"].update(inputt="1"), "acme/flat"),
        (lambda s: rates(s)["prices"].update(input={"base": "1"}), "acme/flat"),
        (lambda s: rates(s).update({"from": "2026-02-30"}), "acme/flat"),
        (lambda s: rates(s).update(hours=["10:00", "09:00"]), "acme/flat"),
        (lambda s: s["models"]["acme/flat"].update(names=[1]), "acme/flat"),
        (lambda s: s["models"]["acme/flat"].update(context=-5), "acme/flat"),
        (lambda s: s["models"]["acme/flat"].update(can={"fly": True}), "acme/flat"),
        (lambda s: s["models"]["acme/flat"].update(known=[]), "acme/flat"),
        (lambda s: s["models"]["acme/flat"]["known"].reverse(), "acme/flat"),
        (lambda s: s["models"]["acme/flat"]["known"][0].update(source=""), "acme/flat"),
        (lambda s: s["models"].update({"no provider": s["models"]["acme/flat"]}), "no provider"),
        (lambda s: s["models"].update({"a/b": None}), "a/b"),
    ],
)
def test_a_table_with_one_wrong_entry_is_refused_by_name(stored: dict[str, Any], change: Change, named: str) -> None:
    change(stored)
    with pytest.raises(ConfigError, match=named):
        install(json.dumps(stored).encode())
    assert not updated_file().exists()


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null", b"\xff\xfe\x00", b'{"format": 1}'])
def test_what_is_no_price_table_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigError, match="not a price table"):
        validate(content)


def test_a_table_of_a_newer_format_asks_for_an_upgrade(stored: dict[str, Any]) -> None:
    stored["format"] = 2
    with pytest.raises(ConfigError, match="Upgrade"):
        validate(json.dumps(stored).encode())


def test_an_older_table_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="2026-06-01"):
        install(json.dumps(stored).encode())


def test_a_refused_table_leaves_an_earlier_update_in_use(stored: dict[str, Any]) -> None:
    stored["made"] = "2099-01-01"
    install(json.dumps(stored).encode())
    with pytest.raises(ConfigError):
        install(b"{}")
    assert default_table().name("acme/flat") == "acme/flat"


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_update(tmp_path / "missing.json")


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        validate(b" " * 20_000_001)
