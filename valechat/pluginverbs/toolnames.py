"""What a name after `--tools` means among plugins: a plugin, or one tool of one."""

from __future__ import annotations

from collections.abc import Iterable

from valechat.errors import ConfigError
from valechat.plugins.file import PluginsFile
from valechat.services import services

__all__ = ["named_in_plugins", "plugins_by_name"]


def named_in_plugins(name: str) -> str | None:
    """The plugin's id, or `plugin/tool` for `plugin_tool`, as `Chat(plugins=…)` takes them; None for neither.

    Starts nothing, so that a tool of a plugin that does not run is believed to be there. Blocking, small.

    Raises:
        ConfigError: The plugins' file is broken.
    """
    known = PluginsFile(services().paths.plugins_file).read()
    plugin, one, _tool = name.partition("/")
    if plugin in known:
        return name
    if one:
        return None
    for info in services().plugins.list():
        for tool in info.tools:
            if tool.public_name == name:
                return f"{info.id}/{tool.name}"
    owners = [plugin for plugin in known if name.startswith(f"{plugin}_")]
    if not owners:
        return None
    longest = max(owners, key=len)
    return f"{longest}/{name.removeprefix(f'{longest}_')}"


def plugins_by_name(names: Iterable[str]) -> tuple[str, ...]:
    """What `Chat(plugins=…)` takes for these names.

    Raises:
        ConfigError: One of them is neither a plugin nor one's tool, or the file is broken.
    """
    found = []
    for name in names:
        one = named_in_plugins(name)
        if one is None:
            known = ", ".join(PluginsFile(services().paths.plugins_file).read()) or "none yet"
            raise ConfigError(f"--tools: there is no plugin named {name}.", fix=f"There are: {known}.")
        found.append(one)
    return tuple(found)
