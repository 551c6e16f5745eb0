"""Stands for a process that the server forked: has its streams, its signals and its end.

    python -I -S launcher.py SOCKET MODULE ARGUMENT…

Standard library only, so that it starts at once.
"""

import json
import os
import signal
import socket
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The exit status of the process; a death by a signal is died too."""
    address, module, *arguments = sys.argv[1:]
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    asked = {
        "module": module,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": os.getcwd(),  # noqa: PTH109 - pathlib takes a third of the time that this program has
    }
    request = json.dumps(asked).encode()
    socket.send_fds(connection, [len(request).to_bytes(4)], [0, 1, 2])
    connection.sendall(request)
    told = connection.makefile("r")
    process = int(told.readline())
    for stream in (0, 1, 2):
        os.close(stream)

    def forward(number: int, _: object) -> None:
        os.kill(process, number)

    for number in FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    status = int(told.readline() or -signal.SIGKILL)
    if status < 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main())
