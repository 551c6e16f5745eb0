"""Sealing, merging and pruning in the background: a thread that lives while there is work."""

from __future__ import annotations

import atexit
import sqlite3
import threading
import weakref
from collections.abc import Callable
from datetime import timedelta

from valechat.errors import LedgerError

__all__ = ["Tender"]

_JOIN_SECONDS = 30.0


class Tender:
    """Does the work that is due off the callers' threads; `work` says how long until more is.

    `failure` is what the last run ended with, or None; the rows it did not seal stay in the tail, where
    queries find them.
    """

    def __init__(self, work: Callable[[], timedelta | None]) -> None:
        self.failure: Exception | None = None
        self._work = work
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._again = False
        self._stop = threading.Event()
        atexit.register(_stop_at_exit, weakref.ref(self))

    def nudge(self) -> None:
        """There may be work. Returns at once."""
        with self._guard:
            self._again = True
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, name="valechat-ledger-tender", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop after the step at hand, which another process or the next nudge takes up again."""
        self._stop.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        import duckdb

        while True:
            with self._guard:
                self._again = False
            wait = None
            try:
                self.failure = None
                remaining = self._work()
                wait = None if remaining is None else remaining.total_seconds()
            except (LedgerError, sqlite3.Error, duckdb.Error) as failure:
                self.failure = failure
            stopped = self._stop.wait(wait) if wait is not None else self._stop.is_set()
            with self._guard:
                if stopped or (wait is None and not self._again):
                    self._thread = None
                    return


def _stop_at_exit(tender: weakref.ref[Tender]) -> None:
    found = tender()
    if found is not None:
        found.stop()
