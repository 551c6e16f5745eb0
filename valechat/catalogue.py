"""Which models can be chatted with now, and what they cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from valechat.billing.names import is_local
from valechat.billing.sentences import figure
from valechat.billing.table import PriceTable
from valechat.config import KNOWN, Settings
from valechat.config.known import DEMO
from valechat.errors import ConfigError, KeyStorageError, ProviderError
from valechat.providers.base import ModelInfo, Provider
from valechat.quote import price_name

__all__ = ["Catalogue", "Model", "Models"]

FRESH = 300.0
"""Seconds a server's list is used before it is asked again."""

PATIENCE = 3.0
"""Seconds a server may take to list its models."""

PREFERRED = (
    "openai/gpt-5-mini",
    "anthropic/claude-sonnet-4-5",
    "gemini/gemini-2.5-flash",
    "openrouter/openai/gpt-5-mini",
)
"""Which model to begin with where its provider has a key: able, fast, and not dear."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be chosen.

    Attributes:
        id: `provider/model`.
        input_price: USD per million input tokens; None when no price is known.
        output_price: USD per million output tokens.
        context_tokens: The largest request, in tokens.
        demo: It is the built-in demonstration.
        local: It runs on this machine and is free.
        usable: It can be asked now; otherwise `why` says what is missing.
        needs_key: What is missing is an API key.
    """

    id: str
    provider: str
    name: str
    title: str = ""
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    context_tokens: int | None = None
    tools: bool | None = None
    images: bool | None = None
    demo: bool = False
    local: bool = False
    usable: bool = True
    why: str = ""
    needs_key: bool = False


class Models(list[Model]):
    """Models as a list; in a notebook a table."""

    def _repr_markdown_(self) -> str:
        lines = ["| model | in | out | context | |", "|---|--:|--:|--:|---|"]
        for model in self:
            prices = [figure(price) for price in (model.input_price, model.output_price)]
            context = "" if model.context_tokens is None else f"{model.context_tokens:,}"
            note = model.why or ("demonstration" if model.demo else "local" if model.local else "")
            lines.append(f"| `{model.id}` | {' | '.join(prices)} | {context} | {note} |")
        return "\n".join([*lines, "", "USD per million tokens."])


class Catalogue:
    """All models, asked of their servers now and then.

    Args:
        provider: Gives a provider by name.
        key_missing: Whether a provider needs a key and has none.
        settings: The settings as they are now.
        prices: The price table as it is now.
    """

    def __init__(
        self,
        provider: Callable[[str], Provider],
        key_missing: Callable[[str], Awaitable[bool]],
        settings: Callable[[], Settings],
        prices: Callable[[], PriceTable],
    ) -> None:
        self._provider = provider
        self._key_missing = key_missing
        self._settings = settings
        self._prices = prices
        self._listed: dict[str, tuple[float, list[ModelInfo] | str]] = {}

    async def models(self, *, refresh: bool = False) -> Models:
        """All models, the usable ones first, the demonstration after them."""
        if refresh:
            self._listed.clear()
        names = self._settings().provider_names
        found = await asyncio.gather(*(self._models_of(name) for name in dict.fromkeys([*names, DEMO])))
        every = (model for models in found for model in models)
        return Models(sorted(every, key=lambda m: (not m.usable, m.demo, m.provider, m.name)))

    async def best(self) -> str:
        """The model to begin with: of a provider with a key, else a local one, else the demonstration."""
        usable = [model for model in await self.models() if model.usable]
        ids = {model.id for model in usable}
        for preferred in PREFERRED:
            if preferred in ids:
                return preferred
        own = [model.id for model in usable if model.provider not in KNOWN and not model.demo]
        keyed = [model.id for model in usable if not model.local and not model.demo]
        local = [model.id for model in usable if model.local]
        return next(iter([*own, *keyed, *local]), f"{DEMO}/echo")

    async def _models_of(self, name: str) -> list[Model]:
        try:
            missing = await self._key_missing(name)
        except (ConfigError, KeyStorageError) as error:
            return self._offered(name, str(error))
        if missing:
            return self._offered(name, f"Needs a key: valechat keys set {name}")
        entry = self._settings().providers.get(name)
        if entry is not None and entry.models:
            return [self._model(name, ModelInfo(model)) for model in entry.models]
        listed = await self._list(name)
        if isinstance(listed, str):
            # A local server that is not running is no news; a configured or keyed one is.
            known = KNOWN.get(name)
            return [] if entry is None and known is not None and known.local else self._known(name, listed)
        return [self._model(name, info) for info in listed]

    async def _list(self, name: str) -> list[ModelInfo] | str:
        """A server's own list, or why there is none."""
        known = self._listed.get(name)
        if known is not None and time.monotonic() - known[0] < FRESH:
            return known[1]
        try:
            async with asyncio.timeout(PATIENCE):
                listed: list[ModelInfo] | str = await self._provider(name).models()
        except TimeoutError:
            listed = f"{name} did not list its models within {PATIENCE:g} s."
        except (ProviderError, ConfigError) as error:
            listed = error.message
        self._listed[name] = (time.monotonic(), listed)
        return listed

    def _offered(self, name: str, why: str) -> list[Model]:
        """What a key would give: the model one would begin with."""
        return [
            replace(self._model(name, ModelInfo(model.partition("/")[2]), why=why), needs_key=True)
            for model in PREFERRED
            if model.startswith(f"{name}/")
        ]

    def _known(self, name: str, why: str) -> list[Model]:
        """The models of the price table, for a provider that cannot be asked."""
        prices = self._prices()
        maker = self._settings().priced_as(name)
        names = [model.partition("/")[2] for model in prices.models() if model.startswith(f"{maker}/")]
        current = [
            model for model in names if (facts := prices.facts(f"{maker}/{model}")) is None or not facts.deprecated
        ]
        return [self._model(name, ModelInfo(model), why=why) for model in current]

    def _model(self, provider: str, info: ModelInfo, *, why: str = "") -> Model:
        name = f"{provider}/{info.name}"
        prices = self._prices()
        priced_as = price_name(provider, info.name, prices, self._settings().priced_as)
        rates, facts = prices.find(priced_as), prices.facts(priced_as)
        unit = rates.prices if rates is not None else {}
        local = is_local(name)
        free = Decimal(0) if local and rates is None else None
        able = info.capabilities
        return Model(
            id=name,
            provider=provider,
            name=info.name,
            title=info.title or (facts.title if facts else ""),
            input_price=unit["input"].base if "input" in unit else free,
            output_price=unit["output"].base if "output" in unit else free,
            context_tokens=info.context_tokens or (facts.context_tokens if facts else None),
            tools=able.tools if able.tools is not None else (facts.tools if facts else None),
            images=able.images if able.images is not None else (facts.images if facts else None),
            demo=provider == DEMO,
            local=local,
            usable=not why,
            why=why,
        )
