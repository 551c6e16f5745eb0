"""A server that is connected: what it offers, and calls to it.

Calls run in their callers' tasks; when one is cancelled or runs out of time, the server is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import mcp_types as types
from mcp import MCPError
from mcp.client import ClientSession
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from valechat.asking import Asker
from valechat.errors import PluginError, ToolFailed
from valechat.messages import Message
from valechat.plugins import answers, ends, lists
from valechat.plugins.base import Answer, Content, PluginTool, Progress
from valechat.plugins.deadline import Deadline
from valechat.plugins.hearing import LOG_LEVEL
from valechat.plugins.questions import Questions
from valechat.plugins.resources import Prompt, Resource, Template
from valechat.plugins.transports.base import Link
from valechat.plugins.wire import Wire

__all__ = ["Connection"]

MOST_ROUNDS = 10
"""How often a server may ask something before it answers one call."""

T = TypeVar("T")

_CALLED: TypeAdapter[Any] = TypeAdapter(types.CallToolResult | types.InputRequiredResult)
_PROMPTED: TypeAdapter[Any] = TypeAdapter(types.GetPromptResult | types.InputRequiredResult)
_READ: TypeAdapter[Any] = TypeAdapter(types.ReadResourceResult | types.InputRequiredResult)


class Connection:
    """A connected server. Everything it is asked is bounded in time by the caller or the definition."""

    def __init__(self, definition: Any, link: Link, wire: Wire, session: ClientSession, questions: Questions) -> None:
        self._id: str = definition.id
        self.title: str = definition.title
        self.call_timeout: float = definition.call_timeout
        self.link = link
        self._wire = wire
        self._session = session
        self._questions = questions
        self._over: asyncio.Future[PluginError] = asyncio.get_running_loop().create_future()
        self._modern = wire.version in MODERN_PROTOCOL_VERSIONS
        self.protocol = wire.version
        info = session.server_info
        self.server = f"{info.title or info.name} {info.version}".strip() if info else ""
        self.instructions = session.instructions or ""
        offered = session.server_capabilities or types.ServerCapabilities()
        named = {name: getattr(offered, name, None) for name in types.ServerCapabilities.model_fields}
        self.capabilities = frozenset(name for name, value in named.items() if value is not None)

    @property
    def busy(self) -> bool:
        """Whether a call is under way: a server that is at work may be slow to answer anything else."""
        return self._questions.busy

    @property
    def answers(self) -> int:
        """How many requests it has answered."""
        return self._wire.answers

    def over(self, error: PluginError) -> None:
        """Calls that are cut off from now on are told this."""
        if not self._over.done():
            self._over.set_result(error)

    async def end(self) -> str:
        """Wait until the connection ends by itself, and say in one sentence why."""
        waits: list[asyncio.Future[object]] = [
            asyncio.ensure_future(self._wire.ended.wait()),
            asyncio.ensure_future(self._told_end()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ends.END_SECONDS):
                    return await ends.reason(self.link)
            return ends.GONE
        finally:
            for waiting in waits:
                waiting.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _told_end(self) -> None:
        """Wait until the transport says that it is over; without end where it cannot know."""
        if self.link.ended is None:
            await asyncio.Event().wait()
        else:
            await self.link.ended()

    async def check(self, *, differently: bool = False) -> bool:
        """Whether it answers, be it with an error; `differently` asks one that may not know pings for its tools."""
        try:
            if differently and "tools" in self.capabilities:
                await self._session.list_tools()
            elif self._modern:
                await self._session.send_discover(self.protocol)
            else:
                await self._session.send_ping()
        except MCPError as error:
            return error.code not in ends.UNREACHED
        except ValidationError:
            return True
        return True

    async def set_log_level(self) -> None:
        """Ask for its log, where it has one; since 2026-07-28 each request asks. A refusal does no harm."""
        if "logging" not in self.capabilities or self._modern:
            return
        params = types.SetLevelRequestParams(level=LOG_LEVEL)
        with contextlib.suppress(MCPError, TimeoutError, ValidationError):
            async with asyncio.timeout(self.call_timeout):
                await self._session.send_request(types.SetLevelRequest(params=params), types.EmptyResult)

    async def tools(self) -> tuple[tuple[PluginTool, ...], str]:
        """Its tools, and what is to be said of the list."""
        if "tools" not in self.capabilities:
            return (), ""
        listed = await self._listed(
            "tools",
            lambda: lists.pages(lambda params: self._session.list_tools(params=params), lambda page: page.tools),
        )
        return await asyncio.to_thread(lists.offered_tools, self._id, listed), listed.note

    async def resources(self) -> list[Resource]:
        """Its resources."""
        listed = await self._listed(
            "resources",
            lambda: lists.pages(
                lambda params: self._session.list_resources(params=params), lambda page: page.resources
            ),
        )
        return [lists.resource(self._id, found) for found in listed.entries]

    async def templates(self) -> list[Template]:
        """Its resources' templates."""
        listed = await self._listed(
            "resources",
            lambda: lists.pages(
                lambda params: self._session.list_resource_templates(params=params),
                lambda page: page.resource_templates,
            ),
        )
        return [lists.template(self._id, found) for found in listed.entries]

    async def prompts(self) -> list[Prompt]:
        """Its prompts."""
        listed = await self._listed(
            "prompts",
            lambda: lists.pages(lambda params: self._session.list_prompts(params=params), lambda page: page.prompts),
        )
        return [lists.prompt(self._id, found) for found in listed.entries]

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float | None,
        on_progress: Callable[[Progress], None] | None,
        asker: Asker | None,
    ) -> Answer:
        """Call a tool.

        Raises:
            ToolFailed: It did not answer in time.
            PluginError: The server refused the call, or ended meanwhile.
        """

        def request(said: types.InputRequiredResult | None, replies: types.InputResponses | None) -> Any:
            return types.CallToolRequest(
                params=types.CallToolRequestParams(
                    name=tool,
                    arguments=dict(arguments),
                    input_responses=replies,
                    request_state=said.request_state if said else None,
                )
            )

        result: types.CallToolResult = await self._asked(
            request, _CALLED, f"the call of {tool}", timeout=timeout, on_progress=on_progress, asker=asker
        )
        return answers.answer(result)

    async def read(self, uri: str, *, asker: Asker | None = None) -> tuple[Content, ...]:
        """Read a resource."""

        def request(said: types.InputRequiredResult | None, replies: types.InputResponses | None) -> Any:
            state = said.request_state if said else None
            params = types.ReadResourceRequestParams(uri=uri, input_responses=replies, request_state=state)
            return types.ReadResourceRequest(params=params)

        result: types.ReadResourceResult = await self._asked(request, _READ, f"reading {uri}", asker=asker)
        return tuple(answers.resource_content(found) for found in result.contents)

    async def prompt(self, name: str, arguments: Mapping[str, str], *, asker: Asker | None = None) -> list[Message]:
        """Have a prompt made."""

        def request(said: types.InputRequiredResult | None, replies: types.InputResponses | None) -> Any:
            return types.GetPromptRequest(
                params=types.GetPromptRequestParams(
                    name=name,
                    arguments=dict(arguments),
                    input_responses=replies,
                    request_state=said.request_state if said else None,
                )
            )

        result: types.GetPromptResult = await self._asked(request, _PROMPTED, f"the prompt {name}", asker=asker)
        return [answers.message(found) for found in result.messages]

    async def complete(
        self, ref: tuple[str, str], argument: str, value: str, context: Mapping[str, str] | None
    ) -> list[str]:
        """Ways to go on with what was typed for an argument; empty where the server knows none."""
        if "completions" not in self.capabilities:
            return []
        kind, name = ref
        about: types.PromptReference | types.ResourceTemplateReference = (
            types.PromptReference(name=name) if kind == "prompt" else types.ResourceTemplateReference(uri=name)
        )

        async def ask() -> list[str]:
            completed = await self._session.complete(
                about, {"name": argument, "value": value}, dict(context) if context else None
            )
            return completed.completion.values

        return await self._bounded(ask, f"completing {argument}", Deadline(self.call_timeout))

    async def _listed(self, what: str, fetch: Callable[[], Awaitable[lists.Listed]]) -> lists.Listed:
        if what not in self.capabilities:
            return lists.Listed([], [])
        return await self._bounded(fetch, f"listing its {what}", Deadline(max(self.call_timeout, 30.0)))

    async def _asked(
        self,
        request: Callable[[types.InputRequiredResult | None, types.InputResponses | None], Any],
        adapter: TypeAdapter[Any],
        doing: str,
        *,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        asker: Asker | None = None,
    ) -> Any:
        """Send a request the server may answer with questions, answer those, and send it again."""
        deadline = Deadline(timeout if timeout is not None else self.call_timeout)

        async def heard(progress: float, total: float | None, message: str | None) -> None:
            deadline.extend()
            if on_progress is not None:
                on_progress(Progress(progress, total, message or ""))

        async def send(said: types.InputRequiredResult | None, replies: types.InputResponses | None) -> Any:
            return await self._session.send_request(request(said, replies), adapter, progress_callback=heard)

        async def rounds() -> Any:
            found = await self._persistent(send)
            for _ in range(MOST_ROUNDS):
                if not isinstance(found, types.InputRequiredResult):
                    return found
                found = await send(found, await self._replies(found))
            raise PluginError(f"{self.title} asked more than {MOST_ROUNDS} times before it answered {doing}.")

        with self._questions.call(asker, deadline):
            return await self._bounded(rounds, doing, deadline)

    async def _persistent(self, send: Callable[[None, None], Awaitable[Any]]) -> Any:
        """Send once, and again where the server names something that has to come first and now has."""
        try:
            return await send(None, None)
        except MCPError as error:
            if error.code == types.HEADER_MISMATCH and self._modern:
                await self.tools()  # the schema of a tool is out of date, and with it the headers it asks for
            elif error.code == types.URL_ELICITATION_REQUIRED:
                required = types.ElicitationRequiredErrorData.model_validate(error.data).elicitations
                for page in required:
                    if not await self._questions.visit(page):
                        raise PluginError(f"{self.title} needs a page to be visited, which was declined.") from error
            else:
                raise
        return await send(None, None)

    async def _replies(self, asked: types.InputRequiredResult) -> types.InputResponses | None:
        from mcp.client import ClientRequestContext

        if not asked.input_requests:
            await asyncio.sleep(0.1)  # it only wants the request again, a little later
            return None
        replies: types.InputResponses = {}
        for key, question in asked.input_requests.items():
            reply = await self._session.dispatch_input_request(
                ClientRequestContext(session=self._session, request_id=key), question
            )
            if isinstance(reply, types.ErrorData):
                raise MCPError.from_error_data(reply)
            replies[key] = reply
        return replies

    async def _bounded(self, ask: Callable[[], Awaitable[T]], doing: str, deadline: Deadline) -> T:
        try:
            async with deadline:
                return await ask()
        except TimeoutError as error:
            if not deadline.expired:
                raise PluginError(f"{self.title} could not be reached for {doing}.") from error
            raise ToolFailed(
                f"{self.title} took longer than {deadline.seconds:g} s for {doing}, so it was cancelled.",
                fix="Raise the plugin's call_timeout if it needs longer.",
            ) from error
        except MCPError as error:
            raise await self._refused(error, doing) from error
        except PydanticSerializationError as error:
            raise PluginError(
                f"What was given for {doing} cannot be written as JSON.", fix="Give text, numbers, lists and tables."
            ) from error
        except ValidationError as error:
            raise PluginError(
                f"{self.title} answered {doing} with something the protocol does not allow.",
                fix="Update the server; its author may want to know.",
            ) from error

    async def _refused(self, error: MCPError, doing: str) -> PluginError:
        if await ends.cut_off(self._wire, error) or self._over.done():
            return await self._end_of_call()
        if error.code in ends.UNREACHED:
            problem = self.link.problem() if self.link.problem else None
            if problem is not None:
                return problem
        return PluginError(f"{self.title} refused {doing}: {error.message.rstrip('.')}.")

    async def _end_of_call(self) -> PluginError:
        """Why the connection went from under a call. Its owner knows best."""
        reason = asyncio.ensure_future(ends.reason(self.link))
        try:
            either: list[asyncio.Future[Any]] = [self._over, reason]
            await asyncio.wait(either, timeout=ends.END_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not self._over.done():
                await asyncio.wait({self._over}, timeout=ends.CUT_SECONDS)
            if self._over.done():
                return self._over.result()
            return PluginError((await reason) if reason.done() else ends.GONE)
        finally:
            reason.cancel()
            await asyncio.gather(reason, return_exceptions=True)
