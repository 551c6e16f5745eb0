"""What is known of Gemini's models by name, and their list.

Sources, November 2026: Google's guides "Thinking", "Thought signatures" and "Gemini 3" (thinking levels and
budgets by model, signed calls, images in tool results), "Structured output", "Gemma on the Gemini API".
A `gemini` name without a version (`gemini-flash-latest`) is taken for the newest form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from valechat.providers.base import Capabilities, ModelInfo

__all__ = ["Traits", "capabilities_of", "listed_models", "thinking_config", "traits_of"]

_GEMINI = re.compile(r"gemini-(?:(?P<major>\d+)(?:\.(?P<minor>\d+))?|[a-z])")
_GEMMA = re.compile(r"gemma-(?P<major>\d+)")
_NO_THINKING = re.compile(r"tts|live|audio|embed")
_NO_CHAT = re.compile(r"tts|embed|aqa")
_NEWEST = (99, 0)

_LEAST_BUDGET = 512
_LEAST_BUDGET_PRO = 128
_BUDGETS = {"minimal": _LEAST_BUDGET, "low": 2048, "medium": 8192, "high": 24_576}
"""Tokens to think with, for models that take a budget (2.5: 512 to 24,576 are taken by all of them)."""


@dataclass(frozen=True, slots=True)
class Traits:
    """How a model differs.

    Attributes:
        thinking: How reasoning is asked for: as a level, by a budget, or not at all.
        levels: The levels it takes, the least first.
        off: Its reasoning can be turned off.
        signs_calls: It refuses tool calls of its own turn without a signature.
        result_images: It takes images inside a tool's result.
        schema_with_tools: It takes a JSON Schema for its answer together with tools.
        system: It takes a system instruction.
        tools: It takes tools.
        schema: It takes a JSON Schema for its answer.
    """

    thinking: Literal["none", "budget", "level"] = "none"
    levels: tuple[str, ...] = ()
    off: bool = False
    signs_calls: bool = False
    result_images: bool = False
    schema_with_tools: bool = False
    system: bool = True
    tools: bool = True
    schema: bool = True


def traits_of(model: str) -> Traits:
    """The traits of a model by its name; of one that is not Google's, the least is assumed."""
    name = model.lower().rpartition("/")[2]
    gemma = _GEMMA.search(name)
    if gemma is not None:
        newer = int(gemma["major"]) >= 4
        return Traits(system=newer, tools=newer, schema=newer)
    found = _GEMINI.search(name)
    if found is None:
        return Traits()
    version = (int(found["major"]), int(found["minor"] or 0)) if found["major"] else _NEWEST
    if version >= (3, 0):
        levels = () if _NO_THINKING.search(name) else _levels(name, version)
        return Traits(
            "level" if levels else "none", levels, signs_calls=True, result_images=True, schema_with_tools=True
        )
    if version == (2, 5) and "image" not in name and not _NO_THINKING.search(name):
        return Traits("budget", off="pro" not in name)
    return Traits()


def thinking_config(effort: str | None, traits: Traits, max_tokens: int | None = None) -> dict[str, Any]:
    """The `thinkingConfig` for an effort; reasoning is always asked to be shown where there is any.

    A budget leaves a quarter of `max_tokens` for the answer, because the wire counts both in one.
    """
    if traits.thinking == "none":
        return {}
    config: dict[str, Any] = {"includeThoughts": True}
    if effort is None:
        return config
    if traits.thinking == "budget":
        if effort == "none":
            return {"thinkingBudget": 0} if traits.off else config | {"thinkingBudget": _LEAST_BUDGET_PRO}
        budget = _BUDGETS.get(effort, _BUDGETS["high"])
        if max_tokens is not None:
            budget = max(_LEAST_BUDGET, min(budget, max_tokens * 3 // 4))
        return config | {"thinkingBudget": budget}
    return config | {"thinkingLevel": _nearest(effort, traits.levels).upper()}


def capabilities_of(model: str) -> Capabilities:
    """What a model takes and does; nothing is claimed of one that is not Google's."""
    if not re.search(r"gemini|gemma", model.lower()):
        return Capabilities()
    traits = traits_of(model)
    gemini = "gemma" not in model.lower()
    return Capabilities(
        tools=traits.tools,
        images=True,
        files=gemini,
        reasoning=traits.thinking != "none" if gemini else None,
        schema=traits.schema,
    )


def listed_models(items: Iterable[Any]) -> list[ModelInfo]:
    """The models of `models.list` that answer questions in words."""
    return [
        _listed(item, str(item["name"]).removeprefix("models/"))
        for item in items
        if isinstance(item, Mapping) and isinstance(item.get("name"), str) and _chats(item)
    ]


def _levels(name: str, version: tuple[int, int]) -> tuple[str, ...]:
    if "pro" in name:
        return ("low", "high") if version == (3, 0) else ("low", "medium", "high")
    # Of Flash, 3.8 was the first to refuse the least level; Flash-Lite takes it.
    least = version <= (3, 5) or "flash-lite" in name
    return ("minimal", "low", "medium", "high") if least else ("low", "medium", "high")


def _nearest(effort: str, levels: tuple[str, ...]) -> str:
    if effort in levels:
        return effort
    if effort in ("none", "minimal"):
        return levels[0]
    return levels[-1]


def _chats(item: Mapping[str, Any]) -> bool:
    methods = item.get("supportedGenerationMethods")
    able = "generateContent" in methods if isinstance(methods, list) else True
    return able and not _NO_CHAT.search(str(item["name"]))


def _listed(item: Mapping[str, Any], name: str) -> ModelInfo:
    known = capabilities_of(name)
    thinks = item.get("thinking")
    return ModelInfo(
        name=name,
        title=str(item.get("displayName") or ""),
        context_tokens=_count(item.get("inputTokenLimit")),
        max_output_tokens=_count(item.get("outputTokenLimit")),
        capabilities=Capabilities(
            tools=known.tools,
            images=known.images,
            files=known.files,
            reasoning=thinks if isinstance(thinks, bool) else known.reasoning,
            schema=known.schema,
        ),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
