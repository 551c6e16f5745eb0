"""`@valechat.tool`: how a Python function is offered to models, where that is not what its signature says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

from valechat.errors import ConfigError

__all__ = ["NOTEBOOK", "ToolOptions", "marked_as", "options_of", "tool"]

NOTEBOOK = "notebook"
"""The id under which functions of the notebook, and the notebook's own tools, are known beside plugins."""

F = TypeVar("F", bound=Callable[..., Any])

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MARK = "__valechat_tool__"


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """How a function is offered.

    Attributes:
        name: What models call it; None for the function's own name.
        description: What models read of it; None for its docstring.
        runs: `main`: on the main thread, as cells do; `thread`: on a thread of its own, beside them; `engine`: on
            the engine's loop, for the product's own.
        approve: `False`: never asked about; `True`: the user is asked, and the answer may be remembered;
            `"always"`: asked each time.
        timeout: Seconds it may take; None for the usual, 0 for as long as it likes.
        plugin: Whose tool it is on its card and in the ledger.
    """

    name: str | None = None
    description: str | None = None
    runs: Literal["main", "thread", "engine"] = "main"
    approve: bool | Literal["always"] = False
    timeout: float | None = None
    plugin: str = NOTEBOOK


_PLAIN = ToolOptions()


@overload
def tool(function: F, /) -> F: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    thread_safe: bool = False,
    approve: bool | Literal["always"] = False,
    timeout: float | None = None,
) -> Callable[[F], F]: ...


def tool(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    thread_safe: bool = False,
    approve: bool | Literal["always"] = False,
    timeout: float | None = None,
) -> F | Callable[[F], F]:
    """Say how a function is offered to models. It stays the function it is.

        @valechat.tool(approve=True, timeout=60)
        def delete_rows(table: str, where: str) -> int:
            "Delete rows of a table; gives how many."

        chat = valechat.Chat(tools=[delete_rows])

    Args:
        function: The function, where the decorator is written without arguments.
        name: What models call it, in place of its own name.
        description: What models read of it, in place of its docstring.
        thread_safe: It may run on a thread of its own, beside your cells. Otherwise it runs where cells run, between
            two of them.
        approve: Ask you before it runs, on the call's card; your answer can be remembered. `"always"` asks each time.
        timeout: Seconds after which the model is told that it took too long; 30 if left out, 0 for no end.

    Raises:
        ConfigError: The name or the timeout cannot be right.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a tool.", fix="Use up to 64 letters, digits, _ and -, a letter first."
        )
    if timeout is not None and timeout < 0:
        raise ConfigError(f"A tool cannot take {timeout} s.", fix="Give seconds above 0, or 0 for no end.")
    options = ToolOptions(name, description, "thread" if thread_safe else "main", approve, timeout)

    def mark(marked: F) -> F:
        return marked_as(marked, options)

    return mark if function is None else mark(function)


def marked_as(function: F, options: ToolOptions) -> F:
    """The function, offered as the options say.

    Raises:
        ConfigError: Nothing can be said of it, because it is a method or a builtin.
    """
    try:
        setattr(function, _MARK, options)
    except (AttributeError, TypeError) as error:
        raise ConfigError(
            f"{function!r} cannot be decorated.", fix="Write a function with `def` that calls it, and decorate that."
        ) from error
    return function


def options_of(function: Callable[..., Any]) -> ToolOptions:
    """How a function is offered."""
    found = getattr(function, _MARK, _PLAIN)
    return found if isinstance(found, ToolOptions) else _PLAIN
