"""`@valechat.tool`: names, approval, threads, time, and results as they are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import valechat
from tests.scripted import ScriptedProvider, answer
from valechat.asking import Approval, Confirmation, Decision, Filled, Form, SamplingApproval, Visit
from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.messages import ToolCallPart, from_json, to_json
from valechat.plugins.approvals import Approvals
from valechat.providers import registry
from valechat.providers.base import Chunk, PartChunk, StopChunk, UsageChunk
from valechat.toolbox import Called
from valechat.tools import FunctionTools


class Person:
    """Decides as told, and keeps what was asked."""

    def __init__(self, *decisions: Decision) -> None:
        self.asked: list[Approval] = []
        self._decisions = list(decisions)

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        assert isinstance(question, Approval)
        self.asked.append(question)
        return self._decisions.pop(0)

    async def fill(self, form: Form) -> Filled:
        raise AssertionError(form)

    async def visit(self, page: Visit) -> str | None:
        raise AssertionError(page)

    async def confirm(self, question: Confirmation) -> bool:
        raise AssertionError(question)


def call(tools: FunctionTools, person: Person | None = None, arguments: str = "{}") -> Called:
    return engine().run(tools.call(ToolCallPart("c1", tools.specs()[0].name, arguments), asker=person))


def test_name_and_description_can_be_said() -> None:
    @valechat.tool(name="rows-of", description="Count rows.")
    def count() -> int:
        """For people."""
        return 3

    (spec,) = FunctionTools([count]).specs()
    assert (spec.name, spec.description) == ("rows-of", "Count rows.")
    assert count() == 3


def test_a_decorator_without_arguments_changes_nothing() -> None:
    @valechat.tool
    def count() -> int:
        """Count."""
        return 3

    assert FunctionTools([count]).specs()[0].description == "Count."


@pytest.mark.parametrize("name", ["", "two words", "1st", "x" * 65, "schlüssel"])
def test_a_name_no_provider_takes_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        valechat.tool(name=name)


def test_what_cannot_be_decorated_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="def"):
        valechat.tool(len)


def test_a_thread_safe_tool_runs_beside_the_main_thread() -> None:
    @valechat.tool(thread_safe=True)
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert call(FunctionTools([where])).result.value is False


def test_a_thread_safe_async_tool_is_awaited_there() -> None:
    @valechat.tool(thread_safe=True)
    async def where() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert call(FunctionTools([where])).result.value != threading.current_thread().name


def test_a_tool_has_its_own_time() -> None:
    @valechat.tool(timeout=0.05)
    async def slow() -> None:
        await asyncio.sleep(60)

    called = call(FunctionTools([slow]))
    assert (called.status, called.result.text) == ("timeout", "The tool did not end within 0.05 s.")


@pytest.fixture
def careful(tmp_path: Path) -> Callable[..., FunctionTools]:
    """A tool that is asked about, with answers remembered in a file."""

    def made(how: Any = 1) -> FunctionTools:
        @valechat.tool(approve="always" if how == "always" else True)
        def drop(table: str) -> str:
            return f"dropped {table}"

        tools = FunctionTools([drop])
        tools.approvals = Approvals(tmp_path / "approvals.json")
        return tools

    return made


def test_the_user_is_asked_and_sees_the_arguments(careful: Callable[..., FunctionTools]) -> None:
    person = Person("once")
    called = call(careful(), person, '{"table": "sales"}')
    assert called.result.text == "dropped sales"
    (asked,) = person.asked
    assert (asked.plugin, asked.tool, asked.arguments, asked.call_id) == (
        "notebook",
        "drop",
        '{"table": "sales"}',
        "c1",
    )


def test_a_refused_call_does_not_run(careful: Callable[..., FunctionTools]) -> None:
    called = call(careful(), Person("no"), '{"table": "sales"}')
    assert (called.status, called.result.is_error) == ("refused", True)
    assert "dropped" not in called.result.text


def test_an_answer_is_remembered_for_this_very_function(careful: Callable[..., FunctionTools]) -> None:
    assert call(careful(), Person("always_tool"), '{"table": "a"}').status == "ok"
    assert call(careful(), Person(), '{"table": "b"}').status == "ok"

    @valechat.tool(approve=True)
    def drop(table: str) -> str:
        return f"burnt {table}"

    other = FunctionTools([drop])
    other.approvals = careful().approvals
    person = Person("no")
    assert call(other, person, '{"table": "b"}').status == "refused"
    assert person.asked[0].changed


def test_what_is_asked_each_time_is_never_remembered(careful: Callable[..., FunctionTools]) -> None:
    person = Person("always_tool", "no")
    assert call(careful("always"), person, '{"table": "a"}').status == "ok"
    assert call(careful("always"), person, '{"table": "a"}').status == "refused"
    assert all(asked.each_time for asked in person.asked)


def test_a_function_can_be_allowed_by_name_before_anybody_is_asked(careful: Callable[..., FunctionTools]) -> None:
    tools = careful()
    assert tools.approvals is not None
    tools.approvals.allow("notebook", "drop")
    assert call(tools, None, '{"table": "a"}').status == "ok"


def test_where_nobody_can_be_asked_it_does_not_run(careful: Callable[..., FunctionTools]) -> None:
    called = call(careful(), None, '{"table": "a"}')
    assert called.status == "refused"
    assert "%valechat plugins allow notebook drop" in called.note


def test_a_table_is_told_by_its_statistics_and_kept_as_it_is() -> None:
    frame = pd.DataFrame({"price": range(1000)})

    def sales() -> pd.DataFrame:
        return frame

    result = call(FunctionTools([sales])).result
    assert result.value is frame
    assert "pandas DataFrame, 1,000 rows × 1 columns" in result.text
    assert result.table is not None
    assert (result.table.rows, len(result.table.columns[0].cells)) == (1000, 50)


def test_a_result_that_cannot_be_written_down_is_explained_to_the_model() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise ValueError("no words for it")

    def odd() -> object:
        return Odd()

    called = call(FunctionTools([odd]))
    assert (called.status, called.result.is_error) == ("error", True)
    assert "ValueError: no words for it" in called.result.text


def test_a_figure_is_shown_to_the_model_as_an_image() -> None:
    def plot() -> Figure:
        figure = Figure()
        figure.subplots().plot([1, 2])
        return figure

    result = call(FunctionTools([plot])).result
    assert [image.media_type for image in result.images] == ["image/png"]


def test_a_reply_has_the_objects_that_tools_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"when": object()}

    def look() -> Any:
        return kept

    first: list[Chunk | BaseException | float] = [
        PartChunk(ToolCallPart("c1", "look", "{}")),
        StopChunk("tool_calls", "tool_calls"),
        UsageChunk({"usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
    ]
    scripted = ScriptedProvider(first, answer("done"))
    monkeypatch.setattr(registry, "build", lambda *_: scripted)
    reply = valechat.Chat("demo/echo", tools=[look]).ask_sync("go")
    (result,) = reply.tool_results
    assert result.value is kept
    tool_message = next(message for message in reply.messages if message.role == "tool")
    assert from_json(to_json(tool_message)).parts[0] == result, "the object itself is never stored"
