"""Ledgers to test: every implementation, in a folder of the test's own, with a clock the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.samples import Clock
from valechat.ledger.base import Ledger
from valechat.ledger.sqlite import SqliteLedger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqlite_ledger(folder: Path, clock: Clock) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(folder, clock=clock)
    yield ledger
    ledger.close()


@pytest.fixture(params=["sqlite"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    """Each implementation of the Protocol in turn; a second one joins by its fixture's name."""
    found: Ledger = request.getfixturevalue(f"{request.param}_ledger")
    return found
