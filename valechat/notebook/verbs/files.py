"""`export` and `backup`: conversations and ledger as files."""

from __future__ import annotations

import re
from pathlib import Path

from valechat.errors import ConfigError
from valechat.export import as_json, as_markdown
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.verbs.registry import Call, verb
from valechat.services import services

__all__ = ["backup", "export"]


@verb("export [FILE.md|FILE.json]", "write this conversation to a file", most=1)
def export(call: Call) -> None:
    """Write the notebook's conversation as Markdown or JSON. A file that exists is left alone."""
    conversation_id = current.notebook_chat().conversation_id
    ledger = services().ledger
    head = ledger.conversation(conversation_id)
    if head is None:
        raise ConfigError("Nothing has been said in this conversation yet.", fix="Ask something first.")
    path = Path(call.word(0) or f"{_slug(head.title)}.md").expanduser()
    writers = {".md": as_markdown, ".json": as_json}
    if path.suffix not in writers:
        raise ConfigError(f"{path.name} is neither .md nor .json.", fix="Name the file so that its kind is plain.")
    try:
        with path.open("x", encoding="utf-8", errors="surrogatepass") as file:
            file.write(writers[path.suffix](ledger, [conversation_id]))
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already.", fix="Give another name.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", fix="Give another place.") from error
    show(small(f"The conversation is written to {path}."))


@verb("backup [PATH]", "copy the whole ledger to a file, while it is in use", most=1)
def backup(call: Call) -> None:
    """Write a whole copy of the ledger to a file, or into a folder under the moment's name."""
    target = Path(call.word(0) or ".").expanduser()
    path = services().ledger.backup(target)
    show(small(f"The ledger is copied to {path} ({path.stat().st_size:,} bytes)."))


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower()).strip("-")[:50] or "conversation"
