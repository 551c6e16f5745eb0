"""Conversations, messages and their search: what every ledger promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.ledger.samples import DAY, NOON, Clock, conversation, message, rows, usage_row
from valechat.ledger.base import Ledger
from valechat.messages import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)


def found(ledger: Ledger, search: str) -> list[str]:
    return [c.id for c in ledger.conversations(search=search)]


def test_a_conversation_comes_back_as_it_was_started(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    assert ledger.conversation("c1") == conversation()
    assert ledger.conversation("other") is None


def test_a_conversation_is_renamed_and_keeps_its_model(ledger: Ledger, clock: Clock) -> None:
    ledger.start_conversation(conversation())
    clock.advance(hours=1)
    ledger.change_conversation("c1", title="Farewells")
    changed = ledger.conversation("c1")
    assert changed is not None
    assert (changed.title, changed.model, changed.updated_at) == ("Farewells", "mylab/scripted", clock.now)


def test_every_kind_of_part_comes_back_unchanged(ledger: Ledger) -> None:
    said = Message(
        "assistant",
        (
            ThinkingPart("hm", "anthropic.messages", {"signature": "ab=="}),
            TextPart("Grüße 😀\x00\n"),
            ToolCallPart("t1", "git_log", '{"n": 1'),
            ToolResultPart("t1", "git_log", "ok", images=(ImagePart(b"\x89PNG", "image/png"),)),
            FilePart(b"%PDF", "application/pdf", "a.pdf"),
            OpaquePart({"kind": "not yet known", "x": [1, None]}),
        ),
    )
    ledger.start_conversation(conversation())
    stored = message("m1", "", message=said, model="mylab/scripted", request_id="r1", parent_id="m0")
    ledger.add_messages([stored])
    assert ledger.messages("c1") == [stored]


def test_messages_come_oldest_first_and_a_stored_id_is_replaced_in_place(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "one"), message("m2", "two")])
    ledger.add_messages([message("m1", "one, again", status="cancelled")])
    assert [(m.id, m.message.text, m.status) for m in ledger.messages("c1")] == [
        ("m1", "one, again", "cancelled"),
        ("m2", "two", "complete"),
    ]


def test_settling_stores_the_messages_with_the_row(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    later = NOON + timedelta(minutes=1)
    answer = message("m2", "hi", role="assistant", ts=later)
    ledger.settle(usage_row("r1", "0.01", conversation_id="c1", ts=later), [DAY], [message("m1", "hello"), answer])
    head = ledger.conversation("c1")
    assert head is not None
    assert (head.message_count, head.total_cost, head.updated_at) == (2, Decimal("0.01"), later)
    assert [m.id for m in ledger.messages("c1")] == ["m1", "m2"]


def test_a_conversation_without_a_priced_request_has_no_total(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.settle(usage_row("r1", None, conversation_id="c1"), [DAY])
    head = ledger.conversation("c1")
    assert head is not None
    assert head.total_cost is None


def test_a_message_of_a_conversation_nobody_started_starts_it(ledger: Ledger) -> None:
    ledger.add_messages([message("m1", "hello", conversation_id="unknown")])
    assert ledger.conversation("unknown") is not None


def test_the_requests_of_a_conversation_come_oldest_first(ledger: Ledger) -> None:
    for request, of in (("r2", "c1"), ("r1", "c1"), ("r3", "c2")):
        ledger.settle(usage_row(request, conversation_id=of), [DAY])
    assert [row.request_id for row in ledger.conversation_usage("c1")] == ["r2", "r1"]


def test_the_latest_conversations_come_first(ledger: Ledger) -> None:
    for n in range(4):
        ledger.start_conversation(conversation(f"c{n}", at=NOON + timedelta(minutes=n)))
    ledger.add_messages([message("m", "x", conversation_id="c1", ts=NOON + timedelta(hours=1))])
    assert [c.id for c in ledger.conversations(most=3)] == ["c1", "c3", "c2"]


@pytest.mark.parametrize(
    "search",
    ["quick", "QUICK fox", "quic", "über", "uber", "farewell", "FAREWELL brown", "été", "世界"],
)
def test_the_search_finds_words_of_messages_and_title(ledger: Ledger, search: str) -> None:
    ledger.start_conversation(conversation("c1", "A fond farewell to l'ÉTÉ"))
    ledger.add_messages([message("m1", "The quick brown fox"), message("m2", "jumps Über 你好世界")])
    ledger.start_conversation(conversation("c2", "Nothing"))
    ledger.add_messages([message("m3", "quite another thing", conversation_id="c2")])
    assert found(ledger, search) == ["c1"]


@pytest.mark.parametrize("search", ["quick missing", '"', "AND", "foo*bar(", "-", "NEAR(a b)", "' OR 1=1 --"])
def test_the_search_finds_nothing_for_what_is_nowhere(ledger: Ledger, search: str) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "The quick brown fox")])
    assert found(ledger, search) == []


def test_the_search_follows_a_replaced_message(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "zebra")])
    ledger.add_messages([message("m1", "giraffe")])
    assert (found(ledger, "zebra"), found(ledger, "giraffe")) == ([], ["c1"])


def test_a_deleted_conversation_is_gone_but_its_accounting_stays(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.settle(usage_row("r1", "0.01", conversation_id="c1"), [DAY], [message("m1", "zebra")])
    ledger.delete_conversation("c1")
    assert ledger.conversation("c1") is None
    assert ledger.messages("c1") == []
    assert found(ledger, "zebra") == []
    assert [row.cost for row in ledger.usage_of(["r1"])] == [Decimal("0.01")]


def test_an_answer_that_comes_after_the_deletion_is_billed_but_not_kept(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.delete_conversation("c1")
    assert ledger.settle(usage_row("r1", "0.01", conversation_id="c1"), [DAY], [message("m1", "late")])
    assert ledger.messages("c1") == []
    assert ledger.conversation("c1") is None


def test_text_with_half_a_character_is_stored_with_a_replacement(ledger: Ledger) -> None:
    ledger.start_conversation(conversation("c1", "half \ud83d"))
    ledger.add_messages([message("m1", "half \ud83d of it")])
    assert [m.message.text for m in ledger.messages("c1")] == ["half ? of it"]
    assert found(ledger, "half") == ["c1"]


def test_tags_and_leaf_are_changed_without_making_a_conversation_newer(ledger: Ledger, clock: Clock) -> None:
    ledger.start_conversation(conversation())
    clock.advance(hours=1)
    ledger.change_conversation("c1", leaf="m1", tags=["work", "größe", "work"])
    assert ledger.conversation("c1") == replace(conversation(), leaf="m1", tags=("work", "größe"))
    ledger.change_conversation("c1", leaf="", tags=[])
    assert ledger.conversation("c1") == conversation()


def test_a_pin_stays_when_the_message_is_stored_again(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "one"), message("m2", "two")])
    ledger.pin_message("m1", pinned=True)
    ledger.add_messages([message("m1", "one", status="failed")])
    assert [(stored.pinned, stored.status) for stored in ledger.messages("c1")] == [
        (True, "failed"),
        (False, "complete"),
    ]
    ledger.pin_message("m1", pinned=False)
    assert not ledger.messages("c1")[0].pinned


def test_what_followed_deleted_messages_follows_what_they_followed(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    parents = {"m1": None, "m2": "m1", "m3": "m2", "m4": "m3", "m5": "m2"}
    ledger.add_messages([message(id_, f"zebra{id_}", parent_id=parent) for id_, parent in parents.items()])
    ledger.change_conversation("c1", leaf="m3")
    ledger.delete_messages(["m2", "m3", "unknown"])
    assert [(m.id, m.parent_id) for m in ledger.messages("c1")] == [("m1", None), ("m4", "m1"), ("m5", "m1")]
    head = ledger.conversation("c1")
    assert head is not None
    assert (head.leaf, head.message_count) == ("m1", 3)
    assert (found(ledger, "zebram2"), found(ledger, "zebram4")) == ([], ["c1"])


def test_what_followed_a_deleted_beginning_begins_the_conversation(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "one"), message("m2", "two", parent_id="m1")])
    ledger.change_conversation("c1", leaf="m1")
    ledger.delete_messages(["m1"])
    assert [(m.id, m.parent_id) for m in ledger.messages("c1")] == [("m2", None)]
    head = ledger.conversation("c1")
    assert head is not None
    assert head.leaf is None


def test_deleted_messages_stay_accounted_for(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.settle(usage_row("r1", "0.01", conversation_id="c1", message_id="m1"), [DAY], [message("m1", "zebra")])
    ledger.delete_messages(["m1"])
    head = ledger.conversation("c1")
    assert head is not None
    assert head.total_cost == Decimal("0.01")
    assert [row.message_id for row in ledger.conversation_usage("c1")] == ["m1"]


def test_a_conversation_is_added_with_its_messages(ledger: Ledger) -> None:
    head = replace(conversation(), leaf="m2", tags=("imported",))
    talk = [message("m1", "one"), message("m2", "two", role="assistant", parent_id="m1", pinned=True)]
    ledger.add_conversation(head, talk)
    assert ledger.conversation("c1") == replace(head, message_count=2)
    assert ledger.messages("c1") == talk


def test_a_conversation_is_not_added_over_what_is_stored(ledger: Ledger) -> None:
    ledger.start_conversation(conversation())
    ledger.add_messages([message("m1", "one")])
    for id_, talk in (("c1", []), ("c2", [message("m0", "new", conversation_id="c2"), message("m1", "old")])):
        with pytest.raises(ValueError, match="is stored already"):
            ledger.add_conversation(conversation(id_), talk)
    assert [head.id for head in ledger.conversations()] == ["c1"]


def test_tags_leaf_and_pins_are_there_for_sql(ledger: Ledger) -> None:
    ledger.add_conversation(replace(conversation(), leaf="m1", tags=("a", "b")), [message("m1", "one")])
    ledger.pin_message("m1", pinned=True)
    assert rows(ledger, "SELECT leaf_id, tags FROM conversations") == [("m1", ["a", "b"])]
    assert rows(ledger, "SELECT pinned FROM messages") == [(True,)]
