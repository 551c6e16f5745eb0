"""The catalogue as the panel's model menu shows it."""

from __future__ import annotations

from collections.abc import Sequence

from valechat.catalogue import Model
from valechat.notebook.protocol import ModelShown
from valechat.notebook.shown import money

__all__ = ["models_shown"]


def models_shown(models: Sequence[Model]) -> list[ModelShown]:
    """Entries of the menu, in the order given."""
    return [
        ModelShown(
            id=model.id,
            provider=model.provider,
            name=model.name,
            input_price=money(model.input_price),
            output_price=money(model.output_price),
            context_tokens=model.context_tokens,
            demo=model.demo,
            local=model.local,
            usable=model.usable,
            why=model.why,
            needs_key=model.needs_key,
        )
        for model in models
    ]
