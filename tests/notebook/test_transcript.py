"""The conversation as a saved notebook holds it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from bs4 import BeautifulSoup

from valechat.ledger.base import StoredMessage
from valechat.messages import Message, TextPart, ToolCallPart, ToolResultPart
from valechat.notebook.transcript import bundle, saved_markdown, transcript_markdown


def stored(message: Message, *, model: str | None = None, status: str = "complete") -> StoredMessage:
    return StoredMessage("id", "c", None, message, datetime.now(UTC), model=model, status=status)


def said(text: str) -> str:
    return transcript_markdown([stored(Message("assistant", (TextPart(text),)), model="demo/echo")])


def test_each_message_stands_under_its_speaker() -> None:
    markdown = transcript_markdown(
        [stored(Message.user("Hello?")), stored(Message("assistant", (TextPart("Hi."),)), model="demo/echo")]
    )
    assert "**You**\n\nHello?" in markdown
    assert "**demo/echo**\n\nHi." in markdown


def test_it_is_marked_so_that_a_living_panel_can_hide_it() -> None:
    forms = bundle(said("x"), "mark")
    assert forms["text/html"].startswith('<div class="vc-transcript" data-vc="mark">')
    assert forms["text/markdown"].startswith('<div class="vc-transcript" data-vc="mark">')


def test_a_conversation_without_a_word_leaves_no_text() -> None:
    assert transcript_markdown([]) == ""


def test_a_tool_call_and_its_result_are_fenced() -> None:
    markdown = transcript_markdown(
        [
            stored(Message("assistant", (ToolCallPart("1", "clock", '{"zone": "UTC"}'),)), model="demo/echo"),
            stored(Message("tool", (ToolResultPart("1", "clock", "```\n12:00"),))),
        ]
    )
    assert '```json\n{"zone": "UTC"}\n```' in markdown
    assert "````\n```\n12:00\n````" in markdown


@pytest.mark.parametrize(("status", "words"), [("cancelled", "stopped"), ("failed", "broke off"), ("limit", "limit")])
def test_an_answer_that_ended_early_says_so(status: str, words: str) -> None:
    markdown = transcript_markdown([stored(Message("assistant", (TextPart("Half"),)), model="m", status=status)])
    assert words in markdown


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![pixel](https://evil.example/p.png)",
        "[click](javascript:alert(1))",
        "[click](JaVaScRiPt:alert(1))",
        "</div><style>*{display:none}</style>",
    ],
)
def test_markup_of_a_model_is_harmless_outside_code(hostile: str) -> None:
    markdown = said(hostile)
    assert "<" not in markdown
    assert "![" not in markdown
    drawn = BeautifulSoup(bundle(markdown, "mark")["text/html"], "html.parser")
    assert not drawn.find_all(["script", "img", "style"])
    assert not drawn.find_all(href=re.compile("script", re.IGNORECASE))


@pytest.mark.parametrize("code", ["```html\n<b>&amp;</b>\n```", "`a < b`", "~~~\n![x](y)\n~~~"])
def test_code_is_kept_to_the_letter(code: str) -> None:
    assert code in said(f"Look:\n\n{code}\n\nDone.")


def test_a_fence_left_open_does_not_turn_the_next_message_inside_out() -> None:
    opened = stored(Message("assistant", (TextPart("```python\nprint(1)"),)), model="m")
    hostile = stored(Message("assistant", (TextPart("```html\n<script>alert(1)</script>\n```"),)), model="m")
    drawn = BeautifulSoup(bundle(transcript_markdown([opened, hostile]), "mark")["text/html"], "html.parser")
    assert [block.text for block in drawn.find_all("pre")] == ["print(1)\n", "<script>alert(1)</script>\n"]


def test_a_saved_transcript_of_a_long_conversation_has_its_newest_messages_and_counts_the_others() -> None:
    words = "x" * 25_000
    saved = saved_markdown([stored(Message.user(f"{number}{words}")) for number in range(10)])
    assert saved.startswith("*7 earlier messages")
    assert f"9{words}" in saved
    assert len(saved) < 125_000
