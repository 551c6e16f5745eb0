"""What a confined server may do, changed by the user: granted, taken back, declined; asked for when a call fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from valechat.asking import Asker, Grant, GrantAsker
from valechat.errors import ConfigError, ValeChatError
from valechat.plugins.base import Answer, Content, Need, Permit, PluginInfo
from valechat.plugins.following import Following
from valechat.plugins.hub import Hub
from valechat.plugins.owner import Owner

if TYPE_CHECKING:
    from valechat.plugins.definition import Definition
    from valechat.plugins.file import PluginsFile

__all__ = ["Granting"]


class Granting:
    """Changes the permissions in the user's `mcp_plugins.json`, and nowhere else; the server restarts with them."""

    def __init__(self, following: Following, hub: Hub) -> None:
        self._following = following
        self._hub = hub
        self._asking = asyncio.Lock()

    async def grant(self, plugin: str, permit: Permit, value: str = "") -> PluginInfo:
        """Let it do one thing more.

        Args:
            plugin: Its id.
            permit: The permission, or `allow_degraded`.
            value: A path, a host, a variable's name; empty for all of the network and for `allow_degraded`.

        Raises:
            ConfigError: It cannot be granted, or may be done already, or the file cannot be written.
        """
        from valechat.plugins.permitting import widened

        return await self._change(plugin, lambda definition: widened(definition, permit, value))

    async def revoke(self, plugin: str, permit: str, value: str = "") -> PluginInfo:
        """Take a permission back; `value` is as it stands in the file.

        Raises:
            ConfigError: It has none of that kind, or the file cannot be written.
        """
        from valechat.plugins.permitting import narrowed

        return await self._change(plugin, lambda definition: narrowed(definition, permit, value))

    async def answered(self, plugin: str, permit: str, value: str, *, allow: bool) -> PluginInfo:
        """Answer what is offered for a plugin; what is not offered cannot be granted this way.

        Raises:
            ConfigError: It is not offered any more, or the file cannot be written.
        """
        owner = self._hub.owners.get(plugin)
        need = owner.needs.get(permit, value) if owner is not None else None
        if owner is None or need is None:
            raise ConfigError("This is not asked for any more.", fix="Look at the plugin's card again.")
        if allow:
            return await self.grant(plugin, need.permit, need.value)
        owner.needs.decline(need)
        self._hub.state_changed(owner)
        return owner.info()

    async def after_call(
        self, owner: Owner, answer: Answer, arguments: Mapping[str, Any], asker: Asker | None
    ) -> Answer:
        """A call's answer; where it failed for want of a permission and the user gives that, it says so to the model.

        Asked is only for what the sandbox itself refused or the call's own arguments name.
        """
        if not answer.is_error or owner.denials is None:
            return answer
        shown = orjson.dumps(arguments, default=str).decode()
        for need in await asyncio.to_thread(owner.denials.found, answer.text, shown):
            owner.needed(need)
        front_end: object = asker
        if not isinstance(front_end, GrantAsker):
            return answer
        granted = False
        async with self._asking:
            for need in owner.needs:
                if need.evidence != "server":
                    granted |= await self._asked(owner, need, front_end)
        if not granted:
            return answer
        told = Content("text", "The user has now given this plugin the permission that it lacked. Call the tool again.")
        return replace(answer, content=(*answer.content, told))

    async def _asked(self, owner: Owner, need: Need, asker: GrantAsker) -> bool:
        plugin = owner.definition.id
        if owner.needs.get(need.permit, need.value) is None:  # answered meanwhile
            return False
        question = Grant(plugin, need.permit, need.value, proven=need.evidence == "sandbox")
        if not await asker.grant(question):
            owner.needs.decline(need)
            self._hub.state_changed(owner)
            return False
        try:
            await self.grant(plugin, need.permit, need.value)
        except ValeChatError as error:
            owner.log.add("valechat", "warning", f"It could not be allowed: {error}")
            return False
        return True

    async def _change(self, plugin: str, change: Callable[[Definition], dict[str, Any]]) -> PluginInfo:
        def changed(file: PluginsFile) -> None:
            known = file.read().get(plugin)
            if known is None:
                raise ConfigError(f'There is no plugin "{plugin}" in the file.')
            file.change(plugin, **change(known))

        await self._following.fresh()
        await self._following.edit(changed)
        return await self._hub.owners[plugin].settled()
