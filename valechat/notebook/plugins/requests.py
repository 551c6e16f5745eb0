"""What a view asks to be done, done. Each gives a sentence for the user, empty where the board shows it anyway."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from valechat.errors import ConfigError
from valechat.plugins.config import parse
from valechat.pluginverbs import adding, signing
from valechat.pluginverbs.desk import Desk

__all__ = ["carry_out"]

_CHANGEABLE = frozenset({"timeout", "call_timeout", "permissions"})


async def carry_out(message: Mapping[str, Any], desk: Desk) -> str:
    """Do what a message with a `request` asks.

    Raises:
        ValeChatError: It could not be done; says what to do.
    """
    match message:
        case {"type": "act", "id": str(id_), "verb": str(verb)}:
            return await _act(desk, id_, verb)
        case {"type": "switch", "id": str(id_), "tool": str(tool), "on": bool(on)}:
            await desk.manager.switch_tool(id_, tool, on=on)
        case {"type": "change", "id": str(id_), "fields": str(fields)}:
            given = _object(fields)
            await desk.manager.change(id_, **{name: given[name] for name in given if name in _CHANGEABLE})
        case {"type": "set_secret", "id": str(id_), "name": str(name), "value": str(value)}:
            await desk.services.keys.store(name, value)
            await desk.manager.restart(id_)
        case {"type": "grant" | "revoke", "id": str(id_), "permit": str(permit), "value": str(value)}:
            await _permit(desk, id_, permit, value, message.get("allow"))
        case {"type": "add_json", "text": str(text)}:
            return adding.sentence(await adding.add_json(desk, text))
        case {"type": "add_form"}:
            return adding.sentence([await adding.add_one(desk, parse(_from_form(message)))])
        case {
            "type": "add_entry",
            "entry": str(entry),
            "id": str(id_),
            "inputs": str(inputs),
            "limited": bool(limited),
        }:
            given = _object(inputs)
            return adding.sentence([await adding.add_from_catalogue(desk, entry, given, as_id=id_, limited=limited)])
        case {"type": "import", "path": str(path), "ids": [*ids]}:
            return adding.sentence(await adding.import_from(desk, Path(path), [str(one) for one in ids]))
        case {"type": "forget", "plugin": str(plugin), "tool": str(tool)}:
            desk.approvals.forget(plugin, tool or None)
        case {"type": "reload"}:
            await desk.manager.reload()
            return "Read again."
    return ""


async def _permit(desk: Desk, plugin: str, permit: str, value: str, allow: object) -> None:
    """Grant or decline what is offered, or take back what was granted."""
    if isinstance(allow, bool):
        await desk.manager.permits.answered(plugin, permit, value, allow=allow)
    else:
        await desk.manager.permits.revoke(plugin, permit, value)


async def _act(desk: Desk, plugin: str, verb: str) -> str:
    match verb:
        case "enable":
            await desk.manager.enable(plugin)
        case "disable":
            await desk.manager.disable(plugin)
        case "restart":
            await desk.manager.restart(plugin)
        case "remove":
            await desk.manager.remove(plugin)
        case "sign_in":
            await signing.signed_in(desk, plugin)
        case "sign_out":
            await signing.signed_out(desk, plugin)
    return ""


def _object(text: str) -> dict[str, Any]:
    """What a JSON object says.

    Raises:
        ConfigError: It is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"This is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise ConfigError("This is no JSON object.")
    return found


def _from_form(message: Mapping[str, Any]) -> dict[str, Any]:
    """The entry that a form says.

    Raises:
        ConfigError: The command or a variable cannot be read.
    """
    entry: dict[str, Any] = {"id": message["id"]}
    if message.get("name"):
        entry["name"] = message["name"]
    if url := str(message.get("url", "")):
        entry |= {"url": url, "transport": message.get("transport") or "http"}
        if message.get("auth") == "bearer":
            entry["auth"] = {"type": "bearer", "token": message.get("variables", "")}
        elif message.get("auth") == "oauth":
            entry["auth"] = {"type": "oauth"}
        return entry
    command, *arguments = adding.command_words(str(message.get("command", "")))
    entry |= {"command": command, "args": arguments}
    variables = dict(_variable(line) for line in str(message.get("variables", "")).splitlines() if line.strip())
    return {**entry, "env": variables} if variables else entry


def _variable(line: str) -> tuple[str, str]:
    name, equals, value = line.strip().partition("=")
    if not equals or not name:
        raise ConfigError("A line of the environment variables is not NAME=value.", fix="Write one variable a line.")
    return name, value
