"""The forms an answer can take: `-f markdown`, `text`, `code`, `json`, `html`, `math`, `image`.

A format says what it asks of the model, how the answer is drawn while it arrives and when it is
complete, and what a variable receives.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from valechat.errors import ValeChatError
from valechat.harmless import harmless
from valechat.messages import ImagePart
from valechat.reply import Reply

__all__ = ["EXPLAINED_CODE", "FORMATS", "Bundle", "Finished", "Format", "code_of"]

Bundle = dict[str, Any]
"""What is displayed, by MIME type."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A complete answer in its format.

    Attributes:
        bundle: What is displayed.
        value: What a variable receives.
        next_cell: Code for a new cell, None for none.
    """

    bundle: Bundle
    value: Any
    next_cell: str | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `instruction` goes to the model with the system prompt.

    `finish` raises `ValeChatError` where the answer is not what the format needs.
    """

    instruction: str
    arriving: Callable[[str], Bundle]
    finish: Callable[[Reply], Finished]


def _plain(text: str) -> Bundle:
    return {"text/plain": text}


def _markdown(text: str) -> Bundle:
    return {"text/markdown": harmless(text), "text/plain": text}


def _said(reply: Reply) -> str:
    """All the model said in the turn: before its tool calls, and after the last."""
    texts = [message.text for message in reply.messages if message.role == "assistant" and message.text]
    return "\n\n".join(texts) or reply.text


def _finish_markdown(reply: Reply) -> Finished:
    return Finished(_markdown(_said(reply)), reply)


def _finish_text(reply: Reply) -> Finished:
    return Finished(_plain(_said(reply)), reply)


_FENCED = re.compile(
    r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[ ]*(?P<language>[^`\s]*)[^`\n]*\n"
    r"(?P<code>.*?)(?:^[ ]{0,3}(?P=fence)[`~]*[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)


_PYTHON = frozenset({"python", "python3", "py", "ipython", "ipython3"})


def code_of(text: str) -> str:
    """The code of an answer: its fenced blocks, one after the other, or all of it where none is fenced.

    Beside Python, blocks of something else are what to type into a shell, or what is printed.
    """
    found = list(_FENCED.finditer(text))
    python = [block for block in found if block["language"].lower() in _PYTHON]
    blocks = [block["code"].strip("\n") for block in python or found]
    return "\n\n".join(blocks) if blocks else text.strip("\n")


def _unwrapped(text: str, *languages: str) -> str:
    """An answer without the fence around it: the block in one of these languages, or else all there is."""
    blocks = list(_FENCED.finditer(text))
    for block in blocks:
        if block["language"].lower() in languages:
            return block["code"].strip("\n")
    whole = len(blocks) == 1 and blocks[0].span() == (0, len(text.rstrip()))
    return blocks[0]["code"].strip("\n") if whole else text.strip()


def _finish_code(reply: Reply) -> Finished:
    code = code_of(reply.text)
    if not code.strip():
        raise ValeChatError("The answer holds no code.", fix="Ask again, or leave `-f code` out to see what it says.")
    return Finished(_markdown(reply.text), reply, next_cell=code)


def _finish_fix(reply: Reply) -> Finished:
    """An explanation, and code where there is some."""
    return Finished(_markdown(reply.text), reply, next_cell=code_of(reply.text) if _FENCED.search(reply.text) else None)


def _finish_json(reply: Reply) -> Finished:
    try:
        value = json.loads(_unwrapped(reply.text, "json"))
    except ValueError as error:
        raise ValeChatError(
            f"The answer is not JSON: {error}.", fix="It stands above as it came; ask again, or leave `-f json` out."
        ) from error
    bundle = _plain(json.dumps(value, indent=2, ensure_ascii=False))
    if isinstance(value, dict | list):
        bundle["application/json"] = value
    return Finished(bundle, value)


def _finish_html(reply: Reply) -> Finished:
    import nh3

    clean = nh3.clean(
        _unwrapped(reply.text, "html"),
        url_schemes={"http", "https", "mailto", "data"},
        attribute_filter=_without_remote,
    )
    return Finished({"text/html": clean, "text/plain": reply.text}, reply)


def _without_remote(_tag: str, attribute: str, value: str) -> str | None:
    """Links may lead away; nothing is loaded from elsewhere, for that tells who is reading."""
    data = value.strip().lower().startswith("data:")
    if attribute == "href":
        return None if data else value
    loads = attribute in ("src", "srcset", "poster", "background", "cite", "longdesc")
    return value if not loads or value.strip().lower().startswith("data:image/") else None


_DELIMITED = re.compile(r"\$|\\\(|\\\[|\\begin\{")


def _finish_math(reply: Reply) -> Finished:
    text = _unwrapped(reply.text, "latex", "tex", "math")
    return Finished({"text/latex": text if _DELIMITED.search(text) else f"$$\n{text}\n$$", "text/plain": text}, reply)


def _finish_image(reply: Reply) -> Finished:
    for message in reply.messages:
        for part in message.parts:
            if isinstance(part, ImagePart):
                image = {part.media_type: base64.b64encode(part.data).decode("ascii")}
                return Finished({**image, "text/plain": reply.text or "an image"}, reply)
    raise ValeChatError(
        f"{reply.model} answered without an image.", fix="Choose a model that makes images, or leave `-f image` out."
    )


FORMATS: Mapping[str, Format] = {
    "markdown": Format("", _markdown, _finish_markdown),
    "text": Format("", _plain, _finish_text),
    "code": Format(
        "Answer with code for one notebook cell in a single fenced code block, and nothing else.",
        _markdown,
        _finish_code,
    ),
    "json": Format("Answer with one JSON value, and nothing else.", _plain, _finish_json),
    "html": Format("Answer with an HTML fragment without scripts, and nothing else.", _plain, _finish_html),
    "math": Format("Answer with LaTeX in display mode between $$ and $$, and nothing else.", _plain, _finish_math),
    "image": Format("", _plain, _finish_image),
}
"""Every format by its name."""

EXPLAINED_CODE = Format("", _markdown, _finish_fix)
"""What `%valechat fix` asks for: words, and then a cell."""
