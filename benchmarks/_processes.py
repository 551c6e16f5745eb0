"""The server's and the peers' processes, as the benchmark holds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from _peers import PEERS

__all__ = ["Worker", "replaying", "working"]

HERE = Path(__file__).parent
SAMPLE_SECONDS = 0.02
LONGEST_END_SECONDS = 60


class Worker:
    """A peer's process.

    Attributes:
        missing: The package it lacks; empty where it can be asked.
        versions: Of the packages it uses.
    """

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self._name = name
        self._process = process
        self._memory = psutil.Process(process.pid)
        said = self._said()
        self.missing: str = said.get("missing", "")
        self.versions: dict[str, str] = said.get("versions", {})

    def ask(self, question: str) -> dict[str, Any]:
        """A measurement of one answer."""
        assert self._process.stdin is not None
        print(question, file=self._process.stdin, flush=True)
        return self._said()

    def memory(self, question: str) -> dict[str, float]:
        """MB of resident memory that one answer adds: while it runs, at most, and when it is over."""
        before = highest = self._memory.memory_info().rss
        over = threading.Event()

        def watch() -> None:
            nonlocal highest
            while not over.wait(SAMPLE_SECONDS):
                highest = max(highest, self._memory.memory_info().rss)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            self.ask(question)
        finally:
            over.set()
            watching.join()
        after = self._memory.memory_info().rss
        return {
            "before": before / 1e6,
            "highest": (max(highest, after) - before) / 1e6,
            "after": (after - before) / 1e6,
        }

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._name} ended before it answered.")
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def replaying() -> Iterator[str]:
    """The server's address."""
    with _process(sys.executable, str(HERE / "_server.py")) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"


@contextmanager
def working(name: str, url: str) -> Iterator[Worker]:
    """A peer's process."""
    peer = PEERS[name]
    python = sys.executable
    if peer.group:
        own = HERE.parent / ".cache" / peer.group / "bin" / "python"
        python = str(own) if own.exists() else python
    with _process(python, str(HERE / "_worker.py"), name, url) as process:
        yield Worker(name, process)


@contextmanager
def _process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A program that ends with its standard input."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment = {**kept, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(LONGEST_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
