"""Python functions as tools."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError, validate_call
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, to_json

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.messages import ToolCallPart, ToolResultPart
from valechat.providers.base import ToolSpec
from valechat.toolbox import Called

if TYPE_CHECKING:
    from valechat.asking import Asker
    from valechat.plugins.base import Progress

__all__ = ["FunctionTools"]

MOST_INPUT_BYTES = 10_000
TIMEOUT = 30.0
"""Seconds a tool may take."""


class FunctionTools:
    """Functions of the notebook, offered to the model.

    They run where user code runs: on the main thread, inside the bridge that waits there or between
    two cells. Arguments are validated against the annotations; a function that raises answers the
    model with its error. `most_input_bytes` bounds a call's arguments.

    Raises:
        ConfigError: A function has no name a provider accepts, or an annotation without a schema.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]], *, timeout: float = TIMEOUT) -> None:
        self.most_input_bytes = MOST_INPUT_BYTES
        self._timeout = timeout
        self._functions: dict[str, Callable[..., Any]] = {}
        self._specs: list[ToolSpec] = []
        for function in functions:
            spec = _spec(function)
            if spec.name in self._functions:
                raise ConfigError(f"Two tools are named `{spec.name}`.", fix="Rename one of the functions.")
            self._functions[spec.name] = validate_call(function)
            self._specs.append(spec)

    def specs(self) -> Sequence[ToolSpec]:
        """See `Toolbox.specs`."""
        return self._specs

    def origin(self, name: str) -> tuple[str, str]:
        """See `Toolbox.origin`."""
        return ("notebook" if name in self._functions else ""), name

    async def call(
        self,
        call: ToolCallPart,
        *,
        asker: Asker | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Called:
        """See `Toolbox.call`. Nobody is asked: the user offered the function by writing it."""
        del asker, on_progress
        function = self._functions.get(call.name)
        if function is None:
            return _error(call, f"There is no tool named `{call.name}`; there are: {', '.join(self._functions)}.")
        if len(call.arguments.encode()) > self.most_input_bytes:
            return _error(call, f"The arguments are over {self.most_input_bytes} bytes; send less.")
        try:
            arguments = TypeAdapter(dict[str, Any]).validate_json(call.arguments or "{}")
            async with asyncio.timeout(self._timeout):
                value = await engine().on_main(functools.partial(function, **arguments))
        except ValidationError as error:
            return _error(call, f"The arguments do not fit: {_complaints(error)}.")
        except TimeoutError:
            return _error(call, f"The tool did not end within {self._timeout:g} s.", status="timeout")
        except Exception as error:  # noqa: BLE001  # whatever the user's function raises is the model's to read
            return _error(call, f"{type(error).__name__}: {error}")
        return Called(ToolResultPart(call.id, call.name, _text(value)), "notebook", "ok")


def _spec(function: Callable[..., Any]) -> ToolSpec:
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise ConfigError(
            f"{function!r} cannot be offered as a tool: it has no name.", fix="Write it with `def`, not `lambda`."
        )
    try:
        checked: Any = validate_call(function)
        schema = TypeAdapter(checked).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError, NameError) as error:
        raise ConfigError(
            f"`{name}` cannot be offered as a tool: {str(error).splitlines()[0]}",
            fix="Annotate its parameters with plain types, dataclasses or pydantic models.",
        ) from error
    return ToolSpec(name, inspect.getdoc(function) or "", {"properties": {}, **schema, "type": "object"})


def _error(call: ToolCallPart, text: str, *, status: str = "error") -> Called:
    return Called(ToolResultPart(call.id, call.name, text, is_error=True), "notebook", status)


def _complaints(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(step) for step in found['loc']) or 'JSON'}: {found['msg']}" for found in error.errors()[:5]
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return repr(value)
