"""Changing one value of a JSON text: order, indentation, comments and everything else stay."""

from __future__ import annotations

import json
import re
from typing import Any

from valechat.plugins.jsontext import Node, NotJson, Step, scan

__all__ = ["put", "take"]

WIDTH = 100
"""A list longer than that gets a line for each item."""

Path = tuple[Step, ...]

_GONE = object()


def put(text: str, path: Path, value: Any) -> str:
    """The text with the value at the path, in the place of the one that is there or after its last sibling.

    An index one past the last appends. Objects on the way that do not exist are made.

    Raises:
        NotJson: The text is no JSON.
        LookupError: The way leads through something else.
    """
    root = scan(text)
    expected = _with(root.value, path, value)
    here = root.at(path)
    if here is not None:
        level = len(path) if _has_lines(text, root) else -1
        return _checked(text[: here.start] + _dumped(value, text, level) + text[here.end :], expected, text)
    *way, last = path
    while (parent := root.at(way)) is None:
        value = {last: value} if isinstance(last, str) else [value]
        *way, last = way
    if isinstance(parent.value, dict) and isinstance(last, str):
        return _checked(_inserted(text, parent, len(way), f"{_json(last)}: ", value), expected, text)
    if isinstance(parent.value, list) and last == len(parent.items):
        return _checked(_inserted(text, parent, len(way), "", value), expected, text)
    raise LookupError(path)


def take(text: str, path: Path) -> str:
    """The text without the value at the path.

    Raises:
        NotJson: The text is no JSON.
        LookupError: There is no such value.
    """
    root = scan(text)
    parent, gone = root.at(path[:-1]), root.at(path)
    if parent is None or gone is None:
        raise LookupError(path)
    return _checked(_without_part(text, parent, gone), _with(root.value, path, _GONE), text)


def _without_part(text: str, parent: Node, gone: Node) -> str:
    parts = list(parent.parts())
    index = next(i for i, (_, node) in enumerate(parts) if node is gone)
    start, end = parts[index][0], gone.end
    if index + 1 < len(parts):
        # What is commented before the next one belongs to that one.
        _, after = _around_comma(text, end)
        return text[:start] + text[after:].lstrip()
    if index:
        previous = parts[index - 1][1].end
        comma, after = _around_comma(text, previous)
        return text[:comma] + text[comma + 1 : after].rstrip() + text[end:]
    after = parent.comma + 1 if parent.comma is not None else end
    inside = text[parent.start + 1 : start] + text[after : parent.end - 1]
    return text[: parent.start + 1] + (inside if inside.strip() else "") + text[parent.end - 1 :]


def _around_comma(text: str, position: int) -> tuple[int, int]:
    """Where the comma after a value stands, and where the comment on its line ends."""
    before = re.compile(r"(?:\s|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL).match(text, position)
    comma = before.end() if before else position
    after = re.compile(r",(?:[ \t]*(?://[^\r\n]*|/\*[^\r\n]*?\*/(?=[ \t]*\r?\n)))?").match(text, comma)
    return comma, after.end() if after else comma


def _with(document: Any, path: Path, value: Any) -> Any:
    """A copy of the document with the value at the path, or without it for `_GONE`."""
    if not path:
        return value
    step, *rest = path
    copy = [*document] if isinstance(document, list) else {**document} if isinstance(document, dict) else None
    if isinstance(copy, dict) and isinstance(step, str):
        if not rest and value is _GONE:
            del copy[step]
        else:
            copy[step] = _with(copy.get(step, {} if rest and isinstance(rest[0], str) else []), tuple(rest), value)
        return copy
    if not isinstance(copy, list) or not isinstance(step, int) or not 0 <= step <= len(copy):
        raise LookupError(path)
    inner = [] if not rest and value is _GONE else [_with(copy[step] if step < len(copy) else {}, tuple(rest), value)]
    return copy[:step] + inner + copy[step + 1 :]


def _checked(after: str, expected: Any, before: str) -> str:
    """The changed text, where it says what it should; else the whole written anew, whose comments are lost."""
    try:
        if scan(after).value == expected:
            return after
    except NotJson:
        pass
    return _dumped(expected, before, 0) + _newline(before)


def _inserted(text: str, parent: Node, level: int, key: str, value: Any) -> str:
    parts = list(parent.parts())
    if parts and "\n" not in text[parent.start : parent.end]:
        last = parts[-1][1].end
        return f"{text[:last]}, {key}{_dumped(value, text, -1)}{text[last:]}"
    indent = _indent_of(text, parts[-1][0]) if parts else None
    inner = _unit(text) * (level + 1) if indent is None else indent
    new = f"{_newline(text)}{inner}{key}{_dumped(value, text, level + 1)}"
    if not parts:
        before = text[: parent.end - 1].rstrip()
        return f"{before}{new}{_newline(text)}{_unit(text) * level}{text[parent.end - 1 :]}"
    last = parts[-1][1].end
    comma = "" if parent.comma is not None else ","
    # A comment on the last sibling's line belongs to that one.
    rest = re.match(r"[ \t]*,?[ \t]*(//[^\r\n]*|(/\*[^\r\n]*?\*/[ \t]*)+)?(?=\r?\n)", text[last : parent.end])
    after = last + (rest.end() if rest else (parent.comma + 1 - last if parent.comma is not None else 0))
    return text[:last] + comma + text[last:after] + new + text[after:]


def _dumped(value: Any, text: str, level: int) -> str:
    """The value as JSON; on one line when the level is below zero."""
    plain = _json(value)
    simple = not isinstance(value, dict | list) or not value
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        simple = len(plain) <= WIDTH
    if simple or level < 0:
        return plain
    newline, unit = _newline(text), _unit(text)
    if isinstance(value, dict):
        lines = [f"{_json(key)}: {_dumped(item, text, level + 1)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        lines = [_dumped(item, text, level + 1) for item in value]
        opening, closing = "[", "]"
    inner = f",{newline}".join(unit * (level + 1) + line for line in lines)
    return f"{opening}{newline}{inner}{newline}{unit * level}{closing}"


def _json(value: Any) -> str:
    found = json.dumps(value, ensure_ascii=False)
    try:
        found.encode()
    except UnicodeEncodeError:  # half a character, which only an escape can write
        return json.dumps(value)
    return found


def _has_lines(text: str, root: Node) -> bool:
    return "\n" in text[root.start : root.end]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    """What one level is indented by: the first indentation there is, else two blanks."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _indent_of(text: str, position: int) -> str | None:
    """The blanks before a position when nothing else is before it on its line."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before if not before.strip() else None
