"""The price table: what each model costs, since when, known since when, and from where.

The table is a JSON file in the package, replaced by a newer one the user fetched. It is bitemporal:
a model has a list of `known` versions of its whole price history, each with the day it was entered
and its source, so that what was believed on any day can be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from valechat.billing.names import candidates, canonical, split
from valechat.billing.rates import Price, Rates, Variant, When, read_prices, write_prices
from valechat.paths import user_paths

__all__ = ["Facts", "PriceTable", "default_table", "updated_file"]

_PACKAGED = Path(__file__).parent / "data" / "prices.json"
_RESELLERS = {"openrouter", "together", "groq", "fireworks", "cerebras"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model besides its price. Windows are in tokens; None is unknown."""

    title: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    tools: bool | None = None
    images: bool | None = None
    files: bool | None = None
    reasoning: bool | None = None
    schema: bool | None = None
    deprecated: bool = False


class PriceTable:
    """Prices and facts by model. Immutable; `with_user` and updates give another table."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self._stored = stored
        self._models: Mapping[str, Any] = stored["models"]
        self._user: Mapping[str, Rates] = {}
        self._names: dict[str, str] = {}
        for model, entry in self._models.items():
            provider = split(model)[0]
            for name in entry.get("names", ()):
                self._names[f"{provider}/{name}"] = model
        self._names.update({model: model for model in self._models})

    @classmethod
    def load(cls, path: Path | None = None) -> PriceTable:
        """Read a table's file, by default the package's. The file is taken to be valid."""
        return cls(json.loads((path or _PACKAGED).read_bytes()))

    @property
    def made(self) -> date:
        """The day the table was made."""
        return date.fromisoformat(self._stored["made"])

    def with_user(self, prices: Mapping[str, Mapping[str, Any]]) -> PriceTable:
        """This table with the user's own prices, which win.

        Args:
            prices: By `provider/model`: `input`, `output`, `cache_read`, `cache_write` (and the
                other keys of `valechat.billing.rates.KEYS`), decimal text, USD per million tokens.

        Raises:
            ValueError: A key or a price is not one.
        """
        user = dict(self._user)
        for model, entry in prices.items():
            name = canonical(model)
            user[name] = Rates(name, read_prices(entry), "user", is_user=True)
        table = copy(self)
        table._user = user  # noqa: SLF001 - the copy is this method's own
        return table

    def name(self, model: str) -> str | None:
        """The table's name for a model; None when it does not have it.

        A bare name is found when exactly one of the model makers has it.
        """
        for candidate in candidates(model):
            if candidate in self._user:
                return candidate
            if candidate in self._names:
                return self._names[candidate]
        if split(model)[0]:
            return None
        makers = {split(entry)[0] for entry in self._names} - _RESELLERS
        found = {name for maker in makers if (name := self.name(f"{maker}/{model}"))}
        return found.pop() if len(found) == 1 else None

    def find(self, model: str, at: datetime | None = None, *, known_at: date | None = None) -> Rates | None:
        """What a model costs at a moment (now by default); None when no price is known.

        Args:
            model: `provider/model`, a dated snapshot or `-latest` of it, or a bare name.
            at: The moment of the request. One without a time zone is taken as UTC.
            known_at: As the table knew it on that day; by default as it knows it now.
        """
        name = self.name(model)
        if name is None:
            return None
        if name in self._user:
            return self._user[name]
        versions = [v for v in self._models[name]["known"] if known_at is None or v["at"] <= known_at.isoformat()]
        return _rates(name, versions[-1], _utc(at)) if versions else None

    def facts(self, model: str) -> Facts | None:
        """What is known of a model besides its price; None when the table does not have it."""
        name = self.name(model)
        entry = self._models.get(name) if name is not None else None
        if entry is None:
            return None
        can: Mapping[str, bool] = entry.get("can", {})
        return Facts(
            title=entry.get("title", ""),
            context_tokens=entry.get("context"),
            max_output_tokens=entry.get("max_output"),
            deprecated=entry.get("deprecated", False),
            **can,
        )

    def models(self) -> list[str]:
        """All models with a price, as `provider/model`."""
        return sorted({*self._models, *self._user})

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every price as a row for the ledger's `prices` view."""
        for name, rates in self._user.items():
            yield _row(name, rates.prices, None, None, rates.source)
        for name, entry in self._models.items():
            for version in entry["known"]:
                for stored in version["rates"]:
                    since = _day(stored.get("from"))
                    yield _row(name, read_prices(stored["prices"]), since, _day(version["at"]), version["source"])


def default_table() -> PriceTable:
    """The newer of the package's table and the one the user fetched; read once while unchanged."""
    updated = updated_file()
    try:
        stamp = updated.stat().st_mtime_ns
    except OSError:
        stamp = None
    return _default(updated, stamp)


def updated_file() -> Path:
    """Where a fetched price table is kept."""
    return user_paths().config / "prices.json"


@lru_cache(maxsize=2)
def _default(updated: Path, stamp: int | None) -> PriceTable:
    packaged = PriceTable.load()
    if stamp is None:
        return packaged
    try:
        fetched = PriceTable.load(updated)
        return fetched if fetched.made > packaged.made else packaged
    except (OSError, ValueError, KeyError, TypeError):
        # A damaged file must not stop a chat; `valechat doctor` and the next update say so.
        return packaged


def _rates(name: str, version: Mapping[str, Any], at: datetime) -> Rates | None:
    stored = next((r for r in reversed(version["rates"]) if _when(r).holds(at)), None)
    if stored is None:
        return None
    variants = tuple(
        Variant(v["condition"], v["value"], _when(v), read_prices(v["prices"]))
        for v in version.get("variants", ())
        if _when(v).holds(at)
    )
    return Rates(
        name, read_prices(stored["prices"]), version["source"], _day(stored.get("from")), _day(version["at"]), variants
    )


def _when(stored: Mapping[str, Any]) -> When:
    hours = stored.get("hours")
    return When(
        _day(stored.get("from")),
        (time.fromisoformat(hours[0]), time.fromisoformat(hours[1])) if hours else None,
        stored.get("weekdays", "1234567"),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _utc(at: datetime | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _row(
    name: str, prices: Mapping[str, Price], effective_from: date | None, known_at: date | None, source: str
) -> dict[str, Any]:
    provider, model = split(name)
    return {
        "provider": provider,
        "model": model,
        "unit_prices": write_prices(prices),
        "effective_from": effective_from,
        "known_at": known_at,
        "source": source,
    }
