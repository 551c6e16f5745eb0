"""Python functions as tools."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import to_json

from valechat.engine import engine
from valechat.errors import ConfigError, ToolFailed
from valechat.functions import ToolOptions, options_of
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.providers.base import ToolSpec
from valechat.toolbox import Called
from valechat.toolresults import told

if TYPE_CHECKING:
    from valechat.asking import Asker
    from valechat.plugins.approvals import Approvals
    from valechat.plugins.base import PluginTool, Progress

__all__ = ["FunctionTools"]

MOST_INPUT_BYTES = 10_000
TIMEOUT = 30.0
"""Seconds a tool may take."""


@dataclass(frozen=True, slots=True)
class _Function:
    """A function that is offered. `source` is a digest of its code: what is allowed is allowed for this one."""

    call: Callable[..., Any]
    spec: ToolSpec
    options: ToolOptions
    source: str


class FunctionTools:
    """Functions of the notebook, offered to the model.

    They run where user code runs: on the main thread, inside the bridge that waits there or between
    two cells, or as `@valechat.tool` says. Arguments are validated against the annotations; a function that
    raises answers the model with its error. `most_input_bytes` bounds a call's arguments, `most_output` the
    characters of a result that the model gets, `budget` the tokens of a table in it; `approvals` remembers what the
    user decided, None where nothing is remembered.

    Raises:
        ConfigError: A function has no name a provider accepts, or an annotation without a schema.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]], *, timeout: float = TIMEOUT) -> None:
        self.most_input_bytes = MOST_INPUT_BYTES
        self.most_output = 30_000
        self.budget = 1_500
        self.approvals: Approvals | None = None
        self._timeout = timeout
        self._functions: dict[str, _Function] = {}
        for function in functions:
            offered = _offered(function)
            if offered.spec.name in self._functions:
                raise ConfigError(f"Two tools are named `{offered.spec.name}`.", fix="Rename one of the functions.")
            self._functions[offered.spec.name] = offered

    def specs(self) -> Sequence[ToolSpec]:
        """See `Toolbox.specs`."""
        return [one.spec for one in self._functions.values()]

    def origin(self, name: str) -> tuple[str, str]:
        """See `Toolbox.origin`."""
        found = self._functions.get(name)
        return ("" if found is None else found.options.plugin), name

    async def call(
        self,
        call: ToolCallPart,
        *,
        asker: Asker | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Called:
        """See `Toolbox.call`. The user is asked where the function's decorator says so."""
        del on_progress
        function = self._functions.get(call.name)
        if function is None:
            return _error(call, f"There is no tool named `{call.name}`; there are: {', '.join(self._functions)}.")
        if len(call.arguments.encode()) > self.most_input_bytes:
            return _error(call, f"The arguments are over {self.most_input_bytes} bytes; send less.")
        try:
            arguments = TypeAdapter(dict[str, Any]).validate_json(call.arguments or "{}")
        except ValidationError as error:
            return _error(call, f"The arguments do not fit: {_complaints(error)}.")
        note = ""
        if function.options.approve:
            allowed, told_so, note = await self._asked(function, call, asker)
            if not allowed:
                return _error(call, told_so, status="refused", note=note)
        began = time.monotonic()
        called = await self._run(function, call, arguments)
        lasted = round((time.monotonic() - began) * 1000)
        return Called(called.result, function.options.plugin, called.status, lasted, note=note)

    async def _run(self, function: _Function, call: ToolCallPart, arguments: dict[str, Any]) -> Called:
        limit = self._timeout if function.options.timeout is None else function.options.timeout or None
        run = functools.partial(function.call, **arguments)
        try:
            async with asyncio.timeout(limit):
                value = await _where(_not_ending(run), function.options)
        except ValidationError as error:
            return _error(call, f"The arguments do not fit: {_complaints(error)}.")
        except TimeoutError:
            return _error(call, f"The tool did not end within {limit:g} s.", status="timeout")
        except ToolFailed as error:
            return _error(call, str(error))
        except Exception as error:  # noqa: BLE001  # whatever the user's function raises is the model's to read
            return _error(call, f"{type(error).__name__}: {error}")
        try:
            found = await asyncio.to_thread(told, value, budget=self.budget, most=self.most_output)
        except Exception as error:  # noqa: BLE001  # whatever the result's own code raises when it is written down
            return _error(call, f"The result could not be written down. {type(error).__name__}: {error}")
        result = ToolResultPart(call.id, call.name, found.text, images=found.images, table=found.table, value=value)
        return Called(result, function.options.plugin, "ok")

    async def _asked(self, function: _Function, call: ToolCallPart, asker: Asker | None) -> tuple[bool, str, str]:
        """Whether it may run; what the model is told if not, and what the user should know."""
        from valechat.plugins.consent import Consent

        consent = Consent(
            self.approvals,
            lambda _plugin: False,
            lambda _plugin: function.source,
            each_time=function.options.approve == "always",
        )
        answered = await consent.ask(_as_tool(function), call.arguments or "{}", call.id, asker)
        return answered.allowed, answered.told, answered.note


def _not_ending(run: Callable[[], Any]) -> Callable[[], Any]:
    """The call, failed by a `sys.exit()` of the function's: it would end the cell, or the engine's loop."""

    def called() -> Any:
        try:
            found = run()
        except SystemExit as error:
            raise ToolFailed(f"SystemExit: {error}") from error
        return _Ending(found) if inspect.isawaitable(found) else found

    return called


class _Ending:
    """What an `async` function returned, with its `sys.exit()` failed as well. Closed where nobody will await it."""

    def __init__(self, found: Awaitable[Any]) -> None:
        self._found = found

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            return (yield from self._found.__await__())
        except SystemExit as error:
            raise ToolFailed(f"SystemExit: {error}") from error

    def close(self) -> None:
        if inspect.iscoroutine(self._found):
            self._found.close()


async def _where(run: Callable[[], Any], options: ToolOptions) -> Any:
    """Run a function where it belongs."""
    if options.runs == "main":
        return await engine().on_main(run)
    if options.runs == "engine":
        found = run()
        return await found if inspect.isawaitable(found) else found
    return await asyncio.to_thread(_to_the_end, run)


def _to_the_end(run: Callable[[], Any]) -> Any:
    """Run a function on this thread, one that is `async` on a loop of its own."""
    found = run()
    return asyncio.run(_awaited(found)) if inspect.isawaitable(found) else found


async def _awaited(found: Any) -> Any:
    return await found


def _offered(function: Callable[..., Any]) -> _Function:
    options = options_of(function)
    name = str(options.name or getattr(function, "__name__", ""))
    if not options.name and not name.isidentifier():
        raise ConfigError(
            f"{function!r} cannot be offered as a tool: it has no name.", fix="Write it with `def`, not `lambda`."
        )
    if _takes_nameless(function):
        raise ConfigError(
            f"`{name}` cannot be offered as a tool: it takes arguments without a name, and models name each one.",
            fix="Write a function with `def` that takes them by name and calls it.",
        )
    try:
        checked: Any = validate_call(function)
        schema = TypeAdapter(checked).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError, NameError) as error:
        raise ConfigError(
            f"`{name}` cannot be offered as a tool: {str(error).splitlines()[0]}",
            fix="Annotate its parameters with plain types, dataclasses or pydantic models.",
        ) from error
    description = inspect.getdoc(function) or "" if options.description is None else options.description
    spec = ToolSpec(name, description, {"properties": {}, **schema, "type": "object"})
    return _Function(checked, spec, options, _source(function))


def _takes_nameless(function: Callable[..., Any]) -> bool:
    """Whether a parameter stands before `/` or is `*args`."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False  # some of C's functions have no signature
    nameless = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    return any(parameter.kind in nameless for parameter in parameters)


def _source(function: Callable[..., Any]) -> str:
    """A digest of a function's code, by which a changed one is another one."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = repr(code.co_code) if code is not None else repr(function)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _as_tool(function: _Function) -> PluginTool:
    """The function as approvals know tools."""
    from valechat.plugins.base import PluginTool

    spec = function.spec
    schema = to_json(spec.parameters)
    fingerprint = hashlib.sha256(spec.description.encode() + schema).hexdigest()[:16]
    return PluginTool(
        function.options.plugin,
        spec.name,
        spec.name,
        "",
        spec.description,
        spec.parameters,
        fingerprint=fingerprint,
        destructive=False,
    )


def _error(call: ToolCallPart, text: str, *, status: str = "error", note: str = "") -> Called:
    return Called(ToolResultPart(call.id, call.name, text, is_error=True), "notebook", status, note=note)


def _complaints(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(step) for step in found['loc']) or 'JSON'}: {found['msg']}" for found in error.errors()[:5]
    )
