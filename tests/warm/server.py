"""Forks processes that have imported already what takes seconds to import. Run as `python -m tests.warm.server SOCKET`.

A launcher (`launcher.py`) sends what to run as one line of JSON with its three standard streams, and is told
the process's id and, at the end, its status. A process whose launcher goes away is killed, and all of them
when standard input ends here.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from tests.warm.imports import import_libraries

HEAD = 4
"""Bytes of the length before a request."""


class Server:
    """Everything is done on one thread, so that a fork copies no other."""

    def __init__(self, address: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(address)
        self._listener.listen()
        self._running: dict[socket.socket, int] = {}

    def serve(self) -> None:
        """Until standard input ends."""
        over = False

        def end() -> None:
            nonlocal over
            over = True

        self._watch(0, end)
        self._watch(self._listener, self._take)
        os.write(1, b"up\n")
        while not over:
            for key, _ in self._selector.select():
                act: Callable[[], None] = key.data
                act()
        for process in self._running.values():
            _kill(process)

    def _watch(self, what: Any, act: Callable[[], None]) -> None:
        self._selector.register(what, selectors.EVENT_READ, act)

    def _take(self) -> None:
        connection, _ = self._listener.accept()
        start, streams, _, _ = socket.recv_fds(connection, HEAD, 3)
        size = int.from_bytes(start)
        received = b""
        while len(received) < size:
            received += connection.recv(size - len(received))
        asked = json.loads(received)
        process = os.fork()
        if process == 0:
            self._become(asked, streams, connection)
        for stream in streams:
            os.close(stream)
        self._running[connection] = process
        connection.sendall(b"%d\n" % process)
        handle = os.pidfd_open(process)
        self._watch(connection, lambda: _kill(process))
        self._watch(handle, lambda: self._ended(connection, process, handle))

    def _ended(self, connection: socket.socket, process: int, handle: int) -> None:
        _, status = os.waitpid(process, 0)
        self._selector.unregister(handle)
        self._selector.unregister(connection)
        os.close(handle)
        del self._running[connection]
        with contextlib.suppress(OSError):
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        connection.close()

    def _become(self, asked: dict[str, Any], streams: list[int], connection: socket.socket) -> NoReturn:
        """Be the process that was asked for, as if it had been started so."""
        os.setsid()
        self._selector.close()
        self._listener.close()
        for other in [connection, *self._running]:
            other.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115 - for life
        sys.stdout = sys.__stdout__ = open(1, "w", buffering=1 if os.isatty(1) else -1, closefd=False)  # type: ignore[misc]  # noqa: SIM115 - for life
        sys.stderr = sys.__stderr__ = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115 - for life
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.path[0] = asked["folder"]
        sys.argv = [asked["module"], *asked["arguments"]]
        status = _run(asked["module"])
        threading._shutdown()  # type: ignore[attr-defined]  # runs what is registered for the end, and waits for threads
        atexit._run_exitfuncs()
        sys.stdout.flush()
        # Tearing down a thousand modules takes longer than most commands.
        os._exit(status)


def _run(module: str) -> int:
    """Run a module as `python -m` does; its exit status."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
        return 1
    return 0


def _kill(process: int) -> None:
    for send in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError):
            send(process, signal.SIGKILL)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it when it is imported: whose end is its own
    import_libraries()
    gc.freeze()
    Server(sys.argv[1]).serve()
    os._exit(0)
