"""Messages as lines: what a server writes, cut and read; what it is sent, written.

One JSON-RPC message a line, UTF-8, no line break inside
(https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio). Cutting is linear in
what arrives: pieces are joined once, when their line ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from mcp_types import ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCRequest, jsonrpc_message_adapter
from pydantic import ValidationError

__all__ = ["LineReader", "NotAMessage", "TooLong", "messages", "refusal", "written"]

KEPT = 2048
"""Bytes that are kept of each end of a line too long to read."""

INVALID_ANSWER = -32603
"""JSON-RPC's code for an internal error: the request was fine, its answer was not."""

_ID = rb'"id"\s*:\s*(-?\d+|"(?:[^"\\]|\\.)*")'
_VERSION = rb'"jsonrpc"\s*:\s*"2\.0"'
_METHOD = re.compile(rb'"method"\s*:')
_ID_FIRST = re.compile(rb"\s*\{\s*(?:" + _VERSION + rb"\s*,\s*)?" + _ID + rb"\s*,")
_ID_LAST = re.compile(
    rb",\s*" + _ID + rb"\s*(?:,\s*" + _VERSION + rb"\s*)?\}\s*$|"
    rb",\s*" + _VERSION + rb"\s*,\s*" + _ID + rb"\s*\}\s*$"
)


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line over the limit: its size, and what is kept of its two ends."""

    size: int
    head: bytes
    tail: bytes


@dataclass(frozen=True, slots=True)
class NotAMessage:
    """A line, or an item of a batch, that is no JSON-RPC message. `request` is the id it answers, if it shows one."""

    text: str
    request: int | str | None = None


class LineReader:
    """Cuts a stream of bytes into lines.

    Args:
        limit: The most bytes of a line; a longer one is given as `TooLong` and takes no memory.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[bytes | TooLong]:
        """The lines that these bytes complete, without their ends. Blank lines are left out."""
        first, *others = data.split(b"\n")
        self._add(first)
        for piece in others:
            yield from self.rest()
            self._add(piece)

    def rest(self) -> Iterator[bytes | TooLong]:
        """The line begun last, as if it ended here."""
        size, pieces, tail = self._size, self._pieces, self._tail
        self._pieces, self._size, self._tail = [], 0, b""
        if size > self._limit:
            yield TooLong(size, pieces[0], tail)
            return
        line = b"".join(pieces)
        if line and not line.isspace():
            yield line

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._limit:
            self._pieces.append(piece)
        elif self._tail:
            self._tail = (self._tail + piece)[-KEPT:]
        else:
            whole = b"".join([*self._pieces, piece])
            self._pieces, self._tail = [whole[:KEPT]], whole[-KEPT:]


def messages(line: bytes) -> Iterator[JSONRPCMessage | NotAMessage]:
    """What a line holds; more than one thing only if it is a batch (protocol 2025-03-26)."""
    try:
        value = _value(line)
    except (ValueError, RecursionError):
        yield NotAMessage(_excerpt(line))
        return
    for item in value if isinstance(value, list) and value else [value]:
        yield _message(item)


def written(message: JSONRPCMessage) -> bytes:
    """The line to send.

    Raises:
        ValueError, TypeError, RecursionError: It cannot be written as JSON.
    """
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
    except ValueError:
        # Half a surrogate pair, as models do send: Python's own writer keeps it as an escape.
        return json.dumps(message.model_dump(by_alias=True, exclude_unset=True)).encode() + b"\n"


def refusal(what: NotAMessage | TooLong | JSONRPCMessage, why: str) -> JSONRPCError | None:
    """What to tell the request that waits for an unreadable answer, or that could not be sent; None for none."""
    if isinstance(what, TooLong):
        request = _request_of(what)
    elif isinstance(what, NotAMessage):
        request = what.request
    else:
        request = what.id if isinstance(what, JSONRPCRequest) else None
    if request is None:
        return None
    return JSONRPCError(jsonrpc="2.0", id=request, error=ErrorData(code=INVALID_ANSWER, message=why))


def _value(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        # Python's own reader takes NaN and lone surrogates, which servers do send; the latter fit no UTF-8.
        value = json.loads(line.decode("utf-8", "replace"))
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _message(value: Any) -> JSONRPCMessage | NotAMessage:
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        return NotAMessage(_excerpt(value))
    try:
        return jsonrpc_message_adapter.validate_python(value, by_name=False)
    except ValidationError:
        identity = value.get("id")
        answers = "method" not in value and isinstance(identity, int | str) and not isinstance(identity, bool)
        return NotAMessage(_excerpt(value), identity if answers else None)


def _request_of(line: TooLong) -> int | str | None:
    if _METHOD.search(line.head):
        return None  # it asks something itself, and its id is the server's
    found = _ID_FIRST.match(line.head) or _ID_LAST.search(line.tail)
    if found is None:
        return None
    identity: int | str = json.loads(next(group for group in found.groups() if group is not None))
    return identity


def _excerpt(value: Any) -> str:
    text = value[:200].decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)[:200]
    return text.strip()
