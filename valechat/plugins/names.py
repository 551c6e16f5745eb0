"""The names under which plugins' tools are told to models.

Every provider takes letters, digits, `_` and `-`, at most 64 of them (OpenAI's and Anthropic's references),
and Gemini wants a letter or `_` first. What a server calls its tools, and a user his plugins, is freer.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

__all__ = ["MOST_LETTERS", "public_name", "public_names"]

MOST_LETTERS = 64
_DIGEST = 10
_FOREIGN = re.compile(r"[^a-zA-Z0-9_-]")


def public_names(
    tools_by_plugin: Mapping[str, Iterable[str]], taken: Collection[str] = ()
) -> dict[tuple[str, str], str]:
    """A name for each `(plugin, tool)`: `plugin_tool`, valid for every provider, and no two the same.

    The names follow from what is given, never from its order. Where two tools would have one name
    (`a_b` with `c`, and `a` with `b_c`), all of them get a digest of their own: a name that a model has
    learned for one tool must not come to mean another.

    Args:
        tools_by_plugin: The servers' own names of their tools, by the plugin's id.
        taken: Names that something else has, such as the notebook's functions.
    """
    keys = [(plugin, tool) for plugin, tools in tools_by_plugin.items() for tool in dict.fromkeys(tools)]
    apart: set[tuple[str, str]] = set()
    while True:
        names = {key: public_name(*key, told_apart=key in apart) for key in keys}
        often = Counter(names.values())
        alike = {key for key, name in names.items() if often[name] > 1 or name in taken} - apart
        if not alike:
            return names
        apart |= alike


def public_name(plugin: str, tool: str, *, told_apart: bool = False) -> str:
    """The name a tool has by itself; `told_apart` adds a digest of plugin and tool, as a long name has always."""
    name = _FOREIGN.sub("_", f"{plugin}_{tool}")
    if not (name[0].isalpha() or name[0] == "_"):
        name = f"_{name}"
    if len(name) <= MOST_LETTERS and not told_apart:
        return name
    digest = hashlib.sha256(f"{plugin}\0{tool}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{name[: MOST_LETTERS - _DIGEST - 1]}_{digest}"
