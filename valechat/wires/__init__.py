"""What each wire format calls the tokens it counted.

One reader a wire, all with the same shape: from the usage-bearing events of one request to a
`Usage`. Nothing here raises for what a server sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from valechat.usage import Usage
from valechat.wires.anthropic import read_messages
from valechat.wires.gemini import read_generate
from valechat.wires.ollama import read_ollama
from valechat.wires.openai import read_chat, read_openrouter, read_responses

__all__ = ["WIRES", "read"]

WIRES: Mapping[str, Callable[[Sequence[Mapping[str, Any]]], Usage]] = {
    "anthropic.messages": read_messages,
    "gemini.generate": read_generate,
    "ollama.chat": read_ollama,
    "openai.chat": read_chat,
    "openai.responses": read_responses,
    "openrouter.chat": read_openrouter,
}


def read(wire: str, raw: Any) -> Usage:
    """Read the raw usage of one request; see `Usage.from_wire`.

    Raises:
        ValueError: There is no wire of that name.
    """
    reader = WIRES.get(wire)
    if reader is None:
        known = ", ".join(WIRES)
        raise ValueError(f"No usage reader for the wire {wire!r}. Known: {known}.")
    pieces = raw if isinstance(raw, list | tuple) else [raw]
    return reader([piece for piece in pieces if isinstance(piece, Mapping)])
