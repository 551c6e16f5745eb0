"""`export`, `import` and `backup`: conversations and ledger as files."""

from __future__ import annotations

from pathlib import Path

from valechat.errors import ConfigError
from valechat.exports import FORMATS, file_name
from valechat.exports.reading import read_file, take_in
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.services import services

__all__ = ["backup", "export", "take"]


@verb(
    "export [FORMAT|FILE]", "write this conversation to a file: .md, .json or .ipynb", most=1, values=(tuple(FORMATS),)
)
def export(call: Call) -> None:
    """Write the notebook's conversation as Markdown, JSON or a notebook. A file that exists is left alone."""
    conversation_id = current.notebook_chat().conversation_id
    ledger = services().ledger
    head = ledger.conversation(conversation_id)
    if head is None:
        raise ConfigError("Nothing has been said in this conversation yet.", fix="Ask something first.")
    path = _target(call.word(0) or "markdown", head.title)
    known = next((form for form in FORMATS.values() if form.suffix == path.suffix), None)
    if known is None:
        raise ConfigError(
            f"{path.name} is neither .md nor .json nor .ipynb.", fix="Name the file so that its kind is plain."
        )
    try:
        with path.open("x", encoding="utf-8", errors="surrogatepass") as file:
            file.write(known.write(ledger, [conversation_id]))
    except FileExistsError as error:
        raise ConfigError(f"{path} exists already.", fix="Give another name.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", fix="Give another place.") from error
    show(small(f"The conversation is written to {path}."))


@verb("import FILE.json", "add the conversations of an export to the ledger", most=1, values=("file",))
def take(call: Call) -> None:
    """Add the conversations of a JSON export, and say how to go on with one."""
    name = call.word(0)
    if name is None:
        raise VERBS["import"].misused(call.text)
    heads = take_in(services().ledger, read_file(Path(name).expanduser()))
    titles = ", ".join(repr(head.title or head.id) for head in heads[:3])
    more = f" and {len(heads) - 3} more" if len(heads) > 3 else ""
    show(small(f"Imported: {titles}{more}. `%valechat new NAME` goes on with one."))


@verb("backup [PATH]", "copy the whole ledger to a file, while it is in use", most=1, values=("file",))
def backup(call: Call) -> None:
    """Write a whole copy of the ledger to a file, or into a folder under the moment's name."""
    target = Path(call.word(0) or ".").expanduser()
    path = services().ledger.backup(target)
    show(small(f"The ledger is copied to {path} ({path.stat().st_size:,} bytes)."))


def _target(word: str, title: str) -> Path:
    form = FORMATS.get(word)
    return Path(word).expanduser() if form is None else Path(file_name(title, form.suffix))
