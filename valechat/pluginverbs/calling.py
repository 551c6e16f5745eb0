"""`call`: one tool, called by the user."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from valechat.errors import ConfigError, PluginError
from valechat.plugins.base import PluginTool, Progress
from valechat.plugins.byhand import call_by_hand
from valechat.pluginverbs.blocks import Answered, Outcome
from valechat.pluginverbs.desk import Desk

__all__ = ["arguments", "call"]


async def call(options: argparse.Namespace, desk: Desk) -> Outcome:
    """Call a tool. The user did it by name, so nobody is asked whether it may run.

    Raises:
        ConfigError: The arguments cannot be read, or one is missing.
        PluginError: There is no such tool, or its plugin does not run.
        ToolFailed: It did not answer in time.
    """
    async with desk.running(options.id) as info:
        tool = next((one for one in info.tools if options.tool in (one.name, one.public_name)), None)
        if tool is None:
            names = ", ".join(one.name for one in info.tools) or "none"
            raise PluginError(f"{info.id} has no tool {options.tool!r}.", fix=f"It has {names}.")
        answer = await call_by_hand(
            desk.manager,
            desk.services.ledger,
            info.id,
            tool.name,
            arguments(options.arguments, tool, desk),
            timeout=options.timeout,
            on_progress=lambda progress: desk.progress(_how_far(progress)),
            asker=desk.asker,
        )
    value = answer.text if answer.structured is None else answer.structured
    return Outcome([Answered(answer)], value, failed=answer.is_error)


def arguments(given: Sequence[str], tool: PluginTool, desk: Desk) -> dict[str, Any]:
    """What `NAME=VALUE …` or one JSON object mean to a tool: text where its schema says so, JSON elsewhere.

    Raises:
        ConfigError: They cannot be read, or one is missing.
    """
    if len(given) == 1 and given[0].lstrip().startswith("{"):
        try:
            found = json.loads(given[0])
        except ValueError as error:
            raise ConfigError(f"The arguments are no JSON: {error}.") from error
        values: dict[str, Any] = dict(found)
    else:
        values = {}
        for word in given:
            name, equals, text = word.partition("=")
            if not equals:
                raise ConfigError(f"{word!r} is no argument.", fix="Write NAME=VALUE, or one JSON object in quotes.")
            values[name] = _value(text, tool.input_schema, name)
    needed = tool.input_schema.get("required")
    missing = [str(name) for name in needed if name not in values] if isinstance(needed, list) else []
    if missing:
        wanted = " ".join(f"{name}=…" for name in missing)
        raise ConfigError(
            f"{tool.name} needs {', '.join(missing)}.",
            fix=f"Write: {desk.how(f'call {tool.plugin} {tool.name} {wanted}')}",
        )
    return values


def _value(text: str, schema: Mapping[str, Any], name: str) -> Any:
    properties = schema.get("properties")
    one = properties.get(name) if isinstance(properties, Mapping) else None
    kind = one.get("type") if isinstance(one, Mapping) else None
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # what is no JSON is text; a tool that wants something else says so itself


def _how_far(progress: Progress) -> str:
    of = "" if progress.total is None else f" of {progress.total:g}"
    return f"{progress.done:g}{of}{f': {progress.message}' if progress.message else ''}"
