"""Answers in the place of the providers that pages name: the demonstration's words, under any model's name."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from valechat.providers.demo_answer import completion_chunks

__all__ = ["serving"]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for chunk in completion_chunks(asked):
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"object": "list", "data": []}')

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def serving() -> ThreadingHTTPServer:
    """A server of Chat Completions on a random port of this machine; `serve_forever` runs it."""
    return ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
