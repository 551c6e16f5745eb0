"""`new` and `history`: the notebook's conversation and the ones before it."""

from __future__ import annotations

from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.harmless import harmless
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.tabular import table
from valechat.notebook.transcript import transcript_markdown
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.notebook.wording import dollars
from valechat.services import services

__all__ = ["history", "new"]

MOST_LISTED = 20


@verb("new [NAME]", "begin a new conversation, or go on with the one of that name", most=1, values=("conversation",))
def new(call: Call) -> None:
    """Begin a new conversation; with a name, go on with that one, which is created if need be."""
    name = call.word(0)
    if name is not None and not name.strip():
        raise ConfigError("A conversation's name cannot be empty.", fix="Give it a word, or write `%valechat new`.")
    if name is None:
        current.begin()
        show(small("A new conversation. The one before stays in the ledger: `%valechat history all`."))
        return
    known = current.named(name, create=False)
    if known is None:
        current.begin(name)
        show(small(f"A new conversation, {name!r}."))
    else:
        current.resume(known)
        count = len(engine().run(current.notebook_chat().stored()))
        show(small(f"Going on with {name!r}, {count} messages so far."))


@verb(
    "history [all|WORDS]",
    "this conversation so far, the latest conversations, or those that say these words",
    most=None,
    values=(("all",),),
)
def history(call: Call) -> None:
    """Show what was said, or which conversations there are."""
    words = call.text.strip()
    if words:
        known = services().ledger.conversations(search="" if words == "all" else words, most=MOST_LISTED)
        if not known and words != "all":
            why = f"No conversation says {words!r}."
            raise VERBS["history"].misused(call.text, why)
        rows = [
            [
                f"{found.updated_at.astimezone():%Y-%m-%d %H:%M}",
                found.title,
                ", ".join(found.tags),
                found.message_count,
                dollars(found.total_cost),
            ]
            for found in known
        ]
        show(table(["last", "conversation", "tags", "messages", "cost"], rows, right=(3, 4)))
        return
    stored = engine().run(current.notebook_chat().stored())
    if not stored:
        show(small("Nothing has been said in this conversation yet."))
        return
    markdown = transcript_markdown(stored)
    show({"text/markdown": harmless(markdown), "text/plain": markdown})
