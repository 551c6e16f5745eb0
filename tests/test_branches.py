"""A conversation's tree: paths, forks, and what old and damaged conversations look like in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.samples import message
from valechat.branches import Tree
from valechat.ledger.base import StoredMessage


def ids(stored: Sequence[StoredMessage]) -> str:
    return " ".join(one.id for one in stored)


def talk(text: str) -> list[StoredMessage]:
    """Messages written as `id<parent`, `!` for a question that failed; ids of questions begin with q."""
    stored = []
    for word in text.split():
        name, _, parent = word.partition("<")
        failed = name.endswith("!")
        role = "user" if name.startswith("q") else "assistant"
        status = "failed" if failed else "complete"
        stored.append(message(name.rstrip("!"), name, role=role, parent_id=parent or None, status=status))
    return stored


FORKED = "q1 a1<q1 q2<a1 a2<q2 q3<a1 a3<q3 b3<q3"


@pytest.mark.parametrize(
    ("leaf", "path"),
    [
        (None, "q1 a1 q3 b3"),
        ("a2", "q1 a1 q2 a2"),
        ("q2", "q1 a1 q2 a2"),
        ("a3", "q1 a1 q3 a3"),
        ("q3", "q1 a1 q3 b3"),
        ("gone", "q1 a1 q3 b3"),
    ],
)
def test_the_path_goes_through_the_leaf_and_on_to_the_newest(leaf: str | None, path: str) -> None:
    assert ids(Tree(talk(FORKED)).path(leaf)) == path


def test_siblings_follow_the_same_message() -> None:
    tree = Tree(talk(FORKED))
    assert tree.siblings("q2") == tree.siblings("q3") == ["q2", "q3"]
    assert tree.siblings("b3") == ["a3", "b3"]
    assert tree.siblings("q1") == ["q1"]


def test_several_beginnings_are_siblings() -> None:
    assert Tree(talk("q1 a1<q1 q2 a2<q2")).siblings("q2") == ["q1", "q2"]


def test_a_question_that_failed_is_no_branch_and_what_follows_it_follows_what_it_followed() -> None:
    tree = Tree(talk("q1 a1<q1 q2!<a1 q3<q2 a3<q3"))
    assert ids(tree.path()) == "q1 a1 q3 a3"
    assert tree.siblings("q3") == ["q3"]
    assert ids(tree.path("q2")) == "q1 a1 q3 a3"


def test_what_follows_a_lost_message_follows_the_one_stored_before_it() -> None:
    assert ids(Tree(talk("q1 a1<q1 q2<lost a2<q2")).path()) == "q1 a1 q2 a2"


def test_a_turn_is_a_question_with_all_its_answers_and_what_their_tools_said() -> None:
    tree = Tree(talk("q1 a1<q1 t1<a1 b1<t1 c1<q1 q2<b1 q3<c1"))
    assert ids(tree.turn("b1")) == ids(tree.turn("q1")) == "q1 a1 t1 b1 c1"
    assert ids(tree.turn("q2")) == "q2"


def test_an_answer_begins_with_its_first_request() -> None:
    tree = Tree(talk("q1 a1<q1 t1<a1 b1<t1"))
    assert (tree.begins("b1"), tree.begins("t1"), tree.begins("q1")) == ("a1", "a1", "q1")


def test_an_empty_conversation_has_an_empty_path() -> None:
    assert Tree([]).path("x") == []


@st.composite
def trees(draw: st.DrawFn) -> list[StoredMessage]:
    """Messages each of which follows any earlier one, one that is lost, one that comes later, or none."""
    count = draw(st.integers(0, 25))
    stored = []
    for n in range(count):
        parent = draw(st.one_of(st.none(), st.integers(0, count + 1)))
        failed = draw(st.booleans()) and draw(st.booleans())
        role = draw(st.sampled_from(["user", "assistant"]))
        parent_id = None if parent is None else f"m{parent}"
        status = "failed" if failed else "complete"
        stored.append(message(f"m{n}", "x", role=role, parent_id=parent_id, status=status))
    return stored


@given(trees())
def test_every_message_is_on_the_path_to_it_and_on_one_that_ends_with_its_newest(stored: list[StoredMessage]) -> None:
    tree = Tree(stored)
    known = [one.id for one in stored if one.id in tree]
    for id_ in known:
        assert id_ in tree.siblings(id_)
        assert tree.above(id_)[-1].id == id_
        path = [one.id for one in tree.path(id_)]
        assert path[: len(tree.above(id_))] == [one.id for one in tree.above(id_)]
        assert path[-1] == tree.newest_below(id_)
        assert id_ in [one.id for one in tree.turn(id_)]
        assert [known.index(one) for one in path] == sorted({known.index(one) for one in path})


@given(st.lists(st.sampled_from(["user", "assistant"]), max_size=20))
def test_a_conversation_without_a_fork_is_its_path(roles: list[str]) -> None:
    stored = [message(f"m{n}", "x", role=role, parent_id=f"m{n - 1}" if n else None) for n, role in enumerate(roles)]
    assert Tree(stored).path() == stored
