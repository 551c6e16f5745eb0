"""A chat's controls as text, for a form: what they are, and a change that was typed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from valechat.chat import Chat
from valechat.config.names import parse_model
from valechat.errors import ConfigError
from valechat.notebook.protocol import SettingShown

__all__ = ["change_control", "controls_shown"]


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise ConfigError(f"{text!r} is not a number from {least:g} to {most:g}.", fix="Or leave it empty.")
    return value


def _whole(text: str, least: int, most: int) -> int:
    value = _number(text.replace(",", ""), least, most)
    if value != int(value):
        raise ConfigError(f"{text!r} is not a whole number.", fix=f"Write one from {least:,} to {most:,}.")
    return int(value)


def _models(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.replace("\n", ",").split(",") if name.strip()]
    return tuple("/".join(parse_model(name)) for name in names)


_READ: dict[str, Callable[[str], Any]] = {
    "system": str,
    "temperature": lambda text: _number(text, 0, 2),
    "max_tokens": lambda text: _whole(text, 1, 10_000_000),
    "reasoning_effort": str.lower,
    "timeout": lambda text: _number(text, 1, 86_400),
    "seed": lambda text: _whole(text, -(2**53), 2**53),
    "fallback": _models,
}


def controls_shown(chat: Chat) -> list[SettingShown]:
    """The controls as they are set on the chat now."""
    return [SettingShown(name=name, value=_text(getattr(chat, name)), usual="", now="") for name in _READ]


def change_control(chat: Chat, name: str, text: str) -> None:
    """Set a control from text; empty text leaves it to the model.

    Raises:
        ConfigError: There is no such control, or the text is no value for it.
    """
    read = _READ.get(name)
    if read is None:
        raise ConfigError(f"A chat has no control {name!r}.", fix=f"There are {', '.join(_READ)}.")
    text = text if name == "system" else text.strip()
    empty: Any = () if name == "fallback" else None
    setattr(chat, name, read(text) if text.strip() else empty)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
