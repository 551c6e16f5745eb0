"""Questions answered by typing, over a line that is a list."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from valechat.asking import Approval, Confirmation, Decision, Filled, Form, SamplingApproval, Visit
from valechat.typedasker import TypedAsker, question_text

CALL = Approval(plugin="files", tool="write", arguments='{"path": "a.txt"}', destructive=True)


class Typed:
    """Answers with what was typed beforehand; after that nobody is there."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.shown: list[str] = []

    async def show(self, text: str) -> None:
        self.shown.append(text)

    async def read(self, prompt: str) -> str | None:
        self.shown.append(prompt)
        return self.answers.pop(0) if self.answers else None


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ("y", "once"),
        ("Yes ", "once"),
        ("n", "no"),
        ("", "no"),
        ("t", "always_tool"),
        ("p", "always_plugin"),
        ("never", "never"),
    ],
)
async def test_one_letter_decides(answer: str, decision: Decision) -> None:
    assert await TypedAsker(Typed(answer)).approve(CALL) == decision


async def test_what_cannot_be_read_is_asked_for_again() -> None:
    assert await TypedAsker(Typed("hm", "y")).approve(CALL) == "once"


async def test_nonsense_three_times_means_no() -> None:
    assert await TypedAsker(Typed("hm", "hm", "hm", "y")).approve(CALL) == "no"


async def test_where_nobody_answers_nothing_is_allowed() -> None:
    asker = TypedAsker(Typed())
    assert await asker.approve(CALL) == "no"
    assert await asker.fill(Form("p", "?", {})) == Filled("cancel")
    assert await asker.visit(Visit("p", "sign in", "https://example.org")) is None
    assert await asker.confirm(Confirmation("It may cost $2.", Decimal(2), "m")) is False


async def test_the_call_is_shown_with_its_arguments_before_it_is_asked_about() -> None:
    line = Typed("y")
    await TypedAsker(line).approve(CALL)
    assert line.shown[0] == (
        'files wants to run write (may change or delete something):\n  {\n    "path": "a.txt"\n  }'
    )


def test_a_changed_tool_is_pointed_out() -> None:
    assert "not what you allowed before" in question_text(Approval("p", "t", "{}", changed=True))


def test_what_a_server_says_cannot_move_the_cursor() -> None:
    text = question_text(Approval("p", "t\x1b[2J\x1b]0;title\x07", '{"a": "\x1b[31mred"}'))
    assert "\x1b" not in text
    assert "wants to run t:" in text


def test_very_long_arguments_are_cut_and_counted() -> None:
    text = question_text(Approval("p", "t", '"' + "x" * 5000 + '"'))
    assert "more characters" in text
    assert len(text) < 2200


async def test_a_model_asked_by_a_server_is_shown_with_what_it_may_cost() -> None:
    line = Typed("y")
    question = SamplingApproval("p", "demo/echo", "Be brief.", "Hello", 100, Decimal("0.01"))
    assert await TypedAsker(line).approve(question) == "once"
    assert "demo/echo" in line.shown[0]
    assert "at most $0.01" in line.shown[0]
    assert "Hello" in line.shown[0]


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Your name", "description": "As in the passport"},
        "age": {"type": "integer"},
        "colour": {"type": "string", "enum": ["r", "g"], "default": "g"},
    },
    "required": ["name"],
}


async def test_a_form_is_filled_in_field_by_field() -> None:
    line = Typed("y", "Ada", "", "")
    assert await TypedAsker(line).fill(Form("p", "Who?", SCHEMA)) == Filled("accept", {"name": "Ada", "colour": "g"})
    assert any("As in the passport" in text for text in line.shown)


async def test_a_wrong_value_is_asked_for_again_with_the_reason() -> None:
    line = Typed("y", "Ada", "old", "36", "r")
    filled = await TypedAsker(line).fill(Form("p", "Who?", SCHEMA))
    assert filled.values == {"name": "Ada", "age": 36, "colour": "r"}
    assert any("whole number" in text for text in line.shown)


async def test_a_form_can_be_declined() -> None:
    assert await TypedAsker(Typed("n")).fill(Form("p", "Who?", SCHEMA)) == Filled("decline")


async def test_a_visit_shows_the_whole_address_and_takes_where_it_ended() -> None:
    line = Typed("http://127.0.0.1/?code=1")
    page = Visit("p", "Sign in", "https://example.org/authorize?x=1", paste=True)
    assert await TypedAsker(line).visit(page) == "http://127.0.0.1/?code=1"
    assert "https://example.org/authorize?x=1" in line.shown[0]


async def test_two_questions_at_once_are_asked_one_after_the_other() -> None:
    line = Typed("y", "n")
    asker = TypedAsker(line)
    first, second = await asyncio.gather(asker.approve(CALL), asker.approve(CALL))
    assert (first, second) == ("once", "no")
    assert [text.startswith("files wants") for text in line.shown] == [True, False, True, False]
