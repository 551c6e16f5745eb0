"""Settings: what can be changed in the panel, and what came of a change."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from valechat.notebook.protocol.shown import ErrorShown

__all__ = [
    "ChangeChat",
    "ChangeSettings",
    "DeleteKey",
    "OpenSettings",
    "ProviderSettingShown",
    "SettingChanged",
    "SettingShown",
    "Settings",
]


class SettingShown(TypedDict):
    """A setting as text; empty when it is not set.

    `name` is its path in `config.toml` (`limits.daily`), or a control of the chat. `usual` is what holds
    without it. `now` is what counts instead of `value` where a project's file lowers it.
    """

    name: str
    value: str
    usual: str
    now: str


class ProviderSettingShown(TypedDict):
    """A provider. `source` is where its key was found, `stored` whether ValeChat keeps that key and can forget it."""

    name: str
    kind: str
    base_url: str
    source: str
    stored: bool
    local: bool
    built_in: bool


class OpenSettings(TypedDict):
    """What is set now?"""

    type: Literal["open_settings"]


class ChangeChat(TypedDict):
    """Set a control of this chat; an empty value leaves it to the model."""

    type: Literal["change_chat"]
    number: int
    name: str
    value: str


class ChangeSettings(TypedDict):
    """Change `config.toml`, all or nothing: each name and, at the same place, its value; empty removes it."""

    type: Literal["change_settings"]
    number: int
    names: list[str]
    values: list[str]


class DeleteKey(TypedDict):
    """Forget a provider's key that ValeChat keeps."""

    type: Literal["delete_key"]
    number: int
    provider: str


class Settings(TypedDict):
    """All that is set. `problem` says why `file` cannot be read; then only the chat's controls are there."""

    type: Literal["settings"]
    seq: int
    file: str
    problem: str
    warnings: list[str]
    chat: list[SettingShown]
    settings: list[SettingShown]
    providers: list[ProviderSettingShown]


class SettingChanged(TypedDict):
    """The change `number` was made, or why it was not. The `settings` as they are then come before it."""

    type: Literal["setting_changed"]
    seq: int
    number: int
    error: ErrorShown | None
