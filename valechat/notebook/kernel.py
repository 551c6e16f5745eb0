"""This kernel as the notebook behind a conversation: its variables, its cells, and running code in it."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
import threading
from collections import ChainMap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.messages import ImagePart
from valechat.notebook.failures import Failures, written
from valechat.variables.workspace import Cell, Ran, use_workspace, workspace

__all__ = ["Kernel", "install", "user_names"]

_HISTORY = ("In", "Out", "_", "__", "___")

MOST_OUTPUT = 100_000
"""Characters of what code prints that are kept: the beginning and the end."""


def user_names(shell: InteractiveShell) -> dict[str, Any]:
    """The user's variables in this moment; what IPython put there for itself is left out. From any thread."""
    hidden = shell.user_ns_hidden
    for _ in range(5):
        try:
            found = list(shell.user_ns.items())
        except RuntimeError:
            # A cell added one meanwhile.
            continue
        return {
            name: value for name, value in found if name in _HISTORY or name not in hidden or hidden[name] is not value
        }
    return {}


class Kernel:
    """See `valechat.variables.workspace.Workspace`."""

    def __init__(self, shell: InteractiveShell, failures: Failures | None = None) -> None:
        self._shell = shell
        self._failures = failures or Failures()

    def names(self) -> Mapping[str, Any]:
        """See `Workspace.names`."""
        return ChainMap(user_names(self._shell), {"Err": self._failures.texts})

    def cells(self) -> list[Cell]:
        """See `Workspace.cells`."""
        codes = [str(code) for code in self._shell.user_ns.get("In", [""])]
        values, errors = dict(self._shell.user_ns.get("Out", {})), self._failures.texts
        return [
            Cell(number, code, values.get(number), errors.get(number, ""))
            for number, code in enumerate(codes)
            if code.strip()
        ]

    async def run(self, code: str) -> Ran:
        """See `Workspace.run`. What it prints and shows goes to the caller alone."""
        running = _Running(self._shell)
        try:
            ran: Ran = await engine().on_main(lambda: running.run(code))
        except asyncio.CancelledError:
            running.interrupt()
            raise
        return ran


class _Running:
    """One piece of code on the main thread, and the way to interrupt it from another."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._lock = threading.Lock()
        self._interruptible = False
        self._given_up = False

    def interrupt(self) -> None:
        """Stop the code as the stop button would, if it runs."""
        with self._lock:
            self._given_up = True
            if self._interruptible:
                if hasattr(signal, "pthread_kill"):
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                else:
                    os.kill(os.getpid(), signal.SIGINT)

    async def run(self, code: str) -> Ran:
        if not hasattr(self._shell, "run_cell_async"):
            raise ConfigError("This IPython cannot run code.")
        values: list[Any] = []
        with capture_output() as captured, self._apart(values), self._listening():
            result = await self._shell.run_cell_async(
                code,
                store_history=False,
                transformed_cell=self._shell.transform_cell(code),
            )
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, KeyboardInterrupt) and not self._given_up:
            # The kernel's own stop button: it means all that runs.
            raise error
        images = tuple(_images(captured.outputs))
        printed = _clipped(captured.stdout + captured.stderr)
        return Ran(printed, values[-1] if values else None, images, "" if error is None else written(error))

    @contextmanager
    def _apart(self, values: list[Any]) -> Iterator[None]:
        """Keep the last value and the traceback from the cell below which they would be shown."""
        shell: Any = self._shell
        hooks = shell.display_trap.hook, sys.displayhook

        def take(value: object) -> None:
            if value is not None:
                values.append(value)

        shell.display_trap.hook = sys.displayhook = take
        vars(shell)["_showtraceback"] = lambda *_: None
        try:
            yield
        finally:
            del vars(shell)["_showtraceback"]
            shell.display_trap.hook, sys.displayhook = hooks

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Between two cells a kernel ignores the signal that its stop button sends."""
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with self._lock:
                if self._given_up:
                    raise KeyboardInterrupt
                self._interruptible = True
            yield
        finally:
            with self._lock:
                self._interruptible = False
            signal.signal(signal.SIGINT, before)


def install(shell: InteractiveShell | None = None, failures: Failures | None = None) -> None:
    """Let this kernel be where conversations look for variables; the one with `failures` stays."""
    found = shell or get_ipython()
    if found is None or (failures is None and isinstance(workspace(), Kernel)):
        return
    kernel = Kernel(found, failures)
    use_workspace(lambda: kernel)


def _images(outputs: list[Any]) -> Iterator[ImagePart]:
    for output in outputs:
        data = getattr(output, "data", None) or {}
        for kind in ("image/png", "image/jpeg"):
            if kind in data:
                raw = data[kind]
                yield ImagePart(raw if isinstance(raw, bytes) else base64.b64decode(raw), kind)
                break


def _clipped(text: str) -> str:
    if len(text) <= MOST_OUTPUT:
        return text
    half = MOST_OUTPUT // 2
    return f"{text[:half]}\n… {len(text) - MOST_OUTPUT:,} characters left out …\n{text[-half:]}"
