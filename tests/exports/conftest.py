from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from valechat.ledger.base import Ledger
from valechat.ledger.sqlite import SqliteLedger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = SqliteLedger(tmp_path / "ledger")
    yield opened
    opened.close()
