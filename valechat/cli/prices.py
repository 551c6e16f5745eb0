"""`valechat prices`: show, update."""

from __future__ import annotations

import argparse
from pathlib import Path

from valechat.cli.output import emit, note, say
from valechat.errors import ConfigError

__all__ = ["show", "update"]


def show(options: argparse.Namespace) -> int:
    """Show the prices of models; fails when one has none."""
    from valechat.services import services

    prices = services().prices
    rows, missing = [], []
    for name in options.model:
        rates = prices.find(name)
        if rates is None:
            missing.append(name)
            continue
        rows += [[rates.model, unit, tariff.base, rates.source] for unit, tariff in rates.prices.items()]
    if rows:
        emit(["model", "unit", "price", "source"], rows, options.format)
    for name in missing:
        note(f'No price is known for {name}. Give it one in config.toml: [prices."{name}"]')
    return 1 if missing else 0


def update(options: argparse.Namespace) -> int:
    """Put a newer price table into use."""
    from valechat.billing.update import install

    path = Path(options.file)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"The price table {path} cannot be read: {error.strerror}.") from error
    table = install(content)
    say(f"Prices of {len(table.models())} models, made on {table.made}, are in use.")
    return 0
