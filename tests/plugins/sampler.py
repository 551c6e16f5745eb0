"""An MCP server over stdio whose one tool has the client's model answer.

Standard library only, so that it starts at once. Its tool `ask` asks `times` times for an answer to `text`
and says what it got, one line for each.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from queue import Queue
from typing import Any

__all__ = ["command"]

ASK = {
    "name": "ask",
    "description": "Asks the client's model.",
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string"}, "times": {"type": "integer"}},
        "required": ["text"],
    },
}

replies: Queue[Mapping[str, Any]] = Queue()
writing = threading.Lock()


def command() -> list[str]:
    """The server's command line."""
    return [sys.executable, "-I", "-S", __file__]


def write(**message: Any) -> None:
    with writing:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def ask(number: int, text: str) -> str:
    said = {"role": "user", "content": {"type": "text", "text": text}}
    write(id=f"ask-{number}", method="sampling/createMessage", params={"messages": [said], "maxTokens": 50})
    reply = replies.get()
    if "error" in reply:
        return f"refused: {reply['error']['message']}"
    return f"{reply['result']['model']} said: {reply['result']['content']['text']}"


def call(message: Mapping[str, Any]) -> None:
    arguments = message["params"]["arguments"]
    lines = [ask(number, arguments["text"]) for number in range(arguments.get("times", 1))]
    write(id=message["id"], result={"content": [{"type": "text", "text": "\n".join(lines)}]})


def main() -> None:
    for line in sys.stdin:
        message = json.loads(line)
        match message.get("method"):
            case None:
                replies.put(message)
            case "initialize":
                info = {"name": "sampler", "version": "1"}
                asked = message["params"]
                assert "sampling" in asked["capabilities"]
                write(
                    id=message["id"],
                    result={
                        "protocolVersion": asked["protocolVersion"],
                        "capabilities": {"tools": {}},
                        "serverInfo": info,
                    },
                )
            case "tools/list":
                write(id=message["id"], result={"tools": [ASK]})
            case "tools/call":
                threading.Thread(target=call, args=(message,), daemon=True).start()
            case _ if "id" in message:
                write(id=message["id"], result={})


if __name__ == "__main__":
    main()
