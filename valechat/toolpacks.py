"""Tool packs: functions of other packages that are offered to models by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from valechat.errors import ConfigError
from valechat.functions import marked_as, options_of

__all__ = ["GROUP", "pack_tools", "packs"]

GROUP = "valechat.tools"
"""The entry points by which other packages bring packs. Each gives its functions, or a sequence of them."""


@cache
def packs() -> tuple[str, ...]:
    """The names of the packs that are installed. None is loaded."""
    return tuple(sorted(entry.name for entry in entry_points(group=GROUP)))


def pack_tools(name: str) -> list[Callable[..., Any]] | None:
    """The functions of a pack (`workdays`) or one of them (`workdays/add_workdays`); None where there is no such pack.

    Raises:
        ConfigError: The pack cannot be loaded, or has no such function.
    """
    pack, _, one = name.partition("/")
    if pack not in packs():
        return None
    (entry, *_) = entry_points(group=GROUP, name=pack)
    tools = {function.__name__: function for function in _loaded(entry)}
    if one and one not in tools:
        raise ConfigError(f"The tool pack {pack} has no tool {one!r}.", fix=f"It has {', '.join(tools)}.")
    chosen = [tools[one]] if one else list(tools.values())
    return [marked_as(tool, replace(options_of(tool), plugin=pack)) for tool in chosen]


def _loaded(entry: EntryPoint) -> list[Callable[..., Any]]:
    try:
        found = entry.load()
        tools = found() if callable(found) else found
        if not all(inspect.isroutine(tool) for tool in tools):
            raise TypeError("not all of its tools are functions")
        return list(tools)
    except Exception as error:  # another package's code can raise anything
        raise ConfigError(
            f"The tool pack {entry.name} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}",
            fix="Update or remove the package it comes from.",
        ) from error
