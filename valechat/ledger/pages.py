"""Rows out of a SQLite file page by page, whatever state the rest of it is in.

A leaf of a table holds whole rows, so each sound leaf gives its rows even where the header, the schema or the
pages above it are gone. What a page is, is read from itself: see "B-tree Pages", "Record Format" and "Cell
Payload Overflow Pages" in https://www.sqlite.org/fileformat2.html. Nothing here trusts a number it has read.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Row", "rows"]

Value = None | int | float | str | bytes

_HEADER = 100
_DEFAULT_PAGE_SIZE = 4_096
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INSIDE = 0x0D, 0x0A, 0x02
_MOST_BYTES = 1_000_000_000
"""SQLite's own bound for a row."""

_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


@dataclass(frozen=True, slots=True)
class Row:
    """A row or an index entry. `rowid` is None in an index and in a table without row ids."""

    rowid: int | None
    values: Sequence[Value]


class _Torn(Exception):
    """What was read cannot be a row."""


def rows(path: Path) -> Iterator[Row | None]:
    """All rows that sound pages hold, in the file's order; None for each that is only in part there."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        pages = _Pages(content)
        for number in range(1, pages.count + 1):
            yield from pages.rows(number)


class _Pages:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        size = int.from_bytes(content[16:18], "big")
        size = 65_536 if size == 1 else size
        sound = content[:15] == b"SQLite format 3" and 512 <= size <= 65_536 and size & (size - 1) == 0
        self._size = size if sound else _DEFAULT_PAGE_SIZE
        self._usable = self._size - (content[20] if sound else 0)
        self.count = -(-len(content) // self._size)

    def rows(self, number: int) -> Iterator[Row | None]:
        start = (number - 1) * self._size
        page = self._content[start : start + self._size]
        at = _HEADER if number == 1 else 0
        if len(page) < at + 12 or page[at] not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INSIDE):
            return
        kind = page[at]
        count = int.from_bytes(page[at + 3 : at + 5], "big")
        pointers = at + (12 if kind == _INDEX_INSIDE else 8)
        if pointers + 2 * count > self._usable:
            return
        for n in range(count):
            offset = int.from_bytes(page[pointers + 2 * n : pointers + 2 * n + 2], "big")
            try:
                yield self._row(page, offset, kind)
            except (_Torn, UnicodeDecodeError):
                yield None

    def _row(self, page: bytes, offset: int, kind: int) -> Row:
        at = offset + (4 if kind == _INDEX_INSIDE else 0)
        length, at = _varint(page, at)
        rowid = None
        if kind == _TABLE_LEAF:
            rowid, at = _varint(page, at)
        return Row(rowid, _values(self._payload(page, at, length, in_table=kind == _TABLE_LEAF)))

    def _payload(self, page: bytes, at: int, length: int, *, in_table: bool) -> bytes:
        usable = self._usable
        most = usable - 35 if in_table else (usable - 12) * 64 // 255 - 23
        if not 0 < length <= _MOST_BYTES:
            raise _Torn
        local = length
        if length > most:
            least = (usable - 12) * 32 // 255 - 23
            local = least + (length - least) % (usable - 4)
            local = local if local <= most else least
        payload = page[at : at + local]
        if len(payload) < local:
            raise _Torn
        if local == length:
            return payload
        return payload + self._overflow(page[at + local : at + local + 4], length - local)

    def _overflow(self, first: bytes, left: int) -> bytes:
        found = []
        number = int.from_bytes(first, "big")
        while left > 0:
            start = (number - 1) * self._size
            page = self._content[start : start + self._usable] if 1 <= number <= self.count else b""
            piece = page[4 : 4 + left]
            if not piece or len(piece) < min(left, self._usable - 4):
                raise _Torn
            found.append(piece)
            left -= len(piece)
            number = int.from_bytes(page[:4], "big")
        return b"".join(found)


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    value = 0
    for n in range(9):
        if at + n >= len(page):
            raise _Torn
        byte = page[at + n]
        if n == 8:
            value = value << 8 | byte
            break
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            break
    return (value - (1 << 64) if value >= 1 << 63 else value), at + n + 1


def _values(payload: bytes) -> list[Value]:
    header, at = _varint(payload, 0)
    if not 0 < header <= len(payload):
        raise _Torn
    kinds = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    found = []
    at = header
    for kind in kinds:
        value, at = _value(payload, at, kind)
        found.append(value)
    if at != len(payload):
        raise _Torn
    return found


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], at
    if kind in (10, 11) or kind < 0:
        raise _Torn
    size = _INTEGERS.get(kind, 8) if kind <= 7 else (kind - 12) // 2
    piece = payload[at : at + size]
    if len(piece) < size:
        raise _Torn
    if kind == 7:
        return struct.unpack(">d", piece)[0], at + size
    if kind < 7:
        return int.from_bytes(piece, "big", signed=True), at + size
    return (piece.decode("utf-8") if kind % 2 else piece), at + size
