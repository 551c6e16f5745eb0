"""What can follow the words of `plugins`, for Tab. Starts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from valechat.errors import ValeChatError
from valechat.plugins.file import PluginsFile
from valechat.pluginverbs.words import LISTED, NAMES_A_PLUGIN, PERMITS
from valechat.services import services

__all__ = ["following"]

_NAMES_A_TOOL = frozenset({"call", "allow", "deny", "forget"})
_SEVERAL = frozenset({"enable", "disable", "restart", "remove"})


def following(given: Sequence[str]) -> Iterable[str]:
    """The words that can come next; none where something of the user's own has to."""
    if not given:
        return ["help", *LISTED]
    verb, *rest = given
    try:
        if verb == "tool":
            return (["on", "off"], _ids())[len(rest)] if len(rest) < 2 else _tools(rest[1])
        if verb == "add" and not rest:
            from valechat.plugins.catalogue import entries

            return [entry.id for entry in entries()]
        if verb in NAMES_A_PLUGIN and (not rest or verb in _SEVERAL):
            return [name for name in _ids() if name not in rest]
        if verb in ("grant", "revoke") and len(rest) == 1:
            return PERMITS
        if verb in _NAMES_A_TOOL and len(rest) == 1:
            return _tools(rest[0])
    except ValeChatError:
        pass  # Tab is no place for an error; the verb itself will say it
    return []


def _ids() -> list[str]:
    return list(PluginsFile(services().paths.plugins_file).read())


def _tools(plugin: str) -> list[str]:
    return [tool.name for tool in services().plugins.status(plugin).tools]
