"""A Chat Completions server on loopback whose models each do one thing, well or badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

__all__ = ["ANSWERS", "ChatServer"]

ANSWERS: Mapping[str, str] = {
    "coder": "Here it is:\n\n```python\nx = 1\nprint(x)\n```\n\nand\n\n```python\nprint('more')\n```",
    "fixer": "The divisor was zero.\n\n```python\n1 / 1\n```",
    "json": '```json\n{"rivers": ["Rhine", "Elbe"], "count": 2}\n```',
    "html": '<h1 onclick="evil()">Hi</h1><script>evil()</script><img src="https://x.example/p.png"><a href="https://x.example">x</a>',
    "math": r"\int_0^1 x\,dx",
    "image-in-text": "Look: ![a chart](https://x.example/steal?secret) <img src=https://x.example>",
    "one": "I am one.",
    "two": "I am two.",
}
"""What each well-behaved model says."""

_UNFINISHED: Mapping[str, str] = {"talker": "I begin to talk", "silent": "", "cut": "half an ans"}
"""What the models say that do not come to an end."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ChatServer

    def do_GET(self) -> None:
        models = [{"id": name} for name in [*ANSWERS, *_UNFINISHED, "refused", "dear", "caller"]]
        self._whole(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.owner.requests.append(asked)
        name = asked["model"]
        if name == "refused":
            self._whole(401, {"error": {"message": "Incorrect API key provided", "type": "auth"}})
            return
        self._begin()
        if name == "caller":
            self._call(asked["messages"][-1])
        elif name in _UNFINISHED:
            self._unfinished(name)
        else:
            self._answer(ANSWERS.get(name, "Yes."))

    def _call(self, last: dict[str, Any]) -> None:
        """Calls the tool that the question names, `tool {"argument": 1}`, and then says what it answered."""
        if last["role"] == "tool" or not isinstance(last["content"], str):
            # What a tool answers besides text follows its answer as a user's message.
            self._answer(f"The tool said: {str(last['content'])[:200]}")
            return
        tool, _, arguments = last["content"].partition(" ")
        call = {"index": 0, "id": f"call-{len(self.owner.requests)}", "type": "function"}
        self._send({"tool_calls": [{**call, "function": {"name": tool, "arguments": arguments or "{}"}}]})
        self._end("tool_calls")

    def _unfinished(self, name: str) -> None:
        if _UNFINISHED[name]:
            self._send({"role": "assistant", "content": _UNFINISHED[name]})
        if name == "cut":
            self.close_connection = True
        else:
            self.owner.wait_for_leaving(self)

    def _answer(self, text: str) -> None:
        for start in range(0, len(text), 20):
            self._send({"content": text[start : start + 20]})
        self._end("stop")

    def _end(self, reason: str) -> None:
        self._send({}, reason, {"prompt_tokens": 100, "completion_tokens": 10})
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _send(self, delta: dict[str, Any], end: str | None = None, usage: dict[str, int] | None = None) -> None:
        event: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
        }
        if usage:
            event["usage"] = usage
        self._chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _whole(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class ChatServer:
    """The server. `left` is set when a client went away in the middle of an answer."""

    def __init__(self) -> None:
        self.left = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def configure(self, home: Path) -> None:
        """Write it into a user's settings as the provider `lab`, all models but `one` with a price."""
        prices = "".join(
            f'[prices."lab/{name}"]\ninput = "1"\noutput = "2"\n'
            for name in [*ANSWERS, *_UNFINISHED, "refused", "caller"]
            if name != "one"
        )
        dear = '[prices."lab/dear"]\ninput = "1000"\noutput = "1000"\n'
        home.joinpath("config.toml").write_text(
            f'default_model = "lab/two"\n[providers.lab]\nkind = "openai-compatible"\nbase_url = "{self.url}"\n'
            f"{prices}{dear}"
        )

    def wait_for_leaving(self, handler: BaseHTTPRequestHandler) -> None:
        """Until the client closes its side."""
        handler.connection.settimeout(30)
        if handler.connection.recv(1) == b"":
            self.left.set()
        handler.close_connection = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
