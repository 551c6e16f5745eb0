"""What a turn needs, opened once for a process: settings, ledger, keys, prices, providers.

`services()` gives the ones of the current user's folders. A project's `.valechat.toml` is looked for
from the working folder, which is the notebook's in a kernel.
"""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from valechat.asking import PassphraseAsker, asker
from valechat.billing.limits import ceilings
from valechat.billing.table import PriceTable, default_table
from valechat.catalogue import Catalogue, Models
from valechat.config import KNOWN, Settings, SettingsFile, parse_model
from valechat.config.known import DEMO
from valechat.engine import engine
from valechat.errors import UnknownModel
from valechat.keys import KeyRing
from valechat.ledger import open_ledger
from valechat.ledger.base import Ledger, PluginRun, Retention
from valechat.ledger.threads import durably
from valechat.meter import Meter
from valechat.paths import Paths, user_paths
from valechat.plugins.approvals import Approvals
from valechat.plugins.manager import Manager
from valechat.plugins.sampling import Sampling
from valechat.providers import registry
from valechat.providers.base import Provider
from valechat.providers.breaker import Breaker
from valechat.providers.resilience import Resilient, resilient
from valechat.quote import price_name
from valechat.session import Target

__all__ = ["KeyFor", "Services", "models", "services"]


class Services:
    """What a turn needs. Made once for a process; used on the engine's loop, where not said otherwise.

    Args:
        paths: The user's folders.
        project: Where a project's file is looked for.
    """

    def __init__(self, paths: Paths, *, project: Path | None = None) -> None:
        self.paths = paths
        self._file = SettingsFile(paths, project=project)
        self._published: object = None
        self._manager: Manager | None = None
        self._managing = threading.Lock()
        self._providers: dict[str, tuple[object, Resilient]] = {}
        self._catalogue = Catalogue(self.provider, self._key_missing, lambda: self.settings, lambda: self.prices)

    @property
    def settings(self) -> Settings:
        """The settings as the files have them now; from any thread.

        Raises:
            ConfigError: A file is broken.
        """
        return self._file.current()

    @property
    def zone(self) -> tzinfo | None:
        """The user's time zone, by which days and months begin; None is the system's own."""
        name = self.settings.time_zone
        return ZoneInfo(name) if name else None

    @property
    def retention(self) -> Retention:
        """How long contents are kept."""
        days = self.settings.retention
        return Retention(*(_days(count) for count in (days.conversations_days, days.tool_results_days)))

    @property
    def prices(self) -> PriceTable:
        """The price table, with the user's own prices."""
        own = {model: entry.model_dump(exclude_none=True) for model, entry in self.settings.prices.items()}
        return default_table().with_user(own) if own else default_table()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger; from any thread."""
        opened = open_ledger(self.paths)
        opened.keep(lambda: self.retention)
        return opened

    @cached_property
    def keys(self) -> KeyRing:
        """The user's API keys. Each use is recorded in the ledger."""
        return KeyRing(
            self.paths,
            lambda: self.settings,
            on_access=self.ledger.add_key_access,
            ask_passphrase=_asked_passphrase,
        )

    def priced_as(self, name: str) -> str:
        """The built-in provider whose prices a provider's models have, as the settings are now."""
        return self.settings.priced_as(name)

    def price_name(self, target: Target) -> str:
        """Under which `provider/model` a model is priced; a second account has its maker's prices."""
        return price_name(target.provider.name, target.model, self.prices, self.priced_as)

    def publish(self) -> None:
        """Let the ledger's views show the prices and limits as they are now; blocks for a moment."""
        settings, prices = self.settings, self.prices
        current = (settings.limits, settings.prices, settings.time_zone, prices.made, datetime.now(self.zone).date())
        if current == self._published:
            return
        self.ledger.set_prices(list(prices.rows()))
        self.ledger.publish_ceilings(ceilings(settings.limits, self.zone))
        self._published = current

    @cached_property
    def meter(self) -> Meter:
        """Holds and settles what requests cost."""
        return Meter(
            self.ledger,
            limits=lambda: self.settings.limits,
            prices=lambda: self.prices,
            zone=lambda: self.zone,
            priced_as=self.priced_as,
        )

    @property
    def plugins(self) -> Manager:
        """The MCP servers; from any thread, but its methods run on the engine's loop."""
        with self._managing:  # two managers would start each server twice
            if self._manager is None:
                sampling = Sampling(self, self.approvals)
                self._manager = Manager(
                    self.paths,
                    keys=lambda: self.keys,
                    record=self._take_down,
                    sample=sampling,
                    forget=self.approvals.forget,
                )
            return self._manager

    async def close_plugins(self) -> None:
        """Stop the MCP servers, if there are any."""
        if self._manager is not None:
            await self._manager.shutdown()

    @cached_property
    def approvals(self) -> Approvals:
        """What the user allowed or denied plugins for good; from any thread."""
        return Approvals(self.paths.approvals_file)

    def provider(self, name: str) -> Provider:
        """A provider by its name; built again when its settings changed.

        Raises:
            ConfigError: There is no provider of that name, or its settings cannot be used.
        """
        settings = None if name == DEMO else self.settings.provider(name)
        known = self._providers.get(name)
        if known is None or known[0] != settings:
            built = registry.build(name, settings, self._key_source(name))
            known = self._providers[name] = (settings, resilient(built))
        return known[1]

    def breakers(self) -> dict[str, Breaker]:
        """The circuit breakers of this process that are not closed, by provider; on the engine's loop."""
        breakers = {name: provider.breaker for name, (_, provider) in self._providers.items()}
        return {name: breaker for name, breaker in sorted(breakers.items()) if breaker.state != "closed"}

    async def target(self, name: str) -> Target:
        """The model to ask by that name: `provider/model`, `provider:model`, or a bare name.

        Raises:
            UnknownModel: No provider has it, or several have.
        """
        if "/" in name or ":" in name:
            provider, model = parse_model(name, [*self.settings.provider_names, DEMO])
            return Target(self.provider(provider), model)
        found = [model for model in await self.models() if model.name == name]
        if len(found) == 1:
            return Target(self.provider(found[0].provider), name)
        if found:
            raise UnknownModel(
                f"Several providers have {name!r}.", fix=f"Write {' or '.join(model.id for model in found)}."
            )
        raise UnknownModel(
            f"No provider has a model named {name!r}.",
            fix="Write it as provider/model; `%valechat list` shows the models there are.",
        )

    async def models(self, *, refresh: bool = False) -> Models:
        """What can be chatted with, with prices; the usable ones first."""
        return await self._catalogue.models(refresh=refresh)

    async def default_model(self) -> str:
        """The configured model, or the best that can be used now: a keyed one, a local one, the demonstration."""
        return self.settings.default_model or await self._catalogue.best()

    async def ready(self, target: Target) -> None:
        """Make sure that a request to the target has the key it needs.

        Raises:
            MissingKey: It needs one and there is none.
            KeyStorageError: There is one, but it cannot be read.
        """
        if await self._key_missing(target.provider.name):
            raise self.keys.missing(target.provider.name)

    async def _key_missing(self, name: str) -> bool:
        known = KNOWN.get(name)
        needed = known is not None and not known.local and self.settings.provider(name).base_url == known.base_url
        return needed and await self.keys.get(name, purpose="check") is None

    def _take_down(self, run: PluginRun) -> None:
        self.ledger.add_plugin_run(run)

    def _key_source(self, name: str) -> KeyFor:
        return KeyFor(self, name)


async def _asked_passphrase(new: bool) -> str | None:  # noqa: FBT001 - the shape of `AskPassphrase`
    """From the user, where the process's front end can have it typed unseen."""
    front_end: object = asker()
    return await front_end.passphrase(new=new) if isinstance(front_end, PassphraseAsker) else None


def _days(count: int | None) -> timedelta | None:
    return None if count is None else timedelta(days=count)


class KeyFor:
    """Where a provider gets its key, at each request."""

    def __init__(self, owner: Services, name: str) -> None:
        self._owner = owner
        self._name = name

    async def __call__(self) -> str | None:
        """The key, or None where there is none."""
        key = await self._owner.keys.get(self._name)
        return None if key is None else key.reveal()


def models(*, refresh: bool = False) -> Models:
    """What can be chatted with now, with prices and capabilities; the usable ones first.

    Args:
        refresh: Ask all servers again instead of using what they said in the last minutes.
    """
    return engine().run(services().models(refresh=refresh))


_opening = threading.RLock()
_opened: dict[Paths, Services] = {}
_abandoned: list[Services] = []
"""A forked child's parent's, kept because what they hold open must not be closed in the child."""


def services() -> Services:
    """The services of the current user's folders. Opens nothing by itself; from any thread."""
    paths = user_paths()
    with _opening:
        found = _opened.get(paths)
        if found is None:
            found = _opened[paths] = Services(paths, project=Path.cwd())
            engine().at_close(lambda: _close(paths))
        return found


async def _close(paths: Paths) -> None:
    await registry.close()
    found = _opened.pop(paths, None)
    if found is not None:
        await found.close_plugins()
    if found is not None and "ledger" in vars(found):
        await durably(found.ledger.close)


def _begin_anew() -> None:
    """In a forked child: locks may be held by threads it does not have, and servers are its parent's."""
    global _opening  # noqa: PLW0603  # the parent's may be held for ever
    _opening = threading.RLock()
    _abandoned.extend(_opened.values())
    _opened.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
