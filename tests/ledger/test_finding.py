"""Pages, tags and passages of conversations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.ledger.samples import NOON
from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.ledger.words import around
from valechat.messages import Message


def add(ledger: Ledger, id_: str, *texts: str, title: str = "", tags: tuple[str, ...] = (), minutes: int = 0) -> None:
    at = NOON + timedelta(minutes=minutes)
    messages = [
        StoredMessage(f"{id_}-{number}", id_, f"{id_}-{number - 1}" if number else None, Message.user(text), at)
        for number, text in enumerate(texts)
    ]
    ledger.add_conversation(Conversation(id_, title or id_, at, at, "demo/echo", tags=tags), messages)


def ids(found: list[Conversation]) -> list[str]:
    return [conversation.id for conversation in found]


def test_pages_of_the_list_meet_without_gap_or_overlap(ledger: Ledger) -> None:
    for number in range(5):
        add(ledger, f"c{number}", "hello", minutes=number)
    assert ids(ledger.conversations(most=2)) == ["c4", "c3"]
    assert ids(ledger.conversations(most=2, skip=2)) == ["c2", "c1"]
    assert ids(ledger.conversations(search="hello", most=2, skip=4)) == ["c0"]


def test_a_tag_chooses_by_its_exact_name_with_and_without_a_search(ledger: Ledger) -> None:
    add(ledger, "a", "apples", tags=("work", "later"))
    add(ledger, "b", "apples", tags=("workshop",), minutes=1)
    add(ledger, "c", "pears", tags=("work",), minutes=2)
    assert ids(ledger.conversations(tag="work")) == ["c", "a"]
    assert ids(ledger.conversations(tag="work", search="apples")) == ["a"]
    assert ledger.conversations(tag="wor") == []


def test_all_tags_are_counted(ledger: Ledger) -> None:
    add(ledger, "a", tags=("work", "Later"))
    add(ledger, "b", tags=("work",))
    add(ledger, "c")
    assert ledger.tags() == {"Later": 1, "work": 2}
    assert list(ledger.tags()) == ["Later", "work"]


def test_a_passage_is_of_the_newest_message_that_says_it_and_only_where_one_does(ledger: Ledger) -> None:
    add(ledger, "a", "The first quince", "An apple\nand a <b>Quince</b> too", "nothing here")
    add(ledger, "b", "no such fruit", title="Quince")
    assert ledger.passages("quin", ["a", "b"]) == {"a": "An apple and a <b>Quince</b> too"}
    assert ledger.passages("quin", []) == {}


def test_a_passage_is_found_in_scripts_without_spaces(ledger: Ledger) -> None:
    add(ledger, "a", "今日は良い天気です")
    assert ledger.passages("天気", ["a"]) == {"a": "今日は良い天気です"}


@pytest.mark.parametrize(
    ("text", "words", "passage"),
    [
        ("short text", ["text"], "short text"),
        (f"{'word ' * 40}Crème brûlée {'end ' * 60}", ["creme"], "Crème brûlée"),
        ("x" * 300 + "needle", ["needle"], "needle"),
        ("ﬁne " * 100 + "needle", ["needle"], "needle"),
        ("", ["x"], ""),
        ("nothing", ["x"], "nothing"),
    ],
)
def test_what_was_found_is_in_its_passage(text: str, words: list[str], passage: str) -> None:
    found = around(text, words)
    assert passage in found
    assert len(found) <= 204
    assert "\n" not in found


def test_a_passage_begins_with_a_word_and_says_that_there_is_more() -> None:
    found = around(f"{'word ' * 40}needle {'end ' * 60}", ["needle"])
    assert found.startswith("… word word")
    assert found.endswith(" …")


def test_a_write_is_noticed_without_opening_the_ledger(ledger: Ledger) -> None:
    before = ledger.written()
    add(ledger, "a", "hello")
    after = ledger.written()
    assert before != after
    ledger.conversations(search="hello")
    assert ledger.written() == after
