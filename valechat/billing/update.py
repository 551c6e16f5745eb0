"""A newer price table, from a file or an address: checked whole before it replaces anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from valechat.atomic import write_atomically
from valechat.billing.rates import read_prices
from valechat.billing.table import PriceTable, default_table, updated_file
from valechat.errors import ConfigError

__all__ = ["install", "load_update", "validate"]

_FORMAT = 1
_MOST_BYTES = 20_000_000
_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]*/\S+")
_ABILITIES = {"files", "images", "reasoning", "schema", "tools"}


def load_update(path: Path) -> PriceTable:
    """Read and check a price table's file.

    Raises:
        ConfigError: It cannot be read, or is not a price table.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The price table {path} cannot be read: {error.strerror}.") from error
    return validate(content)


def validate(content: bytes) -> PriceTable:
    """Check a price table, every entry of it.

    Raises:
        ConfigError: It is not a price table; names the first entry that is wrong.
    """
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"The price table is larger than {_MOST_BYTES // 10**6} MB, so it is not one of ValeChat's.")
    where = "its beginning"
    try:
        stored = json.loads(content)
        if stored["format"] != _FORMAT:
            raise ConfigError(
                f"The price table has format {stored['format']!r}; this ValeChat reads format {_FORMAT}.",
                fix="Upgrade with `pip install --upgrade valechat`.",
            )
        date.fromisoformat(stored["made"])
        models = stored["models"]
        if not models:
            raise ConfigError("The price table is empty.")
        for where, entry in models.items():
            _check(where, entry)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        detail = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
        raise ConfigError(
            f"This is not a price table: {where} is wrong ({detail}).", fix="The prices in use stay as they are."
        ) from error
    return PriceTable(stored)


def install(content: bytes) -> PriceTable:
    """Check a price table and put it in the place of the one in use, for all kernels of this user.

    Raises:
        ConfigError: It is not a price table, is older than the one in use, or cannot be written.
    """
    table = validate(content)
    now = default_table()
    if table.made < now.made:
        raise ConfigError(
            f"This price table was made on {table.made}, the one in use on {now.made}.",
            fix="The prices in use stay as they are.",
        )
    try:
        write_atomically(updated_file(), content)
    except OSError as error:
        raise ConfigError(f"{updated_file()} cannot be written: {error.strerror}.") from error
    return table


def _check(name: str, entry: Mapping[str, Any]) -> None:
    if not _MODEL.fullmatch(name):
        raise ValueError("it is not named provider/model")
    if not all(isinstance(other, str) for other in entry.get("names", ())):
        raise ValueError("its other names are not text")
    for count in (entry.get("context"), entry.get("max_output")):
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count <= 0):
            raise ValueError("its window is not a number of tokens")
    can = entry.get("can", {})
    if not can.keys() <= _ABILITIES or not all(isinstance(value, bool) for value in can.values()):
        raise ValueError("its abilities are not known ones")
    days = []
    for version in entry["known"]:
        days.append(date.fromisoformat(version["at"]))
        if not version["source"].strip() or not version["rates"]:
            raise ValueError("a version has no source or no prices")
        for rate in [*version["rates"], *version.get("variants", ())]:
            _check_rate(rate)
        for variant in version.get("variants", ()):
            if not variant["condition"].strip() or not variant["value"].strip():
                raise ValueError("a variant has no condition")
    if not days or days != sorted(days):
        raise ValueError("its versions are not in the order they became known")


def _check_rate(rate: Mapping[str, Any]) -> None:
    read_prices(rate["prices"])
    if rate.get("from") is not None:
        date.fromisoformat(rate["from"])
    if rate.get("hours"):
        start, end = map(time.fromisoformat, rate["hours"])
        if start >= end:
            raise ValueError("its hours end before they begin")
