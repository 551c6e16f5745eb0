"""`valechat keys`: set, list, delete, rotate, log."""

from __future__ import annotations

import argparse
import asyncio

from valechat.cli.output import emit, note, say
from valechat.cli.terminal import ask_passphrase, read_secret
from valechat.config import SettingsFile
from valechat.errors import ConfigError, KeyStorageError
from valechat.keys import KeyRing, Place
from valechat.keys.ring import PASSPHRASE
from valechat.keys.secret import is_secret_name
from valechat.paths import user_paths
from valechat.services import services

__all__ = ["delete_key", "list_keys", "log", "rotate", "set_key"]


def set_key(options: argparse.Namespace) -> int:
    """Keep a key that is typed or piped in."""
    if options.value:
        raise ConfigError(
            "A key on the command line stays in the shell's history, so it was not stored.",
            fix=f"Run: valechat keys set {options.provider} and type the key there; best make a new key first.",
        )
    ring = _ring(records=True)
    if not is_secret_name(options.provider):
        ring.settings().provider(options.provider)
    place: Place = "file" if options.file else "keychain"
    row = asyncio.run(
        ring.store(options.provider, read_secret(f"Key of {options.provider} (not shown): "), place=place)
    )
    where = "the keychain" if row.place == "keychain" else f"the key file {ring.file.file}"
    say(f"The key of {options.provider} is kept in {where}.")
    for found in ring.list():
        if found.provider == options.provider and found.note:
            note(f"It is {found.note}.")
    return 0


def list_keys(options: argparse.Namespace) -> int:
    """Show where keys were found."""
    rows = _ring().list()
    if not rows and options.format == "table":
        say("No keys were found. Keep one with: valechat keys set PROVIDER")
        return 0
    columns = ["provider", "source", "stored_at", "note"]
    emit(columns, [[row.provider, row.source, row.stored_at, row.note] for row in rows], options.format)
    return 0


def delete_key(options: argparse.Namespace) -> int:
    """Delete a kept key."""
    ring = _ring(records=True)
    if not asyncio.run(ring.delete(options.provider)):
        note(f"No key of {options.provider} was kept.")
        return 1
    say(f"The key of {options.provider} is deleted.")
    for found in ring.list():
        if found.provider == options.provider:
            note(f"Another one is still found: {found.source}.")
    return 0


def rotate(_options: argparse.Namespace) -> int:
    """Give the key file another passphrase and another key; both are asked for, and the new one can be piped in."""
    ring = _ring(records=True)
    asyncio.run(_rotated(ring))
    say(f"The key file {ring.file.file} has a new passphrase. A copy of the old file is still opened by the old one.")
    if ring.environ.get(PASSPHRASE):
        note(f"{PASSPHRASE} still holds the old passphrase: change it too.")
    return 0


async def _rotated(ring: KeyRing) -> None:
    if not ring.file.exists:
        raise KeyStorageError("There is no key file.", fix="`valechat keys set PROVIDER --file` makes one.")
    await ring.unlock(new=False)
    typed = await ask_passphrase(True)
    await ring.rotate((await asyncio.to_thread(read_secret, "") if typed is None else typed).strip())


def log(options: argparse.Namespace) -> int:
    """Show the audit log of keys, newest first."""
    with services().ledger.connect() as connection:
        found = connection.execute(
            "select ts, key, source, purpose from key_access order by ts desc limit $1", [max(options.last, 0)]
        )
        rows = [list(row) for row in found.fetchall()]
    emit(["ts", "key", "source", "purpose"], rows, options.format)
    return 0


def _ring(*, records: bool = False) -> KeyRing:
    """The user's keys; what changes them is recorded in the ledger."""
    paths = user_paths()
    record = services().ledger.add_key_access if records else None
    return KeyRing(paths, SettingsFile(paths).current, ask_passphrase=ask_passphrase, on_access=record)
