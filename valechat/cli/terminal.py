"""Asking the person at the terminal for what must not be shown."""

from __future__ import annotations

import asyncio
import getpass
import sys

__all__ = ["ask_passphrase", "read_secret"]


def read_secret(prompt: str) -> str:
    """A secret: typed without being shown, or what is piped in."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.read()


async def ask_passphrase(new: bool) -> str | None:  # noqa: FBT001 - the shape of `AskPassphrase`
    """The key file's passphrase, twice when it is being chosen; None where nobody can be asked."""
    if not sys.stdin.isatty():
        return None
    if not new:
        return await asyncio.to_thread(getpass.getpass, "Passphrase of the key file: ")
    while True:
        first = await asyncio.to_thread(getpass.getpass, "Choose a passphrase for the key file: ")
        if first == await asyncio.to_thread(getpass.getpass, "Again: "):
            return first
        sys.stderr.write("They differ.\n")
