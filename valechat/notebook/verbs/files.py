"""`export` and `backup`: conversations and ledger as files."""

from __future__ import annotations

import json
import re
from pathlib import Path

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.ledger.base import StoredMessage
from valechat.messages import to_json
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.transcript import transcript_markdown
from valechat.notebook.verbs.registry import Call, verb
from valechat.services import services

__all__ = ["backup", "export"]


@verb("export [FILE.md|FILE.json]", "write this conversation to a file", most=1)
def export(call: Call) -> None:
    """Write the notebook's conversation as Markdown or JSON. A file that exists is left alone."""
    chat = current.notebook_chat()
    stored = engine().run(chat.stored())
    if not stored:
        raise ConfigError("Nothing has been said in this conversation yet.", fix="Ask something first.")
    head = services().ledger.conversation(chat.conversation_id)
    path = Path(call.word(0) or f"{_slug(head.title if head else '')}.md").expanduser()
    if path.suffix not in (".md", ".json"):
        raise ConfigError(f"{path.name} is neither .md nor .json.", fix="Name the file so that its kind is plain.")
    text = _json(stored) if path.suffix == ".json" else f"{transcript_markdown(stored)}\n"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already.", fix="Give another name.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", fix="Give another place.") from error
    show(small(f"{len(stored)} messages written to {path}."))


@verb("backup [PATH]", "copy the whole ledger to a file, while it is in use", most=1)
def backup(call: Call) -> None:
    """Write a whole copy of the ledger to a file, or into a folder under the moment's name."""
    target = Path(call.word(0) or ".").expanduser()
    path = services().ledger.backup(target)
    show(small(f"The ledger is copied to {path} ({path.stat().st_size:,} bytes)."))


def _json(stored: list[StoredMessage]) -> str:
    messages = [
        {
            "id": message.id,
            "parent_id": message.parent_id,
            "ts": message.ts.isoformat(),
            "model": message.model,
            "status": message.status,
            **to_json(message.message),
        }
        for message in stored
    ]
    whole = {"conversation_id": stored[0].conversation_id, "messages": messages}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")[:50] or "conversation"
