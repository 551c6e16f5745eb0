"""Which tools the demonstration model calls, and with what."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["ToolCall", "calls_for", "example_of"]

_EXPLICIT = re.compile(r"use\s+(?:the\s+)?tool\s+[`'\"]?([\w-]+)[`'\"]?(?:\s+with\s+)?", re.IGNORECASE)
_COMMON = frozenset(
    {"about", "after", "also", "answer", "call", "does", "each", "file", "from", "gets", "give", "given", "have"}
    | {"into", "list", "make", "name", "only", "please", "returns", "some", "tell", "text", "than", "that", "their"}
    | {"all", "and", "any", "are", "can", "for", "how", "its", "new", "not", "one", "the", "two", "was", "you"}
    | {"them", "then", "this", "tool", "user", "uses", "value", "what", "when", "which", "will", "with", "your"}
)
"""Words that a description and a question share by chance."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool to call: its name and its arguments as JSON text."""

    name: str
    arguments: str


def calls_for(question: str, tools: Sequence[Any]) -> list[ToolCall]:
    """The calls a question asks for.

    `use the tool NAME with {json}` calls it so, any number of times in one question. Otherwise the tool
    is called whose name is in the question, word by word, or whose name and description share the most
    words with it, two at least; its arguments are taken from the question's numbers and quotes.
    """
    offered = {function["name"]: function for tool in tools if (function := _function(tool))}
    explicit = [_explicit(match, question, offered) for match in _EXPLICIT.finditer(question)]
    calls = [call for call in explicit if call is not None]
    if calls or not offered:
        return calls
    best = max(offered.values(), key=lambda function: _match(function, question))
    if _match(best, question) < 2:
        return []
    return [ToolCall(best["name"], json.dumps(_arguments(best.get("parameters"), question)))]


def example_of(schema: Any, text: str = "demo", depth: int = 0) -> Any:
    """A value that follows a JSON Schema, the same each time; strings are `text`."""
    if not isinstance(schema, Mapping) or depth > 8:
        return text
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for name in ("anyOf", "oneOf", "allOf"):
        if schema.get(name):
            return example_of(schema[name][0], text, depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties") or {}
        return {
            name: example_of(properties.get(name), text, depth + 1) for name in schema.get("required") or properties
        }
    if kind == "array":
        return [example_of(schema.get("items"), text, depth + 1) for _ in range(max(1, schema.get("minItems") or 1))]
    simple = {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1.5), "boolean": True, "null": None}
    return simple.get(str(kind), text)


def _function(tool: Any) -> Mapping[str, Any] | None:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    return function if isinstance(function, Mapping) and isinstance(function.get("name"), str) else None


def _explicit(match: re.Match[str], question: str, offered: Mapping[str, Any]) -> ToolCall | None:
    name = match[1]
    function = offered.get(name)
    if function is None:
        return None
    rest = question[match.end() :].lstrip()
    if rest.startswith("{"):
        try:
            _, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            # Sent on as it was written: what becomes of arguments that are not JSON is worth showing too.
            return ToolCall(name, rest)
        return ToolCall(name, rest[:end])
    return ToolCall(name, json.dumps(_arguments(function.get("parameters"), question)))


def _match(function: Mapping[str, Any], question: str) -> int:
    """Words that name and description share with the question, and one more if it has the numbers the tool needs."""
    words = _words(question)
    named = _words(re.sub(r"([a-z])([A-Z])|_", r"\1 \2", function["name"]))
    if named and named <= words:
        return 100 + len(named)
    telling = named | {word for word in _words(str(function.get("description") or "")) if len(word) > 2}
    return len((telling - _COMMON) & words) + _has_numbers_for(function.get("parameters"), question)


def _has_numbers_for(schema: Any, question: str) -> bool:
    if not isinstance(schema, Mapping):
        return False
    properties = schema.get("properties") or {}
    needed = [name for name in properties if properties[name].get("type") in ("integer", "number")]
    return bool(needed) and len(_numbers(question)) >= len(needed)


def _numbers(question: str) -> list[float]:
    return [float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", question)]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text.lower()))


def _arguments(schema: Any, question: str) -> dict[str, Any]:
    """Arguments from the question: its numbers for numbers, its quotes for strings, else the question itself."""
    if not isinstance(schema, Mapping):
        return {}
    numbers = _numbers(question)[::-1]
    quotes = [a or b or c for a, b, c in re.findall(r"\"([^\"]+)\"|'([^']+)'|`([^`]+)`", question)][::-1]
    properties = schema.get("properties") or {}
    arguments: dict[str, Any] = {}
    for name in schema.get("required") or properties:
        part = properties.get(name) or {}
        kind = part.get("type")
        if kind in ("integer", "number") and numbers:
            number = numbers.pop()
            arguments[name] = int(number) if kind == "integer" or number.is_integer() else number
        elif kind == "string" and not part.get("enum"):
            arguments[name] = quotes.pop() if quotes else question.strip()
        else:
            arguments[name] = example_of(part)
    return arguments
