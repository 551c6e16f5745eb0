"""What an adapter is made from: a provider's settings, resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from valechat.providers._service import Auth, HttpService, bearer
from valechat.providers.base import KeySource, Provider

__all__ = ["Factory", "Setup", "settings_schema"]


@dataclass(frozen=True, slots=True)
class Setup:
    """A provider's settings, resolved and checked; what a `Factory` takes.

    Attributes:
        name: The first half of `provider/model`.
        base_url: Checked, without a trailing slash.
        key: Where its key comes from.
        key_needed: Whether it can be used without a key.
        built_in: The name of the built-in provider it is, "" for one of the user's own.
        local: Its models run on this machine and are free.
        timeout: Seconds without a complete event before giving up.
        headers: Sent with each request.
        models: Its models by name, where the server cannot list them itself.
    """

    name: str
    base_url: str
    key: KeySource | None = field(default=None, repr=False)
    key_needed: bool = False
    built_in: str = ""
    local: bool = False
    timeout: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    models: tuple[str, ...] = ()

    def connect(self, *, auth: Auth = bearer, headers: Mapping[str, str] | None = None) -> HttpService:
        """The HTTP side, with the wire's own way to carry a key and the headers it always needs."""
        return HttpService(
            self.name,
            self.base_url,
            key=self.key,
            key_needed=self.key_needed,
            auth=auth,
            headers={**(headers or {}), **self.headers},
            timeout=self.timeout,
        )


Factory = Callable[[Setup], Provider]
"""Makes an adapter. What the entry-point group `valechat.providers` names."""


def settings_schema(base_url: str, *, apis: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """JSON Schema of a provider's table in `config.toml`."""
    properties: dict[str, Any] = {
        "base_url": {"type": "string", "format": "uri", "title": "Address", "default": base_url},
        "api_key": {"type": "string", "title": "API key", "writeOnly": True},
        "timeout": {"type": "number", "exclusiveMinimum": 0, "title": "Seconds without an answer", "default": 60},
        "headers": {"type": "object", "additionalProperties": {"type": "string"}, "title": "Headers"},
        "allow_insecure": {"type": "boolean", "title": "Allow http to other machines", "default": False},
    }
    if apis:
        properties["api"] = {"type": "string", "enum": list(apis), "title": "API", "default": apis[0]}
    return {"type": "object", "properties": properties, "additionalProperties": False}
