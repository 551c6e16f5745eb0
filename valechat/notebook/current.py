"""The notebook's own conversation, shared by the magics and the panel that `%valechat` shows."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from valechat.builtin_tools import is_named
from valechat.chat import Chat
from valechat.errors import ConfigError
from valechat.ids import new_id
from valechat.ledger.base import Conversation
from valechat.notebook.arguments import Asking
from valechat.pluginverbs.toolnames import named_in_plugins
from valechat.reply import Reply
from valechat.services import services
from valechat.toolpacks import packs

__all__ = ["begin", "chat_for", "last_reply", "named", "notebook_chat", "offering", "remember", "resume"]

_lock = threading.Lock()
_chat: Chat | None = None
_last: Reply | None = None


def notebook_chat() -> Chat:
    """The notebook's one chat. `new`, `use` and the panel change it; it is never another object."""
    global _chat  # noqa: PLW0603  # one notebook, one kernel process, one chat
    with _lock:
        if _chat is None:
            _chat = Chat(plugins="enabled")
        return _chat


def begin(name: str = "") -> Chat:
    """Begin a new conversation in the notebook's chat, under this name if one is given. Blocking."""
    chat = notebook_chat()
    chat.conversation_id = new_id()
    if name:
        _create(chat.conversation_id, name)
    chat.changed()
    return chat


def resume(conversation_id: str) -> Chat:
    """Go on with another conversation in the notebook's chat."""
    chat = notebook_chat()
    chat.conversation_id = conversation_id
    chat.changed()
    return chat


def named(name: str, *, create: bool = True) -> str | None:
    """The id of the latest conversation of that title (or of that very id). Blocking.

    One that does not exist is created, unless `create` is false.
    """
    ledger = services().ledger
    if ledger.conversation(name) is not None:
        return name
    for found in ledger.conversations(search=name, most=1000):
        if found.title == name:
            return found.id
    if not create:
        return None
    conversation_id = new_id()
    _create(conversation_id, name)
    return conversation_id


def chat_for(asking: Asking, functions: Callable[[str], Any]) -> Chat:
    """The chat that asks this question: the notebook's, with what the magic's line says for this once.

    `functions` finds a tool by its name. Blocking.

    Raises:
        ConfigError: A tool is neither a function of the notebook nor a plugin or one's tool.
    """
    base = begin() if asking.new and asking.conversation is None else notebook_chat()
    chat = offering(copy.copy(base), asking.tools, functions)
    if asking.conversation is not None:
        chat.conversation_id = _fresh(asking.conversation) if asking.new else named(asking.conversation) or new_id()
    if asking.system is not None:
        chat.system = asking.system
    if asking.temperature is not None:
        chat.temperature = asking.temperature
    if asking.max_tokens is not None:
        chat.max_tokens = asking.max_tokens
    return chat


def offering(chat: Chat, names: Sequence[str], functions: Callable[[str], Any]) -> Chat:
    """The chat with these tools alone, or as it is where none is named.

    Raises:
        ConfigError: As `chat_for`.
    """
    if not names:
        return chat
    named_plugins = {name: found for name in names if (found := _plugin(name, functions)) is not None}
    chat = chat.variant(tools=[_offered(name, functions) for name in names if name not in named_plugins])
    chat.plugins = tuple(named_plugins.values())
    return chat


def _offered(name: str, functions: Callable[[str], Any]) -> Any:
    """A function of the user's, or the name of the product's own tools."""
    try:
        return functions(name)
    except ConfigError:
        if _ready_made(name):
            return name
        raise


def _ready_made(name: str) -> bool:
    """Whether a name stands for the product's own tools or a pack's."""
    return is_named(name) or name.partition("/")[0] in packs()


def _plugin(name: str, functions: Callable[[str], Any]) -> str | None:
    """The plugin or plugin's tool of that name; None for a function, which comes first, and for nothing at all."""
    try:
        functions(name)
    except ConfigError:
        return None if _ready_made(name) else named_in_plugins(name)
    return None


def remember(reply: Reply) -> None:
    """Note the latest reply, for `%valechat cost`."""
    global _last  # noqa: PLW0603  # see `notebook_chat`
    _last = reply


def last_reply() -> Reply | None:
    """The latest reply a magic brought."""
    return _last


def _fresh(name: str) -> str:
    conversation_id = new_id()
    _create(conversation_id, name)
    return conversation_id


def _create(conversation_id: str, name: str) -> None:
    if not name.strip():
        raise ConfigError("A conversation's name cannot be empty.", fix="Give it a word.")
    now = datetime.now(UTC)
    services().ledger.start_conversation(Conversation(conversation_id, name, now, now, ""))
