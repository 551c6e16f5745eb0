"""What looks like a secret: by the name it stands under, or by itself."""

from __future__ import annotations

import math
import re
from collections import Counter

__all__ = ["KNOWN_BEGINNINGS", "looks_secret", "sounds_secret"]

_NAME = re.compile(
    r"token|secret|passw|api[-_]?key|access[-_]?key|credential|authorization|cookie|(^|[-_])(key|pat|auth|pw)$"
)
KNOWN_BEGINNINGS = (
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "sk_live_", "sk_test_", "rk_live_"),
    *(
        "xoxb-",
        "xoxp-",
        "xapp-",
        "hf_",
        "AKIA",
        "ASIA",
        "AIza",
        "ya29.",
        "npm_",
        "pypi-",
        "lin_api_",
        "ntn_",
        "sntrys_",
    ),
    *("sntryu_", "SG.", "dop_v1_", "eyJ", "tvly-", "fc-", "ctx7sk"),
)
"""What the tokens of well-known services begin with."""
_PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


def sounds_secret(name: str) -> bool:
    """Whether a variable or a header of that name usually holds a secret."""
    return _NAME.search(name.lower()) is not None


def looks_secret(value: str) -> bool:
    """Whether a text looks like a token: it begins as those of a known service do, or is long and random."""
    if (value.startswith(KNOWN_BEGINNINGS) and len(value) >= 16) or _PASSWORD_IN_URL.search(value):
        return True
    if not 24 <= len(value) <= 4096 or not re.fullmatch(r"[A-Za-z0-9_.+=~-]+", value, re.ASCII):
        return False
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return mixed and _bits_per_character(value) >= 3.7


def _bits_per_character(text: str) -> float:
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
