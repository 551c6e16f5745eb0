"""A definition as it may be shown: everything that is or may be a secret is hidden."""

from __future__ import annotations

import re
from typing import Any

from valechat.plugins.config import Definition, LocalServer
from valechat.plugins.secrets import looks_secret, sounds_secret

__all__ = ["HIDDEN", "masked", "summary"]

HIDDEN = "•••"

_REFERENCES_ONLY = re.compile(r"(?:Bearer |Basic |Token )?(?:\$\{[^}:]*\})+")
_FLAG = re.compile(r"--?([\w-]+)=(.*)", re.DOTALL)
_QUERY = re.compile(r"([?&][^=&#]*=)([^&#]*)")


def masked(definition: Definition) -> dict[str, Any]:
    """Its fields as the file has them, those with a default left out, secrets hidden.

    `${NAME}` stays, for it says where a secret comes from and not what it is.
    """
    fields = definition.written.model_dump(mode="json", exclude_defaults=True)
    shown: dict[str, Any] = _walk("", {"id": definition.id, **fields})
    if isinstance(shown.get("args"), list):
        shown["args"] = _arguments(shown["args"])
    return shown


def summary(definition: Definition) -> str:
    """How a plugin is started or reached, in one line, secrets hidden."""
    shown = masked(definition)
    if isinstance(definition, LocalServer):
        return " ".join([str(shown.get("command", "")), *map(str, shown.get("args", []))])
    return str(shown.get("url", ""))


def _walk(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _table(key, one) if name in ("env", "headers") else _walk(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_walk(name, one) for one in value]
    if isinstance(value, str):
        if name in ("token", "client_secret"):
            return _hidden(value)
        shown = _QUERY.sub(lambda found: found[1] + _hidden(found[2]), value) if "://" in value else value
        return HIDDEN if looks_secret(shown) else shown
    return value


def _table(name: str, value: Any) -> Any:
    """A value of `env` or `headers`: shown only when it is plainly no secret."""
    text = str(value)
    if _REFERENCES_ONLY.fullmatch(text):
        return value
    return HIDDEN if sounds_secret(name) or looks_secret(text) or len(text) > 200 else value


def _hidden(value: str) -> str:
    return value if _REFERENCES_ONLY.fullmatch(value) else HIDDEN


def _arguments(given: list[Any]) -> list[Any]:
    """Arguments, with the value after or in a flag that sounds like a secret hidden."""
    shown: list[Any] = []
    hide = False
    for one in given:
        text = str(one)
        flag = _FLAG.fullmatch(text)
        if hide and not text.startswith("-"):
            shown.append(_hidden(text))
        elif flag is not None and sounds_secret(flag[1]):
            shown.append(f"{text[: -len(flag[2])] if flag[2] else text}{_hidden(flag[2])}")
        else:
            shown.append(one)
        hide = text.startswith("-") and "=" not in text and sounds_secret(text.lstrip("-"))
    return shown
