"""One writer at a time, across processes: a blocking lock on a file.

The kernel queues the waiters, so nobody polls and nobody starves, and it drops the lock of a process
that dies. The file is opened anew for each use: a lock that were inherited over a fork would be shared
with the child. For the same reason it is given back by name: a child that was forked meanwhile has the
file open as well, and closing it here alone would leave everyone waiting for that child's end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["locked", "try_locked"]

if sys.platform == "win32":
    import msvcrt
    import time

    def _take(descriptor: int, *, wait: bool) -> bool:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                time.sleep(0.002)
            else:
                return True

    def _give_back(descriptor: int) -> None:
        del descriptor  # closing it is enough: nothing forks here

else:
    import fcntl

    def _take(descriptor: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _give_back(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock; waits for as long as another holds it.

    Raises:
        OSError: The file cannot be opened or created.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(descriptor, wait=True)
        yield
    finally:
        _give_back(descriptor)
        os.close(descriptor)


@contextmanager
def try_locked(path: Path) -> Iterator[bool]:
    """Hold the lock if it is free now; the value says whether it is held."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _take(descriptor, wait=False)
    finally:
        _give_back(descriptor)
        os.close(descriptor)
