"""The catalogue as the panel's model menu shows it, with the providers that are left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from valechat.catalogue import Model
from valechat.notebook.protocol import BreakerShown, ModelShown
from valechat.notebook.shown import money
from valechat.providers.breaker import Breaker

__all__ = ["breakers_shown", "models_shown"]


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


def breakers_shown(breakers: Mapping[str, Breaker]) -> list[BreakerShown]:
    """The breakers that are not closed."""
    return [
        BreakerShown(provider=name, reason=breaker.last_failure, seconds=math.ceil(breaker.seconds_left))
        for name, breaker in breakers.items()
    ]
