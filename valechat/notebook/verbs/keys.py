"""`keys`: the providers' API keys, never shown."""

from __future__ import annotations

from valechat.engine import engine
from valechat.notebook.outputs import show, small
from valechat.notebook.tabular import table
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.services import services

__all__ = ["keys"]


@verb(
    "keys [set|delete PROVIDER]",
    "which providers have a key; `keys set openai` opens a dialog",
    most=2,
    values=(("set", "delete"), "provider"),
)
def keys(call: Call) -> None:
    """List the keys there are, or store or delete one. A key is never written on the line."""
    action, provider = call.word(0), call.word(1)
    if action is None:
        _list()
    elif action == "set" and provider is not None:
        from valechat.notebook import keydialog

        keydialog.show(provider)
    elif action == "delete" and provider is not None:
        services().settings.provider(provider)
        gone = engine().run(services().keys.delete(provider))
        show(small(f"The key of {provider} is deleted." if gone else f"No key of {provider} was kept here."))
    else:
        raise VERBS["keys"].misused(call.text)


def _list() -> None:
    rows = [
        [row.provider, row.source, "" if row.stored_at is None else f"{row.stored_at.astimezone():%Y-%m-%d}", row.note]
        for row in services().keys.list()
    ]
    if rows:
        show(table(["provider", "found in", "since", ""], rows))
    else:
        show(small("There is no key yet. `%valechat keys set openai` asks for one; demo/echo needs none."))
