"""In which line of a TOML text a key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence

__all__ = ["dotted", "line_of"]

_ASSIGNMENT = re.compile(r"""\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+|[\s.])+?)\s*=""")
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line, from 1, where the key at `path` is written; else the nearest table around it.

    For an error message only: inside multi-line values the answer can be off.
    """
    wanted = tuple(path)
    table: tuple[str, ...] = ()
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            found = table = _key_path(line) or table
        elif match := _ASSIGNMENT.match(line):
            found = table + _key_path(f"{match[1]} = 0")
        else:
            continue
        depth = _shared(found, wanted)
        if depth == min(len(found), len(wanted)) and depth > best[0]:
            best = (depth, number)
    return best[1]


def dotted(path: Sequence[str]) -> str:
    """The path as TOML writes it: `limits.models."openai/gpt-5".daily`."""
    return ".".join(key if _BARE.fullmatch(key) else f'"{key}"' for key in path)


def _key_path(line: str) -> tuple[str, ...]:
    """The keys of a line that is a whole TOML document: a table's header, or an assignment."""
    try:
        value: object = tomllib.loads(line)
    except (ValueError, RecursionError):
        return ()
    keys: list[str] = []
    while isinstance(value, dict) and value:
        key = next(iter(value))
        keys.append(key)
        value = value[key]
    return tuple(keys)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
