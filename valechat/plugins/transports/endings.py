"""How a server ended, in a sentence."""

from __future__ import annotations

import signal

__all__ = ["STOPPED", "exit_sentence", "signal_sentence"]

STOPPED = "The server was stopped."
"""It was ended from here."""

_HINTS = {126: " (a program could not be run)", 127: " (a program it needs was not found)"}
"""What a shell and `env` mean by these exit codes."""


def exit_sentence(code: int) -> str:
    """How a process ended that gave an exit code."""
    return f"The server ended with exit code {code}{_HINTS.get(code, '')}."


def signal_sentence(number: int) -> str:
    """How a process ended that a signal killed."""
    if number == 9:  # Linux's way to make room; Windows has no such name
        return f"The server was killed by signal {number} (out of memory?)."
    try:
        return f"The server was killed by signal {number} ({signal.Signals(number).name})."
    except ValueError:  # a real-time signal has no name
        return f"The server was killed by signal {number}."
