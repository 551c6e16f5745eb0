"""What is known of Anthropic's models by name, and their list.

Sources, November 2026, all under platform.claude.com/docs/en: build-with-claude/thinking-troubleshooting
(thinking by model), build-with-claude/preserved-thinking, build-with-claude/prompt-caching (least tokens),
build-with-claude/structured-outputs, the "What's new" page of each model (sampling parameters).
A name without a version is taken for the newest form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from valechat.providers.base import Capabilities, ModelInfo

__all__ = ["Traits", "capabilities_of", "listed_models", "traits_of"]

_VERSION = re.compile(r"claude-(?:(?P<family>[a-z]+)-)?(?P<major>\d{1,2})(?:[-.](?P<minor>\d{1,2}))?(?!\d)")
_FAMILY = re.compile(r"opus|sonnet|haiku|fable|mythos")
_NEWEST = (99, 0)


@dataclass(frozen=True, slots=True)
class Traits:
    """How a model differs.

    Attributes:
        thinking: How reasoning is asked for: by a budget, as `adaptive` with an effort, or not at all.
        thinks_unasked: It reasons where nothing is said of it.
        off: The `thinking.type` that turns reasoning off; "" to say nothing, None where it cannot be.
        shows_thinking: It sends its reasoning's text unasked; others send it only when asked to summarise.
        binds_thinking: A reasoning block is refused when what stood before it has changed.
        sampling: It takes `temperature`.
        schema: It takes a JSON Schema for its answer.
        least_cached: Tokens a prefix must have to be cached.
        most_output: Tokens it can make at most, where older than the price table knows.
    """

    thinking: Literal["none", "budget", "adaptive"] = "adaptive"
    thinks_unasked: bool = False
    off: str | None = ""
    shows_thinking: bool = True
    binds_thinking: bool = False
    sampling: bool = True
    schema: bool = True
    least_cached: int = 1024
    most_output: int | None = None


def traits_of(model: str) -> Traits:
    """The traits of a model by its name; a name that is not Claude's has the least assumed of it."""
    name = model.lower()
    if "claude" not in name:
        return Traits()
    found = _FAMILY.search(name)
    family = found[0] if found else ""
    version = _version(name)
    always = family in ("fable", "mythos")
    return Traits(
        thinking="adaptive" if version >= (4, 6) else "budget" if version >= (3, 7) else "none",
        thinks_unasked=version >= (5, 0),
        off=_off(family, version),
        shows_thinking=version < (4, 7),
        binds_thinking=version >= (5, 5) or (always and version >= (5, 1)),
        sampling=version < (4, 7),
        schema=version >= (4, 5) or (family == "opus" and version == (4, 1)),
        least_cached=_least_cached(family, version),
        most_output=4096 if version < (3, 5) else 8192 if version == (3, 5) else None,
    )


def capabilities_of(model: str) -> Capabilities:
    """What a model of Anthropic's own takes and does."""
    traits = traits_of(model)
    return Capabilities(tools=True, images=True, files=True, reasoning=traits.thinking != "none", schema=traits.schema)


def listed_models(items: Iterable[Any]) -> list[ModelInfo]:
    """The models of `GET /v1/models`, retired ones left out."""
    return [
        _listed(item)
        for item in items
        if isinstance(item, Mapping) and isinstance(item.get("id"), str) and item.get("lifecycle") != "retired"
    ]


def _version(name: str) -> tuple[int, int]:
    match = _VERSION.search(name)
    if match is None:
        return _NEWEST
    return int(match["major"]), int(match["minor"] or 0)


def _off(family: str, version: tuple[int, int]) -> str | None:
    if family in ("fable", "mythos") or (family == "opus" and version >= (5, 5)):
        return None
    if version < (5, 0):
        return ""
    return "between_tools" if family == "sonnet" and version >= (5, 5) else "disabled"


def _least_cached(family: str, version: tuple[int, int]) -> int:
    if version >= (5, 5) or (version >= (5, 0) and family in ("opus", "fable", "mythos")):
        return 512
    if version == (4, 7):
        return 2048
    if version in ((4, 5), (4, 6)) and family in ("opus", "haiku"):
        return 4096
    return 2048 if family == "haiku" and version < (4, 0) else 1024


def _listed(item: Mapping[str, Any]) -> ModelInfo:
    able = item.get("capabilities")
    known = capabilities_of(item["id"])
    return ModelInfo(
        name=item["id"],
        title=str(item.get("display_name") or ""),
        context_tokens=_count(item.get("max_input_tokens")),
        max_output_tokens=_count(item.get("max_tokens")),
        capabilities=Capabilities(
            tools=True,
            images=_supported(able, "image_input", otherwise=known.images),
            files=_supported(able, "pdf_input", otherwise=known.files),
            reasoning=_supported(able, "thinking", otherwise=known.reasoning),
            schema=_supported(able, "structured_outputs", otherwise=known.schema),
        ),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _supported(able: Any, name: str, *, otherwise: bool | None) -> bool | None:
    said = able.get(name) if isinstance(able, Mapping) else None
    return said["supported"] if isinstance(said, Mapping) and isinstance(said.get("supported"), bool) else otherwise
