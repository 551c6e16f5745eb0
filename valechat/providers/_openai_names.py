"""What the name of an OpenAI model says of it (platform.openai.com/docs/models)."""

from __future__ import annotations

import re

__all__ = ["reasons", "refuses_temperature", "sees"]

_PLAIN = re.compile(r"(?:ft:)?(?:gpt-3|gpt-4|chatgpt)|.*-chat(?:-|$)")
_REASONS = re.compile(r"(?:ft:)?(?:o\d|gpt-[5-9]|codex|computer-use)")
_BLIND = re.compile(r"(?:ft:)?(?:gpt-3|gpt-4(?:-\d{4}|-32k|$)|o1-mini|o1-preview|o3-mini)")
_NO_TEMPERATURE = re.compile(r"(?:ft:)?(?:o\d|gpt-5(?:-(?!chat)|$)|codex)")


def reasons(model: str, *, official: bool) -> bool:
    """Whether the model reasons. At OpenAI itself a name not known is a newer model, which does."""
    if _PLAIN.match(model):
        return False
    return official or bool(_REASONS.match(model))


def refuses_temperature(model: str) -> bool:
    """Whether the model takes no temperature at any effort; from gpt-5.1 on it takes one where it does not reason."""
    return bool(_NO_TEMPERATURE.match(model))


def sees(model: str) -> bool:
    """Whether a model of OpenAI's own takes images."""
    return not _BLIND.match(model)
