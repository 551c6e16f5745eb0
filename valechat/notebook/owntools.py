"""The notebook's own tools (`valechat.builtin_tools`) in a panel's plugins menu."""

from __future__ import annotations

from functools import cache

from valechat.billing.estimate import likely_input, size_of
from valechat.builtin_tools import NOTEBOOK, TOOLS, is_named
from valechat.chat import Chat
from valechat.notebook.protocol import PluginShown
from valechat.tools import FunctionTools

__all__ = ["notebook_shown", "switch_notebook"]

NAME = "This notebook"


def notebook_shown(chat: Chat) -> PluginShown:
    """They as one of the plugins; in use where the chat offers one of them."""
    return PluginShown(
        id=NOTEBOOK,
        name=NAME,
        state="running",
        used=any(isinstance(tool, str) and is_named(tool) for tool in chat.tools),
        tools=len(TOOLS),
        tokens=_tokens(),
        problem="",
        prompts=False,
        resources=False,
    )


def switch_notebook(chat: Chat, *, on: bool) -> None:
    """Offer all of them in this chat, beside its other tools, or none."""
    others = [tool for tool in chat.tools if not (isinstance(tool, str) and is_named(tool))]
    chat.offer([*others, NOTEBOOK] if on else others)


@cache
def _tokens() -> int:
    """About what they cost in each request."""
    specs = FunctionTools(list(TOOLS.values())).specs()
    return likely_input(size_of([], tools=specs)) - likely_input(size_of([]))
