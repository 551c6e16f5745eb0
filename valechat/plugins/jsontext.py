"""JSON as people keep it in files: where each value stands, and changes that leave the rest as it is.

Comments and trailing commas, which editors allow in such files, are tolerated and kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

__all__ = ["Node", "NotJson", "Step", "line_and_column", "loads", "scan"]

Step = str | int
"""A key of an object, or an index of an array."""

DEEPEST = 100
"""Levels of nesting; more is a mistake or an attack."""

_BLANK = re.compile(r"[ \t\r\n]+")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)


class NotJson(ValueError):
    """The text is not JSON. `position` is where, `str` says what was found; nothing of the text is in it."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.position = position


@dataclass(slots=True)
class Node:
    """A value and where it stands: `text[start:end]`.

    Attributes:
        start: Where it begins; for a member of an object, where its key begins is in `keys`.
        end: Where it ends.
        value: The value; of an object or array with all that is in it.
        members: What an object holds; of a key that is written twice, the last.
        items: What an array holds.
        keys: Where each key of an object begins.
        comma: Where the last comma stands that nothing follows, None where there is none.
        repeated: Keys that are written twice.
        comments: All comments; only at the root.
    """

    start: int
    end: int = 0
    value: Any = None
    members: dict[str, Node] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    comma: int | None = None
    repeated: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def at(self, path: Sequence[Step]) -> Node | None:
        """The node at a path, or None."""
        here: Node | None = self
        for step in path:
            if here is None:
                return None
            if isinstance(step, int):
                here = here.items[step] if isinstance(here.value, list) and step < len(here.items) else None
            else:
                here = here.members.get(step)
        return here

    def parts(self) -> Iterator[tuple[int, Node]]:
        """The members or items in the order of the text, each with where it begins, its key included."""
        if isinstance(self.value, dict):
            yield from sorted(((self.keys[key], node) for key, node in self.members.items()), key=lambda part: part[0])
        else:
            yield from ((node.start, node) for node in self.items)


def loads(text: str) -> Any:
    """The value of a JSON text, comments and trailing commas tolerated.

    Raises:
        NotJson: It is none.
    """
    try:
        return json.loads(text, parse_constant=_constant)
    except (ValueError, RecursionError):
        return scan(text).value


def scan(text: str) -> Node:
    """The value of a JSON text with where each part of it stands.

    Raises:
        NotJson: It is none.
    """
    scanner = _Scanner(text)
    position = scanner.skip(0)
    node = scanner.node(position, 0)
    rest = scanner.skip(node.end)
    if rest < len(text):
        raise NotJson("there is more text after the end", rest)
    node.comments = scanner.comments
    return node


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """Line and column of a position, both from 1."""
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._decoder = json.JSONDecoder(parse_constant=_constant)
        self.comments: list[str] = []

    def skip(self, position: int) -> int:
        """Past blanks and comments."""
        while True:
            if match := _BLANK.match(self._text, position):
                position = match.end()
            elif match := _COMMENT.match(self._text, position):
                self.comments.append(match[0])
                position = match.end()
            else:
                return position

    def node(self, position: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise NotJson("the values are nested too deeply", position)
        opening = self._text[position : position + 1]
        if opening == "{":
            return self._object(position, depth)
        if opening == "[":
            return self._array(position, depth)
        value, end = self._scalar(position)
        return Node(position, end, value)

    def _object(self, start: int, depth: int) -> Node:
        node = Node(start, value={})
        position = self.skip(start + 1)
        while self._char(position) != "}":
            if self._char(position) != '"':
                raise NotJson("a name in double quotes or } is expected", position)
            key, after = self._scalar(position)
            colon = self.skip(after)
            if self._char(colon) != ":":
                raise NotJson("a colon is expected after the name", colon)
            inner = self.node(self.skip(colon + 1), depth + 1)
            if key in node.members:
                node.repeated.append(key)
            node.members[key], node.keys[key], node.value[key] = inner, position, inner.value
            position = self._next(node, inner.end, "}")
        node.end = position + 1
        return node

    def _array(self, start: int, depth: int) -> Node:
        node = Node(start, value=[])
        position = self.skip(start + 1)
        while self._char(position) != "]":
            inner = self.node(position, depth + 1)
            node.items.append(inner)
            node.value.append(inner.value)
            position = self._next(node, inner.end, "]")
        node.end = position + 1
        return node

    def _next(self, node: Node, position: int, closing: str) -> int:
        position = self.skip(position)
        if self._char(position) == ",":
            comma = position
            position = self.skip(position + 1)
            node.comma = comma if self._char(position) == closing else None
        elif self._char(position) != closing:
            raise NotJson(f"a comma or {closing} is expected", position)
        return position

    def _char(self, position: int) -> str:
        if position >= len(self._text):
            raise NotJson("the text ends too early", position)
        return self._text[position]

    def _scalar(self, position: int) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, position)
        except json.JSONDecodeError as error:
            quoted = self._text[position : position + 1] == '"'
            what = "the text in quotes is not valid JSON" if quoted else "a value is expected"
            at = error.pos if quoted else position
        except ValueError:
            what, at = "the number is none that JSON has", position
        raise NotJson(what, at)


def _constant(_: str) -> NoReturn:
    raise ValueError
