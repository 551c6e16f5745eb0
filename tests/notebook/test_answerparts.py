"""Sources and pictures of an answer reach the panel, and the reply, as the provider named them."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from decimal import Decimal

from valechat.ledger.base import StoredMessage
from valechat.messages import CitationPart, FilePart, ImagePart, Message, Part, TextPart, from_json, to_json
from valechat.notebook.answerparts import DRAWN
from valechat.notebook.protocol import MessageShown
from valechat.notebook.shown import PREVIEWS, messages_shown
from valechat.notebook.transcript import bundle, transcript_markdown
from valechat.reply import Reply
from valechat.usage import Usage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def stored(number: int, message: Message) -> StoredMessage:
    # As the ledger gives it back.
    message = from_json(json.loads(json.dumps(to_json(message))))
    return StoredMessage(str(number), "c", str(number - 1) if number else None, message, datetime.now(UTC), "lab/two")


def answer(*parts: Part) -> MessageShown:
    turn = [Message.user("?"), Message("assistant", (TextPart("Yes."), *parts))]
    return messages_shown([stored(number, message) for number, message in enumerate(turn)], {})[1]


def test_each_source_is_shown_once_with_the_title_and_quote_that_came_with_it() -> None:
    url = "https://example.org/a"
    shown = answer(CitationPart(url), CitationPart(url, "A", "said"), CitationPart("https://example.org/b"))
    assert shown.get("citations") == [
        {"url": url, "title": "A", "quote": "said"},
        {"url": "https://example.org/b", "title": "", "quote": ""},
    ]


def test_files_of_the_provider_are_told_apart_by_their_names() -> None:
    shown = answer(CitationPart("", "a.pdf"), CitationPart("", "b.pdf"), CitationPart("", "a.pdf"))
    assert [one["title"] for one in shown.get("citations", [])] == ["a.pdf", "b.pdf"]


def test_an_answer_without_either_has_neither_field() -> None:
    assert {"citations", "files"}.isdisjoint(answer())


def test_a_picture_is_sent_with_its_bytes_and_a_name() -> None:
    shown = answer(ImagePart(PNG, "image/png"))
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert shown.get("files") == [
        {"name": "picture.png", "media_type": "image/png", "size": len(PNG), "url": url, "path": ""}
    ]


def test_what_only_calls_itself_a_picture_is_named_and_not_sent() -> None:
    shown = answer(ImagePart(b"<svg onload=alert(1)>", "image/png"), ImagePart(PNG + bytes(DRAWN), "image/png"))
    assert [file["url"] for file in shown.get("files", [])] == [None, None]


def test_a_sound_is_sent_as_the_sound_it_is() -> None:
    (file,) = answer(FilePart(b"ID3", "audio/mpeg", "answer.mpeg")).get("files", [])
    assert (file["url"] or "").startswith("data:audio/mpeg;base64,")


def test_older_pictures_are_left_out_where_a_conversation_has_many() -> None:
    picture = ImagePart(PNG + bytes(PREVIEWS // 2), "image/png")
    turns = [Message.user("?"), Message("assistant", (picture,))] * 3
    shown = messages_shown([stored(number, message) for number, message in enumerate(turns)], {})
    assert [file["url"] is not None for one in shown for file in one.get("files", [])] == [False, False, True]


def test_a_reply_has_its_sources() -> None:
    message = Message("assistant", (TextPart("Yes."), CitationPart("https://example.org", "A")))
    reply = Reply("Yes.", "lab/two", Usage(), Decimal(0), "complete", messages=(message,))
    assert reply.citations == (CitationPart("https://example.org", "A"),)


def test_a_saved_transcript_has_the_sources_as_links_that_hide_nothing() -> None:
    parts = (
        TextPart("Yes."),
        CitationPart("https://example.org/a", "[x](javascript:alert(1)) <b>"),
        CitationPart("", "f.pdf"),
    )
    html = bundle(transcript_markdown([stored(0, Message("assistant", parts))]), "mark")["text/html"]
    assert re.findall(r'href="([^"]*)"', html) == ["https://example.org/a"]
    assert "f.pdf" in html
    assert "<b>" not in html
