"""What the demonstration model says: the same answer to the same request, always."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valechat.providers.demo_text import text_of
from valechat.providers.demo_tools import ToolCall, calls_for, example_of

__all__ = ["Answer", "answer"]

_MOST_ECHOED = 2000

_INTRODUCTION = (
    "This is ValeChat's built-in **demonstration model**. It is no AI: it runs on your own machine, "
    "needs no key and repeats what it is given, so that you can try everything here for free."
)

_HINTS = """\
What it was given:

| | |
|---|---:|
| words | {words} |
| characters | {characters} |
| messages in this conversation | {messages} |
| images and files | {attachments} |
| tools it may call | {tools} |

Each request is already in your ledger. Run this in the next cell:

```python
import valechat

valechat.sql("select ts, model, input_tokens, output_tokens, cost from usage order by ts desc limit 5")
```

Say *think*, *count to 100* or *use the tool NAME with {{"json": 1}}* to see reasoning, a long answer or a tool call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Reasoning, then text, then tool calls; any of them may be empty."""

    text: str
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()


def answer(body: Mapping[str, Any]) -> Answer:
    """The answer to a Chat Completions request."""
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    asked = [message for message in messages if message.get("role") == "user"]
    question = text_of(asked[-1]) if asked else ""
    tools = body.get("tools") or ()
    thinking = _thinking(body, question)
    if messages and messages[-1].get("role") == "tool":
        return Answer(_about_results(messages), thinking)
    if tools and body.get("tool_choice") != "none" and (calls := calls_for(question, tools)):
        names = " and ".join(f"`{call.name}`" for call in calls)
        return Answer(f"I call {names}.", thinking, tuple(calls))
    wanted = (body.get("response_format") or {}).get("type")
    if wanted == "json_schema":
        schema = body["response_format"]["json_schema"].get("schema")
        return Answer(json.dumps(example_of(schema, question[:200] or "demo"), ensure_ascii=False), thinking)
    if wanted == "json_object":
        return Answer(json.dumps({"demonstration": True, "you_said": question}, ensure_ascii=False), thinking)
    counted = re.search(r"\bcount to (\d{1,5})\b", question, re.IGNORECASE)
    if counted:
        return Answer(" ".join(map(str, range(1, int(counted[1]) + 1))), thinking)
    return Answer(_echo(question, messages, tools), thinking)


def _thinking(body: Mapping[str, Any], question: str) -> str:
    asked = re.search(r"\bthink(?:ing)?\b", question, re.IGNORECASE)
    if not asked and body.get("reasoning_effort") in (None, "none"):
        return ""
    return (
        f"The question has {len(question.split())} words. I am a demonstration, so I do not understand them; "
        "I shall repeat them and say what I was given."
    )


def _about_results(messages: Sequence[Mapping[str, Any]]) -> str:
    """A comment on the results at the end of the conversation."""
    names = {call["id"]: call["function"]["name"] for message in messages for call in message.get("tool_calls") or ()}
    results: list[str] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        text = text_of(message)
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
        results.append(
            f"The tool `{names.get(message.get('tool_call_id'), 'unknown')}` answered:\n\n"
            f"{fence}\n{_shortened(text)}\n{fence}"
        )
    return "\n\n".join([*reversed(results), "A real model would go on from here; the demonstration ends its turn."])


def _echo(question: str, messages: Sequence[Mapping[str, Any]], tools: Sequence[Any]) -> str:
    quoted = "\n".join(f"> {line}".rstrip() for line in _shortened(question).splitlines()) or "> (nothing)"
    contents = [message.get("content") for message in messages]
    hints = _HINTS.format(
        words=len(question.split()),
        characters=len(question),
        messages=sum(message.get("role") in ("user", "assistant") for message in messages),
        attachments=sum(
            part.get("type") in ("image_url", "file")
            for content in contents
            if isinstance(content, list)
            for part in content
        ),
        tools=len(tools),
    )
    return f"{_INTRODUCTION}\n\nYou said:\n\n{quoted}\n\n{hints}"


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_ECHOED else f"{text[:_MOST_ECHOED]} … ({len(text)} characters in all)"
