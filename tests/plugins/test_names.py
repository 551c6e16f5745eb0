"""The names under which plugins' tools are told to models."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from valechat.plugins.names import public_name, public_names

VALID = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")


def test_a_tool_is_named_by_its_plugin_and_its_own_name() -> None:
    assert public_names({"git": ["git_log"], "my-files": ["read"]}) == {
        ("git", "git_log"): "git_git_log",
        ("my-files", "read"): "my-files_read",
    }


def test_two_tools_that_would_have_one_name_are_told_apart() -> None:
    names = public_names({"a_b": ["c"], "a": ["b_c", "d"]})
    assert len(set(names.values())) == 3
    assert names["a", "d"] == "a_d"
    assert "a_b_c" not in names.values()


def test_names_do_not_depend_on_the_order_of_starting() -> None:
    one = public_names({"a_b": ["c", "x"], "a": ["b_c"]})
    other = public_names({"a": ["b_c"], "a_b": ["x", "c"]})
    assert one == other


def test_a_name_that_a_function_has_is_left_to_it() -> None:
    names = public_names({"git": ["log", "diff"]}, taken={"git_log"})
    assert names["git", "log"] not in ("git_log", "git_diff")
    assert names["git", "diff"] == "git_diff"


def test_a_name_too_long_is_cut_and_still_tells_tools_apart() -> None:
    names = public_names({"plugin": ["x" * 100 + "1", "x" * 100 + "2"]})
    assert len(set(names.values())) == 2
    assert {len(name) for name in names.values()} == {64}


def test_a_tool_may_not_take_the_name_that_another_got_to_be_told_apart() -> None:
    thief = public_name("a", "b_c", told_apart=True).removeprefix("a_")
    names = public_names({"a_b": ["c"], "a": ["b_c", thief]})
    assert len(set(names.values())) == 3


PLUGINS = st.dictionaries(st.text(max_size=70), st.lists(st.text(max_size=70), max_size=5), max_size=5)


@given(PLUGINS)
def test_whatever_servers_call_their_tools_each_name_is_valid_and_their_own(tools: dict[str, list[str]]) -> None:
    names = public_names(tools)
    assert all(VALID.fullmatch(name) for name in names.values())
    assert len(set(names.values())) == len(names)
    assert set(names) == {(plugin, tool) for plugin, listed in tools.items() for tool in listed}
