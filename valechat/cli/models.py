"""`valechat models`."""

from __future__ import annotations

import argparse

from valechat.cli.output import emit, note
from valechat.engine import engine
from valechat.services import services

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """List the models, the usable ones only unless all are asked for."""
    found = engine().run(services().models())
    wanted = [model for model in found if options.search.casefold() in model.id.casefold()]
    rows = [model for model in wanted if model.usable or options.all]
    emit(
        ["model", "input_per_million", "output_per_million", "context_tokens", "note"],
        [
            [m.id, m.input_price, m.output_price, m.context_tokens, m.why or ("demonstration" if m.demo else "")]
            for m in rows
        ],
        options.format,
    )
    if options.format == "table" and len(rows) < len(wanted):
        note(f"{len(wanted) - len(rows)} more need a key or a server: valechat models --all")
    return 0
