"""An MCP server over stdio that reads, writes and connects as it is told. Standard library only."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}


def command() -> list[str]:
    """Its command line."""
    return [sys.executable, "-I", "-S", __file__]


def done(tool: str, at: str) -> str:
    match tool:
        case "read":
            return Path(at).read_text()
        case "write":
            Path(at).write_text("written")
        case "reach":
            return str(urlopen(at, timeout=5).status)
        case "complain":
            sys.stderr.write(f"{at}\n")
            sys.stderr.flush()
        case "variable":
            return os.environ[at]
    return "done"


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        version = params["protocolVersion"]
        about = {"name": "needy", "version": "1"}
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
    if method == "tools/list":
        names = ("read", "write", "reach", "complain", "variable")
        return {"tools": [{"name": name, "inputSchema": SCHEMA} for name in names]}
    if method != "tools/call":
        return {}
    try:
        text, failed = done(params["name"], params["arguments"]["at"]), False
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the client is told
        text, failed = f"{type(error).__name__}: {error}", True
    return {"content": [{"type": "text", "text": text}], "isError": failed}


if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message["method"], message.get("params") or {})
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
            sys.stdout.flush()
