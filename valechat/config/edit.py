"""Changing `config.toml` and keeping everything else in it: comments, order, spacing."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping, MutableMapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from valechat.atomic import write_atomically
from valechat.config.load import parse_settings, read_text
from valechat.config.locate import dotted
from valechat.config.names import nearest, parse_model
from valechat.config.schema import Limits, ModelLimits, RateLimits, Settings
from valechat.errors import ConfigError
from valechat.filelock import locked
from valechat.paths import Paths

__all__ = ["Value", "change_limits", "change_settings"]

Value = Decimal | int | str | None
"""What a setting is changed to; None removes it. A Decimal is written as text."""

_OVERALL = [name for name, field in Limits.model_fields.items() if field.default is None]


def change_limits(paths: Paths, changes: Mapping[str, Decimal | int | None]) -> Settings:
    """Set or remove limits in `config.toml`; they count from the next request, in every kernel.

    Args:
        paths: Where the user's files are.
        changes: By the names limits are shown with: `daily`, `monthly`, `confirm_above`,
            `conversation`, `model:openai/gpt-5:daily`, `rate:openai:requests_per_minute`.
            None removes a limit.

    Raises:
        ConfigError: No such limit, an impossible amount, or the file is broken or cannot be written.
    """
    return change_settings(paths, {_path_of(name): value for name, value in changes.items()})


def change_settings(paths: Paths, changes: Mapping[tuple[str, ...], Value]) -> Settings:
    """Set or remove settings in `config.toml`, all or none; the settings as they are then.

    Args:
        paths: Where the user's files are.
        changes: By their path in the file, e.g. `("default_model",)` or
            `("prices", "mylab/scripted", "input")`.

    Raises:
        ConfigError: The file is broken already, a change is not valid, or it cannot be written.
    """
    file = paths.config_file
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(file.with_name(f".{file.name}.lock")):
            return _change(file, changes)
    except OSError as error:
        problem = ConfigError(
            f"{file} cannot be written: {error.strerror}.", fix="Check the folder's permissions and free space."
        )
    raise problem


def _change(file: Path, changes: Mapping[tuple[str, ...], Value]) -> Settings:
    while True:
        before = read_text(file)
        parse_settings(before, file)
        after = _changed(before, {path: _plain(value) for path, value in changes.items()}, file)
        settings = parse_settings(after, file)
        if read_text(file) == before:
            write_atomically(file, after.encode())
            return settings
        # An editor, which knows no lock, wrote in between: its change must not be lost.


def _plain(value: Value) -> int | str | None:
    return format(value, "f") if isinstance(value, Decimal) else value


def _path_of(limit: str) -> tuple[str, ...]:
    if limit in _OVERALL:
        return ("limits", limit)
    if limit == "conversation":
        return ("limits", "conversation", "total")
    scope, _, rest = limit.partition(":")
    name, _, field = rest.rpartition(":")
    if scope == "model" and field in ModelLimits.model_fields:
        provider, model = parse_model(name)
        return ("limits", "models", f"{provider}/{model}", field)
    if scope == "rate" and name and field in RateLimits.model_fields:
        return ("limits", "rate", name, field)
    forms = [*_OVERALL, "conversation", "model:PROVIDER/MODEL:daily", "model:PROVIDER/MODEL:monthly"]
    forms += [f"rate:PROVIDER:{field}" for field in RateLimits.model_fields]
    near = nearest(limit, forms[:4])
    raise ConfigError(
        f"There is no limit named {limit!r}.",
        fix=f"Did you mean {near}?" if near else f"Limits are: {', '.join(forms)}.",
    )


def _changed(text: str, changes: Mapping[tuple[str, ...], int | str | None], file: Path) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    values = tomllib.loads(text)
    expected = copy.deepcopy(values)
    for path, value in changes.items():
        spelled = _as_spelled(values, path)
        if value is None:
            _remove(document, spelled)
            _remove(expected, spelled)
        else:
            _put(document, spelled, value)
            _put_plain(expected, spelled, value)
    after = tomlkit.dumps(document)
    if _meaning(after) != _without_empty(expected):
        wanted = "; ".join(f"{dotted(path)} = {_plain(value)!r}" for path, value in changes.items())
        raise ConfigError(
            f"{file} cannot be changed without disturbing what is in it.", fix=f"Write by hand: {wanted}."
        )
    return after


def _meaning(text: str) -> Any:
    try:
        return _without_empty(tomllib.loads(text))
    except ValueError:
        return None


def _as_spelled(values: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """The path with models spelled as the file spells them already (`openai:gpt-5`)."""
    spelled: list[str] = []
    here: Any = values
    for key in path:
        found = next(_same(here, key), key)
        spelled.append(found)
        here = here.get(found, {}) if isinstance(here, Mapping) else {}
    return tuple(spelled)


def _same(table: Any, key: str) -> Iterator[str]:
    if not isinstance(table, Mapping) or key in table or "/" not in key:
        return
    for candidate in table:
        try:
            if parse_model(candidate) == parse_model(key):
                yield candidate
        except ConfigError:
            continue


def _put(document: MutableMapping[str, Any], path: tuple[str, ...], value: int | str) -> None:
    import tomlkit
    from tomlkit.items import InlineTable

    table: Any = document
    for depth, key in enumerate(path[:-1], 1):
        if key not in table:
            inner = depth < len(path) - 1
            table[key] = tomlkit.inline_table() if isinstance(table, InlineTable) else tomlkit.table(inner)
        table = table[key]
    table[path[-1]] = value


def _put_plain(values: dict[str, Any], path: tuple[str, ...], value: int | str) -> None:
    for key in path[:-1]:
        values = values.setdefault(key, {})
    values[path[-1]] = value


def _remove(document: MutableMapping[str, Any], path: tuple[str, ...]) -> None:
    table: Any = document
    for key in path[:-1]:
        if key not in table:
            return
        table = table[key]
    table.pop(path[-1], None)


def _without_empty(value: Any) -> Any:
    """Tables without their empty tables, which mean nothing here."""
    if not isinstance(value, dict):
        return value
    inner = {key: _without_empty(entry) for key, entry in value.items()}
    return {key: entry for key, entry in inner.items() if entry != {}}
