"""Inside a confinement without network: listens on loopback for a proxy's clients, and runs the server.

    python -I -S relay.py SOCKET -- PROGRAM ARGUMENT…

A program of its own that needs nothing but the standard library. What arrives at the port it chooses goes to
the proxy's socket file and back; the server finds the port in the usual variables (`HTTPS_PROXY` …). Ends
with the server, with its exit code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading

__all__ = ["carry", "main", "relay"]

PIECE = 64 * 1024
MOST_WAITING = 64


def relay(listening: socket.socket, proxy: str) -> None:
    """Takes connections for ever, each to the proxy."""
    while True:
        near, _ = listening.accept()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(proxy)
        except OSError:
            near.close()
            far.close()
            continue
        threading.Thread(target=carry, args=(near, far), daemon=True).start()
        threading.Thread(target=carry, args=(far, near), daemon=True).start()


def carry(source: socket.socket, target: socket.socket) -> None:
    """Carries what comes until there is no more, and passes the end on."""
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def main(arguments: list[str]) -> None:
    """As the module's docstring says."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=MOST_WAITING)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        os.environ[name] = address
    os.environ["NODE_USE_ENV_PROXY"] = "1"  # Node.js looks at these variables only when told to
    for name in ("NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)
    program = arguments[arguments.index("--") + 1 :]
    server = os.fork()
    if server == 0:
        listening.close()
        try:
            os.execve(program[0], program, os.environ)  # noqa: S606  # there is no shell on purpose
        finally:
            os._exit(127)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # the server's alone: their ends must be seen when it closes them
        os.dup2(nothing, stream)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(server, number))
    threading.Thread(target=relay, args=(listening, arguments[0]), daemon=True).start()
    _, status = os.waitpid(server, 0)
    os._exit(code if (code := os.waitstatus_to_exitcode(status)) >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv[1:])
