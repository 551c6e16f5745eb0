"""The user's settings: `config.toml`, and a project's `.valechat.toml`.

`load_settings` reads them, `SettingsFile` notices when they change, `change_settings` and
`change_limits` write them, `resolve` puts the environment's variables in at the moment of use.
"""

from __future__ import annotations

from valechat.config.edit import change_limits, change_settings
from valechat.config.file import SettingsFile
from valechat.config.known import KNOWN, KnownProvider
from valechat.config.load import load_settings
from valechat.config.names import parse_model
from valechat.config.schema import (
    ConversationLimits,
    Limits,
    ModelLimits,
    PluginSettings,
    PriceSettings,
    ProviderSettings,
    RateLimits,
    Retention,
    Settings,
    Sizes,
    VariableSettings,
)
from valechat.config.variables import resolve, variables_in

__all__ = [
    "KNOWN",
    "ConversationLimits",
    "KnownProvider",
    "Limits",
    "ModelLimits",
    "PluginSettings",
    "PriceSettings",
    "ProviderSettings",
    "RateLimits",
    "Retention",
    "Settings",
    "SettingsFile",
    "Sizes",
    "VariableSettings",
    "change_limits",
    "change_settings",
    "load_settings",
    "parse_model",
    "resolve",
    "variables_in",
]
