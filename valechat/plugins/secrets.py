"""Secrets that stand in a definition in plain text: found, pointed out, and put into the key storage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from valechat.config.variables import references, substitute
from valechat.errors import KeyStorageError
from valechat.keys import KeyRing, Place
from valechat.keys.ring import PASSPHRASE
from valechat.plugins.config import BearerAuth, Definition, LocalServer, OAuth, parse
from valechat.plugins.suspect import looks_secret, sounds_secret

__all__ = ["PlainSecret", "doubts", "keep", "looks_secret", "move_secrets", "plain_secrets", "sounds_secret"]

_SCHEME = re.compile(r"(Bearer|Basic|Token|token)\s+", re.ASCII)
_OPTION = re.compile(r"-*[A-Za-z][A-Za-z0-9_-]*=", re.ASCII)
_BEFORE = {"headers": _SCHEME, "args": _OPTION}
"""What stands before a secret and stays."""


@dataclass(frozen=True, slots=True)
class PlainSecret:
    """Where a secret stands, and the name it could be kept under. Not the secret.

    Attributes:
        path: The field, such as `("env", "GITHUB_TOKEN")`.
        name: What to call it in the key storage.
    """

    path: tuple[str, ...]
    name: str


def plain_secrets(definition: Definition) -> tuple[PlainSecret, ...]:
    """The secrets that stand in the definition itself rather than as `${NAME}`."""
    return tuple(
        PlainSecret(path, _kept_name(definition.id, path))
        for path, name, text in _texts(definition)
        if _is_plain(name, text)
    )


def doubts(definition: Definition) -> tuple[str, ...]:
    """A sentence for each secret in plain text, with what to do."""
    return tuple(
        f'Plugin "{definition.id}": {".".join(found.path)} looks like a secret in plain text.'
        f' Keep it in the keychain (valechat keys set {found.name}) and write "${{{found.name}}}" in its place.'
        for found in plain_secrets(definition)
    )


async def move_secrets(
    definition: Definition,
    keys: KeyRing,
    *,
    place: Place | None = None,
) -> Definition:
    """The definition with its secrets kept in the key storage and `${NAME}` in their place.

    A name that stands for something else already, in the environment or among the keys, gets the plugin's
    id in front.

    Raises:
        KeyStorageError: They cannot be kept; nothing is lost then.
    """
    taken = {row.provider for row in keys.list()} | set(keys.environ)
    fields = definition.written.model_dump(mode="json", exclude_unset=True)
    for found in plain_secrets(definition):
        table, step = _at(fields, found.path)
        text: str = table[step]
        scheme = match[0] if found.path[0] in _BEFORE and (match := _BEFORE[found.path[0]].match(text)) else ""
        name = found.name if found.name not in taken else _as_variable(f"{definition.id}_{found.name}")
        await keep(keys, name, text.removeprefix(scheme), place=place)
        taken.add(name)
        table[step] = f"{scheme}${{{name}}}"
    return parse(fields)


async def keep(keys: KeyRing, name: str, value: str, *, place: Place | None = None) -> None:
    """Keep a secret under a variable's name: in the keychain, else in the key file where the user has one.

    Raises:
        KeyStorageError: It cannot be kept in the place, or in neither.
    """
    try:
        await keys.store(name, value, place=place or "keychain")
        return
    except KeyStorageError as error:
        problem = KeyStorageError(
            error.message, fix=f"Set {name} before Jupyter starts, or run: valechat keys set {name} --file"
        )
    if place is not None or not (keys.file.exists or keys.environ.get(PASSPHRASE)):
        raise problem
    await keys.store(name, value, place="file")


def _texts(definition: Definition) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Where a secret may stand: the field, the name that tells what it is, the text."""
    if isinstance(definition, LocalServer):
        for name, text in definition.env.items():
            yield ("env", name), name, text
        for index, text in enumerate(definition.args):
            # What stands before may be a flag, but its name says too little: only the value itself counts.
            yield ("args", str(index)), "", _OPTION.sub("", text, count=1)
        return
    for name, text in definition.headers.items():
        yield ("headers", name), name, _SCHEME.sub("", text, count=1)
    if isinstance(definition.auth, BearerAuth):
        yield ("auth", "token"), "token", definition.auth.token
    if isinstance(definition.auth, OAuth) and definition.auth.client_secret:
        yield ("auth", "client_secret"), "secret", definition.auth.client_secret


def _is_plain(name: str, text: str) -> bool:
    if references(text):
        text, _ = substitute(text, lambda _: "")
        return looks_secret(text)
    return looks_secret(text) or (sounds_secret(name) and len(text) >= 8 and not _is_path(text))


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~", "./", "../", "\\")) or re.match(r"[A-Za-z]:\\|https?://", text) is not None


def _kept_name(plugin: str, path: tuple[str, ...]) -> str:
    if path[0] == "env":
        return _as_variable(path[-1])
    return _as_variable(f"{plugin}_{'secret' if path[0] == 'args' else path[-1]}")


def _at(fields: dict[str, Any], path: tuple[str, ...]) -> tuple[Any, Any]:
    """The table or list that holds the last step of the path, and that step."""
    table: Any = fields
    for part in path[:-1]:
        table = table[part]
    return table, int(path[-1]) if isinstance(table, list) else path[-1]


def _as_variable(text: str) -> str:
    name = re.sub(r"[^A-Z0-9_]", "_", text.upper(), flags=re.ASCII)
    return f"_{name}" if name[:1].isdigit() else name
