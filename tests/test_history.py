"""What a model is told of a conversation."""

from __future__ import annotations

from datetime import UTC, datetime

from valechat.history import answered, repaired, spoken
from valechat.ledger.base import StoredMessage
from valechat.messages import Message, TextPart, ToolCallPart, ToolResultPart

ASKED = Message.user("What time is it?")
CALLS = Message("assistant", (ToolCallPart("a", "clock", "{}"), ToolCallPart("b", "zone", "{}")))
SAID = Message("assistant", (TextPart("Noon."),))


def result(call_id: str, name: str) -> ToolResultPart:
    return ToolResultPart(call_id, name, "12:00")


def stored(message: Message, status: str = "complete") -> StoredMessage:
    return StoredMessage("id", "c", None, message, datetime.now(UTC), status=status)


def test_a_whole_conversation_is_left_as_it_is() -> None:
    whole = [ASKED, CALLS, Message("tool", (result("a", "clock"), result("b", "zone"))), SAID]
    assert repaired(whole) == whole


def test_a_call_cut_off_from_its_result_gets_one_that_says_so() -> None:
    repair = repaired([ASKED, CALLS, ASKED])
    assert [message.role for message in repair] == ["user", "assistant", "tool", "user"]
    assert [part.call_id for part in repair[2].parts if isinstance(part, ToolResultPart) and part.is_error] == [
        "a",
        "b",
    ]


def test_a_missing_result_joins_the_ones_that_came() -> None:
    repair = repaired([ASKED, CALLS, Message("tool", (result("a", "clock"),)), SAID])
    assert [message.role for message in repair] == ["user", "assistant", "tool", "assistant"]
    came, missing = (part for part in repair[2].parts if isinstance(part, ToolResultPart))
    assert (came, missing.call_id, missing.is_error) == (result("a", "clock"), "b", True)


def test_a_call_at_the_very_end_is_repaired_too() -> None:
    assert repaired([ASKED, CALLS])[-1].role == "tool"


def test_a_result_without_its_call_is_left_out() -> None:
    assert repaired([ASKED, Message("tool", (result("a", "clock"),)), SAID]) == [ASKED, SAID]


def test_a_question_that_found_no_answer_is_not_repeated_to_the_model() -> None:
    conversation = [stored(ASKED, "failed"), stored(ASKED), stored(SAID)]
    assert answered(conversation) == conversation[1:]
    assert spoken(conversation) == [ASKED, SAID]


def test_an_answer_stopped_before_its_first_word_is_shown_but_not_sent() -> None:
    conversation = [stored(ASKED), stored(Message("assistant", ()), "cancelled")]
    assert answered(conversation) == conversation
    assert spoken(conversation) == [ASKED]
