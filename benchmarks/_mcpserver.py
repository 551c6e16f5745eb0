"""An MCP server over stdio that does as little as one can: what a call costs is then the client's.

    python -I -S _mcpserver.py

Two tools: `echo` answers with its text, `big` with so many bytes, prepared before the first is asked for.
"""

from __future__ import annotations

import json
import sys
from typing import Any

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}, "bytes": {"type": "integer"}}}
TOOLS = [{"name": name, "description": "", "inputSchema": SCHEMA} for name in ("echo", "big")]
BIG = "x" * 20_000_000


def main() -> None:
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": _result(message["method"], message)}
            sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
            sys.stdout.buffer.flush()


def _result(method: str, message: dict[str, Any]) -> dict[str, Any]:
    if method == "initialize":
        return {
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "bench", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        given = message["params"]["arguments"]
        text = BIG[: given["bytes"]] if message["params"]["name"] == "big" else given["text"]
        return {"content": [{"type": "text", "text": text}]}
    return {}


if __name__ == "__main__":
    main()
