"""A panel's models: which there are, which is asked, their keys, and the providers that are left alone."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from valechat.chat import Chat
from valechat.notebook.models import breakers_shown, models_shown
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import Breakers, Models, ModelShown, Notice, SelectModel, SetKey
from valechat.services import services

__all__ = ["ModelDesk"]


class ModelDesk:
    """The models of one panel. Used on the engine's loop. `shown` is the menu as it was last sent."""

    def __init__(self, chat: Chat, outbox: Outbox) -> None:
        self.shown: list[ModelShown] = []
        self._chat = chat
        self._outbox = outbox
        self._breakers: set[tuple[str, int]] = set()

    @property
    def handlers(self) -> Mapping[str, Callable[[Any], Coroutine[Any, Any, None]]]:
        """What answers which message."""
        return {"select_model": self.select, "refresh_models": self.refresh, "set_key": self.set_key}

    def usable(self, model: str) -> bool:
        """Whether a model can be asked, as far as is known."""
        return any(one["id"] == model and one["usable"] for one in self.shown)

    async def select(self, message: SelectModel) -> None:
        """Ask this model from now on."""
        self._chat.model = message["model"]
        await self.send(refresh=False)

    async def refresh(self, _message: Mapping[str, Any]) -> None:
        """Ask all providers again what they offer."""
        await self.send(refresh=True)

    async def set_key(self, message: SetKey) -> None:
        """Keep a provider's key."""
        provider = message["provider"]
        await services().keys.store(provider, message["key"])
        await self.send(refresh=True)
        text = f"The key for {provider} is stored in the keychain."
        self._outbox.send(Notice(type="notice", seq=0, text=text, error=None))

    async def send(self, *, refresh: bool) -> None:
        """Send the menu."""
        self.shown = models_shown(await services().models(refresh=refresh))
        if self._chat.model is None:
            self._chat.model = await services().default_model()
        self._outbox.send(Models(type="models", seq=0, model=self._chat.model, models=self.shown))

    def send_breakers(self) -> None:
        """Tell the panel which providers are left alone, where that changed."""
        breakers = services().breakers()
        now = {(name, breaker.failures) for name, breaker in breakers.items()}
        if now != self._breakers:
            self._breakers = now
            self._outbox.send(Breakers(type="breakers", seq=0, breakers=breakers_shown(breakers)))
