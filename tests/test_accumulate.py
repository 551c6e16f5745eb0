"""An answer grows by chunks into one message."""

from __future__ import annotations

from valechat.accumulate import Answer
from valechat.messages import CitationPart, Message, Part, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from valechat.providers.base import Chunk, NoteChunk, PartChunk, StopChunk, TextChunk, ThinkingChunk, UsageChunk


def grown(*chunks: Chunk) -> Answer:
    answer = Answer()
    for chunk in chunks:
        answer.add(chunk)
    return answer


def parts(*chunks: Chunk) -> tuple[Part, ...]:
    return grown(*chunks).message.parts


def test_pieces_of_text_become_one_part() -> None:
    assert grown(TextChunk("Hel"), TextChunk("lo")).message == Message("assistant", (TextPart("Hello"),))


def test_reasoning_and_text_stay_apart_in_their_order() -> None:
    assert parts(ThinkingChunk("hm"), TextChunk("a"), ThinkingChunk("so"), TextChunk("b")) == (
        ThinkingPart("hm"),
        TextPart("a"),
        ThinkingPart("so"),
        TextPart("b"),
    )


def test_a_whole_thinking_block_replaces_the_pieces_it_was_streamed_in() -> None:
    block = ThinkingPart("hm", "anthropic.messages", {"signature": "s"})
    assert parts(ThinkingChunk("h"), ThinkingChunk("m"), PartChunk(block), TextChunk("a")) == (block, TextPart("a"))


def test_a_finished_part_ends_the_text_before_it() -> None:
    call = ToolCallPart("1", "f", "{}")
    source = CitationPart("https://example.org")
    assert parts(TextChunk("a"), PartChunk(source), TextChunk("b"), PartChunk(call)) == (
        TextPart("a"),
        source,
        TextPart("b"),
        call,
    )


def test_a_refusal_is_marked_as_one() -> None:
    assert parts(TextChunk("No.", refusal=True)) == (RefusalPart("No."),)


def test_nothing_visible_means_not_started() -> None:
    answer = grown(NoteChunk("retrying"), UsageChunk({"prompt_tokens": 1}), StopChunk("end", "stop"), TextChunk(""))
    assert not answer.started
    assert answer.message.parts == ()
    assert answer.usage_raw == [{"prompt_tokens": 1}]
    assert answer.stop == StopChunk("end", "stop")
    assert answer.notes == ["retrying"]


def test_output_is_counted_in_bytes_over_text_reasoning_and_arguments() -> None:
    answer = grown(TextChunk("é"), ThinkingChunk("ab"), PartChunk(ToolCallPart("1", "f", "{}")))
    assert answer.output_bytes == 2 + 2 + 3


def test_a_lone_surrogate_does_not_break_the_count() -> None:
    assert grown(TextChunk("\ud83d")).output_bytes == 3
