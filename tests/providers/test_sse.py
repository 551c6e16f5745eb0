from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valechat.providers._sse import (
    EventParser,
    EventTooLarge,
    JsonDocument,
    JsonLines,
    ServerEvent,
    ServerSentEvents,
)

STREAM = (
    "\ufeff: comment\n"
    'data: {"text": "naïve – 日本 🙂"}\n\n'
    "event: ping\rdata: one\rdata:two\r\r"
    ": OPENROUTER PROCESSING\r\n\r\n"
    "event: delta\r\nid: 7\r\nretry: 100\r\ndata:  spaced\r\n\r\n"
    "unknown: field\ndata\n\n"
    "event: only a name\n\n"
    "data: last"
).encode()

EVENTS = [
    ServerEvent('{"text": "naïve – 日本 🙂"}'.encode()),
    ServerEvent(b"one\ntwo", "ping"),
    ServerEvent(b" spaced", "delta"),
    ServerEvent(b""),
    ServerEvent(b"last", cut=True),
]


def parsed(parser: EventParser, pieces: list[bytes]) -> list[ServerEvent]:
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


def test_a_stream_is_read_as_the_standard_says() -> None:
    assert parsed(ServerSentEvents(), [STREAM]) == EVENTS


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    assert parsed(ServerSentEvents(), [bytes([byte]) for byte in STREAM]) == EVENTS


@given(st.lists(st.integers(0, 10_000)))
def test_any_split_gives_the_same_events(places: list[int]) -> None:
    assert parsed(ServerSentEvents(), cut(STREAM, places)) == EVENTS


@given(st.text(alphabet="da t:evn\r\n\ufeff{é", max_size=80), st.lists(st.integers(0, 200)))
def test_any_bytes_give_the_same_events_however_they_are_split(text: str, places: list[int]) -> None:
    data = text.encode()
    assert parsed(ServerSentEvents(), cut(data, places)) == parsed(ServerSentEvents(), [data])


@given(st.lists(st.integers(0, 10_000)))
def test_any_split_of_json_lines_gives_the_same_values(places: list[int]) -> None:
    data = '{"a": "é"}\n\n{"b": 2}\r\n  \n{"c"'.encode()
    assert parsed(JsonLines(), cut(data, places)) == [
        ServerEvent('{"a": "é"}'.encode()),
        ServerEvent(b'{"b": 2}'),
        ServerEvent(b'{"c"', cut=True),
    ]


@pytest.mark.parametrize("before", [b"x", b"data: 1\n", b"event: e\n", b": c\r\n", b"data: 1\r", b"\xef\xbb"])
@pytest.mark.parametrize(
    "piece", [b"data: 2\n\n", b"data: 2\rdata: 3\n\n", b"data: 2\n\r\n\n", b"data: 2\ndata: 3\n\n"]
)
def test_a_piece_that_looks_like_one_event_is_read_with_what_came_before(before: bytes, piece: bytes) -> None:
    first = b"data: 0\n\n"
    assert parsed(ServerSentEvents(), [first, before, piece]) == parsed(
        ServerSentEvents(), [bytes([byte]) for byte in first + before + piece]
    )


def test_a_stream_that_ends_with_its_blank_line_leaves_nothing() -> None:
    parser = ServerSentEvents()
    assert parser.feed(b"data: 1\n\n") == [ServerEvent(b"1")]
    assert parser.finish() == []


def test_an_event_over_the_limit_is_refused_while_it_arrives() -> None:
    parser = ServerSentEvents(most_bytes=1000)
    with pytest.raises(EventTooLarge):
        parsed(parser, [b"data: ", *[b"x" * 100] * 20])


def test_an_event_of_many_lines_over_the_limit_is_refused() -> None:
    parser = ServerSentEvents(most_bytes=1000)
    with pytest.raises(EventTooLarge):
        parser.feed(b"data: 123456789\n" * 101)


def test_a_document_over_the_limit_is_refused() -> None:
    parser = JsonDocument(most_bytes=10)
    with pytest.raises(EventTooLarge):
        parser.feed(b"x" * 11)


def test_a_large_event_in_small_pieces_takes_linear_time() -> None:
    parser = ServerSentEvents()
    pieces = [b"data: ", *[b"x" * 64] * 100_000, b"\n\n"]
    (event,) = parsed(parser, pieces)
    assert len(event.data) == 6_400_000
