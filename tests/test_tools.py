"""Python functions as tools: what the model is shown, and what it gets back."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.functions import tool
from valechat.messages import ToolCallPart
from valechat.toolbox import Called
from valechat.tools import MOST_INPUT_BYTES, FunctionTools


@dataclass
class Point:
    x: int


def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


def call(function: Callable[..., Any], arguments: str, *, timeout: float = 5) -> Called:
    tools = FunctionTools([function], timeout=timeout)
    return engine().run(tools.call(ToolCallPart("1", tools.specs()[0].name, arguments)))


def test_the_model_sees_name_docstring_and_parameters() -> None:
    (spec,) = FunctionTools([add]).specs()
    assert (spec.name, spec.description) == ("add", "Add two numbers.")
    assert spec.parameters["properties"]["a"]["type"] == "integer"
    assert spec.parameters["required"] == ["a"]


def test_a_function_without_parameters_has_an_empty_object_schema() -> None:
    def now() -> str:
        return "noon"

    (spec,) = FunctionTools([now]).specs()
    assert (spec.parameters["type"], spec.parameters["properties"]) == ("object", {})


def test_a_call_answers_with_the_result() -> None:
    called = call(add, '{"a": 2, "b": 3}')
    assert (called.result.text, called.result.is_error, called.status) == ("5", False, "ok")


def test_no_arguments_at_all_are_an_empty_object() -> None:
    def now() -> str:
        return "noon"

    assert call(now, "").result.text == "noon"


def test_a_structured_result_is_json() -> None:
    def origin() -> list[Point]:
        return [Point(0)]

    assert call(origin, "{}").result.text == '[{"x":0}]'


def test_a_result_without_json_is_shown_by_its_repr() -> None:
    def odd() -> object:
        return threading.Lock

    assert "lock" in call(odd, "{}").result.text


@pytest.mark.parametrize(
    ("arguments", "complaint"), [('{"a": "x"}', "a:"), ("{}", "a:"), ("[1]", "JSON"), ('{"a": 1', "JSON")]
)
def test_arguments_that_do_not_fit_are_explained_to_the_model(arguments: str, complaint: str) -> None:
    called = call(add, arguments)
    assert called.result.is_error
    assert complaint in called.result.text


def test_an_unknown_tool_is_named_with_the_ones_there_are() -> None:
    called = engine().run(FunctionTools([add]).call(ToolCallPart("1", "subtract", "{}")))
    assert called.result.is_error
    assert "add" in called.result.text


def test_a_function_that_raises_answers_with_its_error() -> None:
    def fail() -> None:
        raise LookupError("no such row")

    assert call(fail, "{}").result.text == "LookupError: no such row"


def test_a_call_that_takes_too_long_is_given_up() -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    called = call(slow, "{}", timeout=0.1)
    assert called.status == "timeout"


def test_a_coroutine_that_comes_when_its_call_was_given_up_is_closed_and_never_begun() -> None:
    entered, given_up = threading.Event(), threading.Event()
    begun: list[str] = []
    made: list[Coroutine[Any, Any, None]] = []

    async def work() -> None:
        begun.append("work")

    def late() -> Coroutine[Any, Any, None]:
        entered.set()
        given_up.wait(60)
        made.append(work())
        return made[0]

    async def give_up() -> None:
        calling = asyncio.create_task(FunctionTools([late]).call(ToolCallPart("1", "late", "{}")))
        await asyncio.to_thread(entered.wait, 60)
        calling.cancel()
        await asyncio.wait([calling])
        given_up.set()

    engine().run(give_up())
    assert begun == []
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED


def test_too_much_input_is_refused() -> None:
    def shout(text: str) -> str:
        return text.upper()

    called = call(shout, '{"text": "' + "x" * MOST_INPUT_BYTES + '"}')
    assert called.result.is_error
    assert str(MOST_INPUT_BYTES) in called.result.text


def test_a_tool_runs_on_the_main_thread_where_user_code_runs() -> None:
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert call(where, "{}").result.text == "true"


def test_an_async_tool_is_awaited_while_the_main_thread_blocks() -> None:
    async def later(unit: Literal["s", "ms"]) -> str:
        await asyncio.sleep(0)
        return unit

    assert call(later, '{"unit": "ms"}').result.text == "ms"


def test_a_function_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="def"):
        FunctionTools([lambda: None])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="Two tools"):
        FunctionTools([add, add])


def test_arguments_that_have_no_name_are_refused_with_what_to_do() -> None:
    def first(x: int, /) -> int:
        return x

    def some(*x: int) -> int:
        return len(x)

    for function in (first, some, len):
        with pytest.raises(ConfigError, match="takes them by name"):
            FunctionTools([function])


def test_a_function_that_ends_the_program_only_fails() -> None:
    def leave() -> None:
        raise SystemExit(3)

    async def leave_later() -> None:
        await asyncio.sleep(0)
        raise SystemExit(3)

    @tool(thread_safe=True)
    def leave_beside() -> None:
        raise SystemExit(3)

    for function in (leave, leave_later, leave_beside):
        called = call(function, "{}")
        assert (called.result.text, called.status) == ("SystemExit: 3", "error")


def test_a_parameter_that_has_no_schema_is_refused_with_what_to_do() -> None:
    def bad(lock: threading.Event) -> None: ...

    with pytest.raises(ConfigError, match="Annotate"):
        FunctionTools([bad])
