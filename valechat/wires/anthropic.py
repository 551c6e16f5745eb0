"""Usage on Anthropic's Messages wire.

`input_tokens` leaves out cache reads and writes. `message_delta` is cumulative, may raise the
input (a server tool read something), and has no split of cache writes by lifetime, which
`message_start` has. The tokens of a `compaction` iteration are billed but not in the top-level
counts. (Anthropic API reference: Messages, streaming, prompt caching, compaction.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from valechat.usage import Usage
from valechat.wires.reading import Reader, last, mapping

__all__ = ["read_messages"]

_INPUT = "input_tokens"
_READ = "cache_read_input_tokens"
_WRITE = "cache_creation_input_tokens"
_OUTPUT = "output_tokens"
_SPLIT = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
_TOOLS = ("web_search_requests", "web_fetch_requests", "code_execution_requests")


def read_messages(events: Sequence[Mapping[str, Any]]) -> Usage:
    """Messages: the message, its usage, or the stream's `message_start` and `message_delta`s."""
    read = Reader()
    usages = [usage for usage in map(_usage_of, events) if usage]
    merged = _merge(read, usages)
    if events and events[-1].get("type") == "message_start":
        # The count there is what was written when the stream began, not what the answer took.
        merged.pop(_OUTPUT, None)
        read.note("the stream broke off before its output was counted")
    compactions = _compactions(usages)
    extra = {name: sum(read.count(c, name) or 0 for c in compactions) for name in (_INPUT, _READ, _WRITE, _OUTPUT)}
    counted = read.total(merged, _INPUT, _READ, _WRITE)
    output = read.need(merged, _OUTPUT)
    if output is not None:
        output += extra[_OUTPUT]
    places = (("usage",), ("message", "usage"), ())
    return Usage(
        None if counted is None else counted + extra[_INPUT] + extra[_READ] + extra[_WRITE],
        output,
        _plus(read.count(merged, _READ), extra[_READ]),
        _plus(read.count(merged, _WRITE), extra[_WRITE]),
        read.part(read.count(merged, "output_tokens_details", "thinking_tokens"), output, "thinking_tokens"),
        read.details(
            **{
                name: last(events, *((*place, name) for place in places))
                for name in ("service_tier", "speed", "inference_geo")
            },
            model=last(events, ("model",), ("message", "model")),
            cache_creation=_split(read, usages, compactions),
            server_tool_use=_tools(read, merged),
        ),
    )


def _usage_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    if inside := mapping(event, "usage") or mapping(event, "message", "usage"):
        return inside
    return event if any(name in event for name in (_INPUT, _OUTPUT, _READ, _WRITE)) else {}


def _merge(read: Reader, usages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts at the end: they are cumulative, so none ever falls."""
    merged: dict[str, Any] = {}
    for usage in usages:
        for name, value in usage.items():
            if value is None:
                continue
            if name in {_INPUT, _READ, _WRITE, _OUTPUT}:
                before, now = read.count(merged, name), read.count(usage, name)
                merged[name] = value if before is None or now is None else max(before, now)
            else:
                merged[name] = value
    return merged


def _compactions(usages: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    listed: Iterator[list[Any]] = (u["iterations"] for u in reversed(usages) if isinstance(u.get("iterations"), list))
    found = next(listed, [])
    return [i for i in found if isinstance(i, Mapping) and i.get("type") == "compaction"]


def _plus(count: int | None, extra: int) -> int | None:
    return count + extra if count is not None else extra or None


def _split(
    read: Reader, usages: Sequence[Mapping[str, Any]], compactions: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Cache writes by lifetime, from the last object that has them."""
    found = next((s for u in reversed(usages) if (s := mapping(u, "cache_creation"))), {})
    sources = [found, *(mapping(c, "cache_creation") for c in compactions)]
    counts = {name: sum(read.count(s, name) or 0 for s in sources) for name in _SPLIT}
    return counts if any(counts.values()) else {}


def _tools(read: Reader, merged: Mapping[str, Any]) -> dict[str, int]:
    used = mapping(merged, "server_tool_use")
    return {name: value for name in _TOOLS if (value := read.count(used, name))}
