"""Every AI model, every MCP server and the whole bill, in your notebook.

    import valechat
    chat = valechat.Chat("openai/gpt-5-mini")
    chat                                    # the panel, as the cell's result
    reply = await chat.ask("…")             # or chat.ask_sync("…")
    valechat.sql("select * from usage")     # every request and its exact cost
    valechat.plugins.enable("git")          # MCP servers, for chats and for your own code

Importing this package is light: each name loads what it needs when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from valechat import plugins
    from valechat.chat import Chat
    from valechat.functions import tool
    from valechat.notebook.plugins import plugin_manager
    from valechat.notebook.spend import spend
    from valechat.queries import connect, database, sql
    from valechat.reply import Reply
    from valechat.rows import Rows, jobs, map, map_sync  # noqa: A004  # `map` is asked for by its public name
    from valechat.services import models
    from valechat.spending import limits
    from valechat.usage import Usage

__all__ = [
    "Chat",
    "Reply",
    "Rows",
    "Usage",
    "__version__",
    "connect",
    "database",
    "jobs",
    "limits",
    "map",
    "map_sync",
    "models",
    "plugin_manager",
    "plugins",
    "spend",
    "sql",
    "tool",
]

__version__ = "0.1.0"

_HOMES = {
    "Chat": "valechat.chat",
    "Reply": "valechat.reply",
    "Rows": "valechat.rows",
    "Usage": "valechat.usage",
    "connect": "valechat.queries",
    "database": "valechat.queries",
    "jobs": "valechat.rows",
    "limits": "valechat.spending",
    "map": "valechat.rows",
    "map_sync": "valechat.rows",
    "models": "valechat.services",
    "plugin_manager": "valechat.notebook.plugins",
    "spend": "valechat.notebook.spend",
    "sql": "valechat.queries",
    "tool": "valechat.functions",
}


def __getattr__(name: str) -> Any:
    if name == "plugins":
        return import_module("valechat.plugins")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext valechat`: the magics, and `Chat` shown as a panel."""
    import_module("valechat.notebook.extension").load(ipython)


def _show_in_notebooks() -> None:
    """In a notebook, show a `Chat` as its panel and a `Reply` as Markdown, and ask in cells, without `%load_ext`."""
    interactive = sys.modules.get("IPython.core.interactiveshell")
    if interactive is not None and interactive.InteractiveShell.initialized():
        formatter = interactive.InteractiveShell.instance().display_formatter
        formatter.ipython_display_formatter.for_type_by_name("valechat.chat", "Chat", _display_chat)
        formatter.formatters["text/markdown"].for_type_by_name("valechat.reply", "Reply", _drawn_reply)
        import_module("valechat.asking").use_asker_later(_cell_asker)
        import_module("valechat.watching").use_watcher(_rows_display)


def _display_chat(chat: Chat) -> None:
    import_module("valechat.notebook.panel").show(chat)


def _cell_asker() -> Any:
    return import_module("valechat.notebook.cellasker").CellAsker()


def _rows_display() -> Any:
    return import_module("valechat.notebook.rowsdisplay").RowsDisplay()


def _drawn_reply(reply: Reply) -> str:
    markdown: str = import_module("valechat.harmless").harmless(reply.text)
    return markdown


_show_in_notebooks()
