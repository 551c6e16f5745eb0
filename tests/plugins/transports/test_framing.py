"""Lines out of bytes, and messages out of lines."""

from __future__ import annotations

import itertools
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from valechat.plugins.transports.framing import LineReader, NotAMessage, TooLong, messages, refusal, written

ANSWER = b'{"jsonrpc":"2.0","id":7,"result":{"text":"yes"}}'


def lines(reader: LineReader, *pieces: bytes) -> list[bytes | TooLong]:
    return [line for piece in pieces for line in reader.feed(piece)]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_lines_are_the_same_however_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    pieces = [data[begin:end] for begin, end in itertools.pairwise(places)]
    reader = LineReader(1000)
    expected = [line for line in data.split(b"\n") if line and not line.isspace()]
    assert [*lines(reader, *pieces), *reader.rest()] == expected


@given(st.integers(0, 60), st.lists(st.integers(1, 20), max_size=6))
def test_a_line_over_the_limit_is_measured_and_the_next_is_read(size: int, steps: list[int]) -> None:
    data = b"x" * size + b"\nnext\n"
    reader, pieces = LineReader(20), []
    for step in steps:
        pieces.append(data[:step])
        data = data[step:]
    [first, *others] = lines(reader, *pieces, data) if size else [b"", *lines(reader, *pieces, data)]
    assert others == [b"next"]
    if size > 20:
        assert isinstance(first, TooLong)
        assert first.size == size
    else:
        assert first == b"x" * size


def test_a_line_over_the_limit_takes_no_memory() -> None:
    reader = LineReader(100_000)
    piece = b"x" * 65_536
    tracemalloc.start()
    try:
        for _ in range(1000):
            assert lines(reader, piece) == []
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_both_ends_of_a_line_over_the_limit_are_kept() -> None:
    reader = LineReader(100)
    begun, ended = b'{"id":1,"result":"', b'","end":true}'
    [line] = lines(reader, begun, b"x" * 50_000, ended[:4], ended[4:], b"\n")
    assert isinstance(line, TooLong)
    assert line.head.startswith(begun)
    assert line.tail.endswith(ended)


def test_cutting_takes_linear_time() -> None:
    def seconds(pieces: int) -> float:
        reader, begun = LineReader(1 << 30), time.thread_time()
        for _ in range(pieces):
            lines(reader, b"x" * 64)
        lines(reader, b"\n")
        return time.thread_time() - begun

    # What took the square of it would need 4,096 times as long.
    assert seconds(64_000) < 640 * min(seconds(1000) for _ in range(5))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}', JSONRPCRequest),
        (b'{"jsonrpc":"2.0","method":"notifications/x","params":{}}', JSONRPCNotification),
        (ANSWER, JSONRPCResponse),
        (b'{"jsonrpc":"2.0","id":"a","error":{"code":-1,"message":"no"}}', JSONRPCError),
        (ANSWER + b"\r", JSONRPCResponse),
    ],
)
def test_each_kind_of_message_is_read(line: bytes, kind: type) -> None:
    assert [type(message) for message in messages(line)] == [kind]


def test_a_batch_holds_several_messages() -> None:
    assert [type(message) for message in messages(b"[" + ANSWER + b"," + ANSWER + b"]")] == [JSONRPCResponse] * 2


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_taken_as_servers_send_them(number: str) -> None:
    [message] = messages(b'{"jsonrpc":"2.0","id":1,"result":{"n":%s}}' % number.encode())
    assert isinstance(message, JSONRPCResponse)
    assert isinstance(message.result["n"], float)


def test_half_a_surrogate_pair_is_replaced() -> None:
    [message] = messages(rb'{"jsonrpc":"2.0","id":1,"result":{"text":"a\ud83db"}}')
    assert isinstance(message, JSONRPCResponse)
    assert written(message).startswith(b'{"jsonrpc":"2.0"')
    assert message.result["text"] == "a?b"


@pytest.mark.parametrize(
    "line",
    [b"Server ready!", b"{", b"42", b"null", b"[]", b"[1]", b'{"id":1,"result":{}}', b"\xff\xfe\x00", b"[" * 100_000],
)
def test_what_is_no_message_is_said_to_be_none(line: bytes) -> None:
    assert [type(found) for found in messages(line)] == [NotAMessage]


@given(st.binary(max_size=100) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_line_raises(line: bytes | str) -> None:
    list(messages(line if isinstance(line, bytes) else line.encode()))


def test_an_answer_that_is_not_valid_is_refused_to_who_asked() -> None:
    [found] = messages(b'{"jsonrpc":"2.0","id":7,"result":"not an object"}')
    assert isinstance(found, NotAMessage)
    answer = refusal(found, "It was not valid.")
    assert answer is not None
    assert (answer.id, answer.error.message) == (7, "It was not valid.")


def test_a_request_that_is_not_valid_answers_nobody() -> None:
    [found] = messages(b'{"jsonrpc":"2.0","id":7,"method":12}')
    assert isinstance(found, NotAMessage)
    assert refusal(found, "") is None


@pytest.mark.parametrize(
    ("head", "tail", "identity"),
    [
        (b'{"jsonrpc":"2.0","id":7,"result":{"x', b'"}}', 7),
        (b'{"jsonrpc": "2.0", "id": "a-7", "result": {"x', b'"}}', "a-7"),
        (b'{"id":7,"jsonrpc":"2.0","result":{"x', b'"}}', 7),
        (b'{"result":{"x', b'"},"jsonrpc":"2.0","id":7}', 7),
        (b'{"result":{"x', b'"},"id":7,"jsonrpc":"2.0"}', 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"x', b'"}}', None),
        (b'{"jsonrpc":"2.0","result":{"id":7,"x', b'"}}', None),
        (b'{"jsonrpc":"2.0","method":"x","params":{"x', b'"},"id":7}', None),
    ],
)
def test_the_request_that_a_line_over_the_limit_answers_is_found(
    head: bytes, tail: bytes, identity: int | str | None
) -> None:
    answer = refusal(TooLong(10**9, head, tail), "It was too large.")
    assert (answer.id if answer else None) == identity


def test_a_message_is_written_as_one_line() -> None:
    request = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/call", params={"text": "two\nlines"})
    line = written(request)
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"text": "two\nlines"}}


def test_half_a_surrogate_pair_is_sent_as_an_escape() -> None:
    request = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/call", params={"text": "a\ud83d"})
    assert rb"a\ud83d" in written(request)


def test_what_is_no_json_cannot_be_sent_and_its_request_is_told() -> None:
    request = JSONRPCRequest(jsonrpc="2.0", id=1, method="tools/call", params={"thing": object()})
    with pytest.raises(TypeError, match="not JSON serializable"):
        written(request)
    answer = refusal(request, "No.")
    assert answer is not None
    assert answer.id == 1
