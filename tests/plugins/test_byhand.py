"""Calls that the user makes are in the ledger like a model's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import valechat
from tests.plugins.managing import unruly
from tests.plugins.support import MARKER, no_process_left
from valechat import plugins
from valechat.engine import engine
from valechat.errors import PluginError, ToolFailed


@pytest.fixture(autouse=True)
def server() -> Iterator[None]:
    with no_process_left() as marker:
        plugins.add(unruly("u", env={MARKER: marker}))
        yield
        engine().close()


def rows() -> list[tuple[object, ...]]:
    return valechat.sql("select plugin, tool, status, message_id, input_bytes, output_bytes from tool_calls").fetchall()


def test_a_call_is_a_row_without_a_message() -> None:
    plugins.call_tool("u", "echo", text="hello")
    assert rows() == [("u", "echo", "ok", None, 17, 5)]


def test_a_failure_of_the_tool_is_a_row() -> None:
    plugins.call_tool("u", "fail")
    assert rows()[0][:3] == ("u", "fail", "error")


def test_a_call_that_took_too_long_is_a_row() -> None:
    with pytest.raises(ToolFailed):
        plugins.call_tool("u", "never", timeout=0.5)
    assert rows()[0][:3] == ("u", "never", "timeout")


def test_a_tool_that_does_not_exist_was_not_called() -> None:
    with pytest.raises(PluginError):
        plugins.call_tool("u", "nothing")
    assert rows() == []


def test_what_was_allowed_is_forgotten_with_the_plugin() -> None:
    plugins.allow("u", "echo")
    assert [known.plugin for known in plugins.permissions()] == ["u"]
    plugins.remove("u")
    assert list(plugins.permissions()) == []
