"""One panel's settings: the chat's controls, what stands in `config.toml`, and the providers' keys."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ByteSize

from valechat.chat import Chat
from valechat.config import KNOWN, change_settings
from valechat.config import Settings as Configured
from valechat.config.edit import Value
from valechat.config.known import DEMO
from valechat.config.load import parse_settings, read_text
from valechat.errors import ConfigError, ValeChatError
from valechat.notebook.chatcontrols import change_control, controls_shown
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import (
    ChangeChat,
    ChangeSettings,
    DeleteKey,
    OpenSettings,
    ProviderSettingShown,
    SettingChanged,
    Settings,
    SettingShown,
)
from valechat.notebook.shown import error_shown
from valechat.services import services

__all__ = ["SettingsDesk"]

ALWAYS = (
    "default_model",
    "time_zone",
    *(f"limits.{name}" for name in ("daily", "monthly", "confirm_above", "conversation.total")),
    *(f"sizes.{name}" for name in ("message", "conversation", "tool_input", "tool_output", "upload")),
    "variables.tokens",
    *(f"retention.{name}" for name in ("conversations_days", "tool_results_days")),
)
"""The settings that are shown whether or not they are set."""

NUMBERS = {"tokens", "requests_per_minute", "tokens_per_minute", "conversations_days", "tool_results_days"}

Path = tuple[str, ...]


class SettingsDesk:
    """Tells a panel what is set, and changes it. Used on the engine's loop.

    `models_changed` is awaited after a change that may change which models can be used.
    """

    def __init__(self, chat: Chat, outbox: Outbox, models_changed: Callable[[], Awaitable[None]]) -> None:
        self._chat = chat
        self._outbox = outbox
        self._models_changed = models_changed

    async def open(self, _message: OpenSettings) -> None:
        """Tell what is set now."""
        await self._tell()

    async def change_chat(self, message: ChangeChat) -> None:
        """Set a control of the chat; it counts from the next question."""

        async def change() -> None:
            change_control(self._chat, message["name"], message["value"])

        await self._answer(message["number"], change)

    async def change_settings(self, message: ChangeSettings) -> None:
        """Change `config.toml`; it counts from the next request, in every kernel."""
        paths = services().paths
        names = message["names"]

        async def change() -> None:
            values = message["values"]
            if len(names) != len(values):
                raise ConfigError(f"There are {len(values)} values for {len(names)} settings.")
            changes = {_path(name): _value(name, value.strip()) for name, value in zip(names, values, strict=True)}
            try:
                await asyncio.to_thread(change_settings, paths, changes)
            except ConfigError as error:
                # The field says where it is; file and line would be those of what was not written.
                place = re.compile(rf"^{re.escape(str(paths.config_file))}(, line \d+)?: ")
                raise ConfigError(place.sub("", error.message), fix=error.fix) from error

        await self._answer(message["number"], change)
        if any(name.startswith(("providers.", "prices.", "default_model")) for name in names):
            await self._models_changed()

    async def delete_key(self, message: DeleteKey) -> None:
        """Forget a key that is kept."""

        async def delete() -> None:
            await services().keys.delete(message["provider"])

        await self._answer(message["number"], delete)
        await self._models_changed()

    async def _answer(self, number: int, change: Callable[[], Awaitable[None]]) -> None:
        error: ValeChatError | None = None
        try:
            await change()
        except ValeChatError as problem:
            error = problem
        await self._tell()
        shown = None if error is None else error_shown(error)
        self._outbox.send(SettingChanged(type="setting_changed", seq=0, number=number, error=shown))

    async def _tell(self) -> None:
        self._outbox.send(await asyncio.to_thread(self._now))

    def _now(self) -> Settings:
        found = services()
        file = found.paths.config_file
        told = Settings(
            type="settings",
            seq=0,
            file=str(file),
            problem="",
            warnings=[],
            chat=controls_shown(self._chat),
            settings=[],
            providers=[],
        )
        try:
            own, counts = parse_settings(read_text(file), file), found.settings
        except ConfigError as error:
            return {**told, "problem": f"{error.message} {error.fix}".strip()}
        told["warnings"] = list(counts.warnings)
        told["settings"] = [_setting(name, own, counts) for name in _names(own)]
        told["providers"] = [*_providers(own)]
        return told


def _names(own: Configured) -> Iterator[str]:
    yield from ALWAYS
    for model, limits in own.limits.models.items():
        yield from (f"limits.models.{model}.{name}" for name in type(limits).model_fields)
    for provider, rate in own.limits.rate.items():
        yield from (f"limits.rate.{provider}.{name}" for name in type(rate).model_fields)


def _setting(name: str, own: Configured, counts: Configured) -> SettingShown:
    path = _path(name)
    value, now = _text(_found(own, path, only_set=True)), _text(_found(counts, path))
    usual = _text(_found(Configured(), path))
    return SettingShown(name=name, value=value, usual=usual, now="" if now == (value or usual) else now)


def _found(settings: BaseModel, path: Path, *, only_set: bool = False) -> Any:
    """The value at a path; None where there is none."""
    here: Any = settings
    for key in path:
        if isinstance(here, BaseModel):
            if only_set and key not in here.model_fields_set:
                return None
            here = getattr(here, key)
        else:
            here = here.get(key) if isinstance(here, Mapping) else None
    return here


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case ByteSize():
            return value.human_readable(decimal=True, separator=" ").replace(".0 ", " ")
        case Decimal():
            return format(value, "f")
    return str(value)


def _path(name: str) -> Path:
    """A setting's place in the file. A model's name may have dots, so it is what stands between the others."""
    for table in ("limits.models.", "prices."):
        if name.startswith(table):
            model, _, field = name.removeprefix(table).rpartition(".")
            return (*table.rstrip(".").split("."), model, field)
    return tuple(name.split("."))


def _value(name: str, text: str) -> Value:
    """What is written for a text that was typed.

    Raises:
        ConfigError: It is to be a number, and is none.
    """
    if text == "":
        return None
    if name.rpartition(".")[2] not in NUMBERS:
        return text
    try:
        return int(text.replace(",", "").replace(" ", ""))
    except ValueError:
        raise ConfigError(f"{text!r} is not a whole number.", fix="Write it in digits, such as 60.") from None


def _providers(own: Configured) -> Iterator[ProviderSettingShown]:
    rows = {row.provider: row for row in reversed(services().keys.list()) if not row.note}
    for name in own.provider_names:
        if name == DEMO:
            continue
        settings, row = own.provider(name), rows.get(name)
        known = KNOWN.get(name) or KNOWN.get(settings.kind)
        yield ProviderSettingShown(
            name=name,
            kind=settings.kind,
            base_url=settings.base_url or "",
            source=row.source if row else "",
            stored=row is not None and row.stored_at is not None,
            local=known is not None and known.local,
            built_in=name not in own.providers,
        )
