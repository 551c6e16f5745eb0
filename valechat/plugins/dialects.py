"""One server as another program writes it, in our words.

The others agree on `command`, `args`, `env` and `url`, and on little else: what a field is called, what a
variable looks like, whether a table is a table or a list of names and values.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

__all__ = ["Place", "Translated", "from_line", "is_entry", "named", "translate"]

_TRANSPORTS = {
    **dict.fromkeys(("http", "streamable-http", "streamablehttp", "streamable_http", "remote"), "http"),
    "sse": "sse",
    **dict.fromkeys(("ws", "websocket"), "websocket"),
    **dict.fromkeys(("stdio", "local"), "stdio"),
}
_URLS = ("url", "serverUrl", "httpUrl", "endpoint")
_KINDS = ("type", "transport", "transportType")
_TAKEN = {
    *(
        *_URLS,
        *_KINDS,
        "command",
        "args",
        "env",
        "environment",
        "headers",
        "http_headers",
        "cwd",
        "description",
        "name",
    ),
    *("disabled", "enabled", "timeout", "disabledTools", "oauth", "auth", "bearer_token_env_var", "id"),
}
_APPROVALS = {"alwaysAllow", "autoApprove", "trust"}
_HARMLESS = {"gallery", "version", "icon", "dev", "source", "isActive", "_meta", "registryUrl", "$schema"}

_VARIABLE = re.compile(r"\$\{([A-Za-z]+|/)(?::([^{}]*))?\}")
_LAUNCHERS = ("npx", "uvx", "uv", "node", "python", "python3", "docker", "bunx", "deno", "pipx", "go")


@dataclass(frozen=True, slots=True)
class Place:
    """What a file says besides its servers.

    Attributes:
        folder: What `${workspaceFolder}` stands for.
        inputs: VS Code's questions, by their ids.
    """

    folder: Path
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Translated:
    """An entry in our words, not yet checked, and what the user should know about it."""

    entry: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def is_entry(value: Any) -> bool:
    """Whether a value is a server rather than a table of servers."""
    return isinstance(value, dict) and any(isinstance(value.get(key), str | list) for key in ("command", *_URLS))


def translate(name: str, entry: Mapping[str, Any], place: Place) -> Translated:
    """The server of that name in our words, switched off. What cannot be taken over is in the notes."""
    result = Translated({})
    put_in = _Variables(place, result.notes)
    fields = {key: put_in(value) for key, value in entry.items()}
    result.entry.update(named(name))
    if isinstance(description := fields.get("description"), str) and description:
        result.entry["description"] = description
    address = next((fields[key] for key in _URLS if isinstance(fields.get(key), str)), None)
    if address is not None and "command" not in fields:
        _remote(result.entry, fields, address)
    else:
        _local(result.entry, fields)
    seconds = fields.get("timeout")
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0:
        # Some programs count milliseconds; nobody waits for an hour.
        result.entry["call_timeout"] = seconds if seconds <= 3600 else seconds / 1000
    if isinstance(off := fields.get("disabledTools"), list) and off:
        result.entry["tools_off"] = off
    result.entry["enabled"] = False
    _leftovers(fields, result.notes)
    return result


def named(name: str) -> dict[str, str]:
    """The id that a foreign name gives, and the name where that is another."""
    plugin = re.sub(r"[^A-Za-z0-9_-]+", "-", name, flags=re.ASCII).strip("-")[:64] or "plugin"
    return {"id": plugin} if plugin == name else {"id": plugin, "name": name}


def from_line(line: str) -> tuple[str, dict[str, Any]] | None:
    """The name and the entry of a pasted address or command line; None when it is neither."""
    text = line.strip()
    if re.fullmatch(r"(https?|wss?)://\S+", text):
        host = [part for part in (_parts(text).hostname or "").split(".") if part not in ("mcp", "www", "api", "com")]
        return (host[0] if host else "service"), {"url": text}
    try:
        words = shlex.split(text)
    except ValueError:
        return None
    if "\n" in text or len(words) < 2 or words[0] not in _LAUNCHERS:
        return None
    package = next((word for word in words[1:] if not word.startswith("-")), words[0])
    name = re.sub(r"^(mcp-server-|server-|mcp-)|@[\d.]+$", "", re.sub(r"^@[^/]+/", "", package))
    return name, {"command": words[0], "args": words[1:]}


class _Variables:
    """Puts VS Code's and Cursor's variables into ours, wherever a string stands."""

    def __init__(self, place: Place, notes: list[str]) -> None:
        self._place = place
        self._notes = notes

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(self._replaced, value)
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, dict):
            return {key: self(item) for key, item in value.items()}
        return value

    def _replaced(self, match: re.Match[str]) -> str:
        kind, name = match[1], match[2]
        if name is None:
            return self._folder(kind, match[0])
        if kind == "env":
            return f"${{{name}}}"
        if kind == "input":
            return self._input(name)
        if kind in ("config", "command"):
            self._note(f"{match[0]} is known only to the program it comes from: replace it.")
        return match[0]

    def _folder(self, kind: str, written: str) -> str:
        folder = self._place.folder
        known = {
            **dict.fromkeys(("workspaceFolder", "workspaceRoot", "cwd"), str(folder)),
            "workspaceFolderBasename": folder.name,
            "userHome": str(Path.home()),
            **dict.fromkeys(("pathSeparator", "/"), os.sep),
        }
        if kind in ("workspaceFolder", "workspaceRoot", "cwd"):
            self._note(f"{written} was replaced by {folder}.")
        return known.get(kind, written)

    def _input(self, name: str) -> str:
        question = self._place.inputs.get(name, {})
        variable = re.sub(r"[^A-Z0-9_]", "_", name.upper(), flags=re.ASCII)
        variable = f"_{variable}" if variable[:1].isdigit() else variable
        default = question.get("default")
        about = f" ({question['description']})" if isinstance(question.get("description"), str) else ""
        self._note(f"It asks for {name}{about}: set {variable}, or run: valechat keys set {variable}")
        usable = isinstance(default, str) and default and not re.search(r"[{}]", default)
        return f"${{{variable}:-{default}}}" if usable else f"${{{variable}}}"

    def _note(self, sentence: str) -> None:
        if sentence not in self._notes:
            self._notes.append(sentence)


def _local(entry: dict[str, Any], fields: Mapping[str, Any]) -> None:
    command, args = fields.get("command", ""), fields.get("args") or []
    if isinstance(command, dict):  # Zed: {"path": …, "args": […], "env": {…}}
        fields = {**fields, **command}
        command, args = command.get("path", ""), command.get("args") or []
    if isinstance(command, list):
        command, args = (command[0] if command else ""), [*command[1:], *args]
    entry["command"] = command
    if args:
        entry["args"] = [_text(item) for item in args] if isinstance(args, list) else args
    if env := _table(fields.get("env") or fields.get("environment")):
        entry["env"] = env
    if isinstance(folder := fields.get("cwd"), str) and folder:
        entry["cwd"] = folder


def _remote(entry: dict[str, Any], fields: Mapping[str, Any], address: str) -> None:
    entry["url"] = address
    said = next((str(fields[key]).lower() for key in _KINDS if isinstance(fields.get(key), str)), "")
    guessed = "sse" if _parts(address).path.rstrip("/").endswith("/sse") else "http"
    if address.startswith(("ws:", "wss:")):
        guessed = "websocket"
    transport = _TRANSPORTS.get(said, guessed) if "httpUrl" not in fields else "http"
    if transport != "http":
        entry["transport"] = transport
    if headers := _table(fields.get("headers") or fields.get("http_headers")):
        entry["headers"] = headers
    if auth := _auth(fields):
        entry["auth"] = auth


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # none; the definition's own check says so
        return urlsplit("")


def _auth(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    if isinstance(variable := fields.get("bearer_token_env_var"), str):  # Codex
        return {"type": "bearer", "token": f"${{{variable}}}"}
    for key in ("oauth", "auth"):  # VS Code and Gemini CLI; Cursor
        if isinstance(said := fields.get(key), dict):
            client = said.get("clientId") or said.get("CLIENT_ID")
            secret = said.get("clientSecret") or said.get("CLIENT_SECRET")
            found = {"client_id": client, "client_secret": secret, "scopes": said.get("scopes")}
            return {"type": "oauth", **{name: value for name, value in found.items() if value}}
    return None


def _table(value: Any) -> dict[str, Any]:
    """A table of texts, from a table or from a list of `{"name": …, "value": …}`."""
    if isinstance(value, list):
        value = {item["name"]: item.get("value") for item in value if isinstance(item, dict) and "name" in item}
    if not isinstance(value, dict):
        return {}
    return {str(name): _text(inner) for name, inner in value.items() if inner is not None}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _leftovers(fields: Mapping[str, Any], notes: list[str]) -> None:
    if path := fields.get("envFile"):
        notes.append(f"Its variables in {path} are not read: write those it needs into env.")
    if _APPROVALS & set(fields):
        notes.append("What another program lets it do without asking is not taken over.")
    rest = sorted(set(_unknown(fields)))
    if rest:
        notes.append(f"Not taken over: {', '.join(rest)}.")


def _unknown(fields: Mapping[str, Any]) -> Iterator[str]:
    for key in fields:
        if key not in _TAKEN | _APPROVALS | _HARMLESS | {"envFile"}:
            yield key
