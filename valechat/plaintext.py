"""Text of models and servers without what a terminal obeys and what makes it look like another text.

Escape sequences move the cursor, set a title or write to the clipboard; overrides of the writing direction and
characters that nobody sees make one name look like another (https://trojansource.codes). Marks that scripts need,
such as joiners between letters, stay.
"""

from __future__ import annotations

import re

__all__ = ["neutral_cell", "plain"]

_SEQUENCES = r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"
_CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_DIRECTION = r"[\u061c\u202a-\u202e\u2066-\u2069]"
_UNSEEN = r"[\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
_OBEYED = re.compile(f"{_SEQUENCES}|{_CONTROLS}|{_DIRECTION}|{_UNSEEN}")

_FORMULA = re.compile(r"\s*[=+@-]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def plain(text: str) -> str:
    """The text with nothing in it but what is seen, line ends and tabs."""
    return _OBEYED.sub("", text)


def neutral_cell(text: str) -> str:
    """A text for a CSV file, with `'` before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
