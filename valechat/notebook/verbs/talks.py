"""`new` and `history`: the notebook's conversation and the ones before it."""

from __future__ import annotations

from valechat.engine import engine
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


@verb("history [all]", "this conversation so far, or the latest conversations", most=1, values=(("all",),))
def history(call: Call) -> None:
    """Show what was said, or which conversations there are."""
    if call.word(0) not in (None, "all"):
        raise VERBS["history"].misused(call.text)
    if call.word(0) == "all":
        rows = [
            [
                f"{found.updated_at.astimezone():%Y-%m-%d %H:%M}",
                found.title,
                found.message_count,
                dollars(found.total_cost),
            ]
            for found in services().ledger.conversations(most=MOST_LISTED)
        ]
        show(table(["last", "conversation", "messages", "cost"], rows, right=(2, 3)))
        return
    stored = engine().run(current.notebook_chat().stored())
    if not stored:
        show(small("Nothing has been said in this conversation yet."))
        return
    markdown = transcript_markdown(stored)
    show({"text/markdown": harmless(markdown), "text/plain": markdown})
