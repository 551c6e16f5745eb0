"""What one panel does with plugins: which its chat uses, their prompts and resources for the composer."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import orjson

from valechat.attachments import read_bytes
from valechat.builtin_tools import NOTEBOOK
from valechat.chat import Chat
from valechat.errors import ConfigError, PluginError, ValeChatError
from valechat.ids import new_id
from valechat.messages import FilePart, ImagePart, Message, TextPart
from valechat.notebook.outbox import Outbox
from valechat.notebook.owntools import notebook_shown, switch_notebook
from valechat.notebook.protocol import (
    AttachResource,
    Complete,
    Completed,
    Fetched,
    ListOffers,
    Offers,
    Plugins,
    PluginShown,
    PromptArgumentShown,
    PromptShown,
    ResourceShown,
    UsePlugin,
    UsePrompt,
)
from valechat.notebook.shown import error_shown
from valechat.notebook.uploads import Uploads
from valechat.plugins.base import Content, PluginEvent, PluginInfo
from valechat.plugins.manager import Manager
from valechat.plugins.resources import Prompt, Resource, Template
from valechat.services import services

__all__ = ["PluginDesk"]

PACE = 0.5
"""Seconds between two messages about plugins' states, at least."""

SLOW = 10.0
"""Seconds that a plugin may take to say what it has ready."""

T = TypeVar("T")


class PluginDesk:
    """A panel's plugins. Used on the engine's loop.

    Opening a panel reads the user's file and starts nothing; a question, or a switch, does.
    """

    def __init__(self, chat: Chat, outbox: Outbox, uploads: Uploads) -> None:
        self._chat = chat
        self._outbox = outbox
        self._uploads = uploads
        self._manager: Manager | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._told: tuple[list[PluginShown], str] = ([], "")

    async def open(self) -> list[PluginShown]:
        """Know what plugins there are, and follow them from now on."""
        manager = services().plugins
        await manager.load()
        if self._manager is not manager:
            self._manager = manager
            _follow(manager, self)
        self._told = (self.shown(), self.problem)
        return self._told[0]

    @property
    def problem(self) -> str:
        """What is wrong with the plugins' file, and what to do; empty when nothing is."""
        error = None if self._manager is None else self._manager.problem
        return "" if error is None else f"{error.message} {error.fix}".strip()

    def shown(self) -> list[PluginShown]:
        """The notebook's own tools, and all plugins as they stand now."""
        own = notebook_shown(self._chat)
        return [own] if self._manager is None else [own, *(self._plugin(info) for info in self._manager.list())]

    async def use(self, message: UsePlugin) -> None:
        """Offer a plugin's tools in this chat, or not."""
        await self.open()
        if message["plugin"] == NOTEBOOK:
            switch_notebook(self._chat, on=message["on"])
            self._tell()
            return
        used = [one["id"] for one in self.shown() if one["used"] and one["id"] not in (message["plugin"], NOTEBOOK)]
        if message["on"]:
            used.append(message["plugin"])
        enabled = {info.id for info in services().plugins.list() if info.enabled}
        self._chat.plugins = "enabled" if set(used) == enabled and used else used
        self._tell()
        if message["on"]:
            await services().plugins.ensure([message["plugin"]])

    async def list_offers(self, message: ListOffers) -> None:
        """Tell what the plugins that run have ready."""
        manager = services().plugins
        what = message["what"]
        running = [info for info in manager.list() if info.state == "running" and what in info.capabilities]
        offers = Offers(type="offers", seq=0, what=what, prompts=[], resources=[], problems=[])
        if what == "prompts":
            found = await self._of_each(running, manager.prompts, offers["problems"])
            offers["prompts"] = [_prompt(prompt) for prompt in found]
        else:
            resources, templates = await asyncio.gather(
                self._of_each(running, manager.resources, offers["problems"]),
                self._of_each(running, manager.templates, []),
            )
            offers["resources"] = [*map(_resource, resources), *map(_template, templates)]
        self._outbox.send(offers)

    async def use_prompt(self, message: UsePrompt) -> None:
        """Bring a prompt's messages: their text for the composer, what is no text as attachments."""
        try:
            messages = await services().plugins.prompt(message["plugin"], message["name"], _texts(message["arguments"]))
        except ValeChatError as error:
            self._fetched(message["number"], error=error)
            return
        parts = [part for one in messages for part in one.parts if isinstance(part, ImagePart | FilePart)]
        self._fetched(message["number"], _text_of(messages), parts)

    async def attach(self, message: AttachResource) -> None:
        """Read a resource, and keep it as an attachment of the question that is being written."""
        manager = services().plugins
        try:
            uri = message["uri"]
            if "variables" in message:
                uri = await asyncio.to_thread(_expanded, uri, _texts(message["variables"]))
            contents = await manager.read_resource(message["plugin"], uri)
            most = services().settings.sizes.upload
            parts = [await asyncio.to_thread(_part, content, uri, message["name"], most) for content in contents]
            if not parts:
                raise PluginError(f"{uri} is empty.")
        except ValeChatError as error:
            self._fetched(message["number"], error=error)
            return
        self._fetched(message["number"], "", parts)

    async def complete(self, message: Complete) -> None:
        """Tell how a value may go on. A plugin that does not know has nothing to say."""
        try:
            values = await services().plugins.complete(
                message["plugin"],
                (message["kind"], message["ref"]),
                message["argument"],
                message["value"],
                _texts(message["filled"]),
            )
        except ValeChatError:
            values = []
        self._outbox.send(Completed(type="completed", seq=0, number=message["number"], values=values[:100]))

    def _plugin(self, info: PluginInfo) -> PluginShown:
        offered = [tool for tool in info.tools if tool.offered]
        problem = info.problem
        chosen = self._chat.plugins
        return PluginShown(
            id=info.id,
            name=info.name or info.id,
            state=info.state,
            used=info.enabled if chosen == "enabled" else info.id in chosen,
            tools=len(offered),
            tokens=sum(tool.tokens for tool in offered),
            problem="" if problem is None else f"{problem.message} {problem.fix}".strip(),
            prompts=info.state == "running" and "prompts" in info.capabilities,
            resources=info.state == "running" and "resources" in info.capabilities,
        )

    def happened(self, event: PluginEvent) -> None:
        """Tell the panel soon; what happens until then is told with it."""
        if event.kind != "log" and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PACE, self._tell)

    def _tell(self) -> None:
        self._timer = None
        now = (self.shown(), self.problem)
        if now != self._told:
            self._told = now
            self._outbox.send(Plugins(type="plugins", seq=0, plugins=now[0], problem=now[1]))

    async def _of_each(
        self, plugins: Iterable[PluginInfo], ask: Callable[[str], Awaitable[list[T]]], problems: list[str]
    ) -> list[T]:
        """What all of them say, side by side. One that fails or is slow takes nothing from the others."""

        async def one(info: PluginInfo) -> list[T]:
            try:
                async with asyncio.timeout(SLOW):
                    return await ask(info.id)
            except (ValeChatError, TimeoutError) as error:
                problems.append(f"{info.name or info.id}: {error if str(error) else 'no answer'}")
                return []

        return [found for each in await asyncio.gather(*map(one, plugins)) for found in each]

    def _fetched(
        self,
        number: int,
        text: str = "",
        parts: Sequence[ImagePart | FilePart] = (),
        error: ValeChatError | None = None,
    ) -> None:
        shown = self._uploads.keep_parts(new_id(), parts)
        self._outbox.send(
            Fetched(
                type="fetched",
                seq=0,
                number=number,
                text=text,
                attachments=shown,
                error=None if error is None else error_shown(error),
            )
        )


def _follow(manager: Manager, desk: PluginDesk) -> None:
    """Let the desk hear of events for as long as its panel lives."""
    seen = weakref.ref(desk)

    def happened(event: PluginEvent) -> None:
        alive = seen()
        if alive is None:
            end()
        else:
            alive.happened(event)

    end = manager.watch(happened)


def _prompt(prompt: Prompt) -> PromptShown:
    arguments = [
        PromptArgumentShown(
            name=one.name, title=one.title or one.name, description=one.description, required=one.required
        )
        for one in prompt.arguments
    ]
    return PromptShown(
        plugin=prompt.plugin,
        name=prompt.name,
        title=prompt.title,
        description=prompt.description,
        arguments=arguments,
    )


def _resource(found: Resource) -> ResourceShown:
    return ResourceShown(
        plugin=found.plugin,
        uri=found.uri,
        name=found.name,
        title=found.title,
        description=found.description,
        media_type=found.media_type,
        size=found.size,
        variables=[],
    )


def _template(found: Template) -> ResourceShown:
    variables = [PromptArgumentShown(name=name, title=name, description="", required=True) for name in found.variables]
    return ResourceShown(
        plugin=found.plugin,
        uri=found.uri,
        name=found.name,
        title=found.title,
        description=found.description,
        media_type=found.media_type,
        size=None,
        variables=variables,
    )


def _texts(written: str) -> dict[str, str]:
    """The values of a small form."""
    try:
        found = orjson.loads(written or "{}")
    except orjson.JSONDecodeError:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _expanded(template: str, values: dict[str, str]) -> str:
    """A template's address. Blocks: the SDK that knows RFC 6570 may have to be imported."""
    from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate

    try:
        return UriTemplate.parse(template).expand(values)
    except (InvalidUriTemplate, ValueError) as error:
        raise ConfigError(f"{template} is no address that can be filled in: {error}") from error


def _part(content: Content, uri: str, name: str, most: int) -> ImagePart | FilePart:
    """A resource's content as an attachment.

    Raises:
        TooLarge: It is larger than an attachment may be.
    """
    data = content.data or content.text.encode("utf-8", "replace")
    called = name or (content.uri or uri).rstrip("/").rpartition("/")[2] or uri
    part = read_bytes(data, called, most)
    if isinstance(part, ImagePart | FilePart):
        return part
    return FilePart(data, content.media_type or "text/plain", called)


def _text_of(messages: Sequence[Message]) -> str:
    """A prompt's text for the composer. Where it has several voices, each is named."""
    texts = [(one.role, part.text) for one in messages for part in one.parts if isinstance(part, TextPart)]
    if {role for role, _ in texts} <= {"user"}:
        return "\n\n".join(text for _, text in texts)
    return "\n\n".join(f"{role.capitalize()}: {text}" for role, text in texts)
