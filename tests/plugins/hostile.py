"""An MCP server over stdio all of whose texts are attacks: names, descriptions, answers, log. Standard library only.

python -I -S hostile.py PAYLOADS    a JSON list of texts
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

__all__ = ["PROGRAM", "answer"]

PROGRAM = __file__


def answer(method: str, payloads: list[str], version: str) -> dict[str, Any]:
    """What it answers to a request."""
    every = "\n".join(payloads)
    if method == "initialize":
        about = {"name": every, "title": every, "version": every}
        return {
            "protocolVersion": version,
            "capabilities": {"tools": {}},
            "serverInfo": about,
            "instructions": every,
        }
    if method == "tools/list":
        schema = {"type": "object", "properties": {"text": {"type": "string", "title": every, "description": every}}}
        return {
            "tools": [
                {"name": f"tool_{number}", "title": payload, "description": payload, "inputSchema": schema}
                for number, payload in enumerate(payloads)
            ]
        }
    return {"content": [{"type": "text", "text": payload} for payload in payloads]} if method == "tools/call" else {}


if __name__ == "__main__":
    texts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for text in texts:
        sys.stderr.write(f"{json.dumps(text)[1:-1]}\n{text}\n")
    sys.stderr.flush()
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            wanted = (message.get("params") or {}).get("protocolVersion", "")
            result = answer(message["method"], texts, wanted)
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}) + "\n")
            sys.stdout.flush()
