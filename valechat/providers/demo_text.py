"""How the demonstration model counts, and how it cuts its answers into pieces.

A token of the demonstration is a run of at most six letters or digits with the blank before it, or one
other character. That is close to what real tokenizers give for English, and never more than the number
of UTF-8 bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["count_input", "count_tokens", "text_of", "tokens"]

_TOKEN = re.compile(r"\s?\w{1,6}|\s|[^\w\s]")


def tokens(text: str) -> list[str]:
    """The text in tokens; joined they are the text."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """How many tokens a text has."""
    return sum(1 for _ in _TOKEN.finditer(text))


def count_input(messages: Sequence[Mapping[str, Any]], tools: Sequence[Any]) -> int:
    """Input tokens of a request: the text of its messages, tool calls and tools. Images count 85 each."""
    total = sum(count_tokens(json.dumps(tool, ensure_ascii=False)) for tool in tools)
    for message in messages:
        total += count_tokens(text_of(message))
        total += sum(count_tokens(json.dumps(call, ensure_ascii=False)) for call in message.get("tool_calls") or ())
        total += 85 * sum(1 for part in _parts(message) if part.get("type") == "image_url")
    return total


def text_of(message: Mapping[str, Any]) -> str:
    """All text of a message in the Chat Completions form."""
    return "\n\n".join(str(part.get("text") or "") for part in _parts(message) if part.get("type") == "text")


def _parts(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content or () if isinstance(part, Mapping)]
