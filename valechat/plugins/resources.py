"""What a server offers besides tools: resources and their templates, prompts. Values only."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Prompt", "PromptArgument", "Resource", "Template"]


@dataclass(frozen=True, slots=True)
class Resource:
    """Something a server can be read from. `size` is in bytes, None when the server does not say."""

    plugin: str
    uri: str
    name: str
    title: str = ""
    description: str = ""
    media_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Addresses of resources with variables in them. `uri` is a URI template (RFC 6570)."""

    plugin: str
    uri: str
    name: str
    title: str = ""
    description: str = ""
    media_type: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its variables, in order."""
        expressions = re.findall(r"\{[+#./;?&]?([^{}]+)\}", self.uri)
        names = (re.sub(r"(\*|:\d+)$", "", name.strip()) for found in expressions for name in found.split(","))
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """A value that a prompt takes."""

    name: str
    title: str = ""
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt that a server has ready."""

    plugin: str
    name: str
    title: str = ""
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()
