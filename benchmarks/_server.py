"""A server on loopback that replays a prepared answer as fast as it is read; a process of its own.

The question says which: `replay-10000`, or `packed-10000` for the same in larger HTTP chunks.
Writes its port as its only line of output, and ends when its standard input does.
"""

from __future__ import annotations

import re
import socketserver
import sys
import threading
from contextlib import suppress
from functools import cache

from _wires import answer

_QUESTION = re.compile(rb"(replay|packed)-(\d+)")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_REFUSAL = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

_prepared = cache(answer)


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        # A client that has all it wants may leave in the middle.
        with suppress(ConnectionError):
            self._answer_all()

    def _answer_all(self) -> None:
        while (request := self._request()) is not None:
            path, body = request
            asked = _QUESTION.search(body)
            if asked is None:
                self.request.sendall(_REFUSAL)
            else:
                self.request.sendall(_prepared(path, int(asked[2]), packed=asked[1] == b"packed"))

    def _request(self) -> tuple[str, bytes] | None:
        first = self.rfile.readline().split()
        if len(first) < 2:
            return None
        length = 0
        while (line := self.rfile.readline()).strip():
            if found := _LENGTH.match(line):
                length = int(found[1])
        return first[1].decode("ascii").partition("?")[0], self.rfile.read(length)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
