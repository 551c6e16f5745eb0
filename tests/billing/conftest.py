"""A small price table of the tests' own."""

from typing import Any

import pytest
from hypothesis import settings

from valechat.billing import PriceTable

# Loading a table or a tokenizer falls into the first example; how long that takes is not what is tested.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def stored_table() -> dict[str, Any]:
    """A price table as its file holds it."""
    return {
        "format": 1,
        "made": "2026-06-01",
        "models": {
            "acme/flat": {
                "names": ["flat-alias"],
                "context": 10_000,
                "max_output": 2_000,
                "can": {"tools": True},
                "known": [
                    {"at": "2026-01-01", "source": "first", "rates": [{"prices": {"input": "1", "output": "4"}}]},
                    {
                        "at": "2026-06-01",
                        "source": "second",
                        "rates": [
                            {"prices": {"input": "1", "output": "4"}},
                            {
                                "from": "2026-03-01",
                                "prices": {"input": "0.5", "cache_read": "0.05", "cache_write": "1", "output": "2"},
                            },
                        ],
                        "variants": [
                            {
                                "condition": "service_tier",
                                "value": "flex",
                                "from": "2026-04-01",
                                "prices": {"input": "0.25", "output": "1"},
                            }
                        ],
                    },
                ],
            },
            "acme/tiered": {
                "known": [
                    {
                        "at": "2026-06-01",
                        "source": "second",
                        "rates": [
                            {
                                "prices": {
                                    "input": {"base": "1", "above": {"1000": "2"}},
                                    "output": {"base": "4", "above": {"1000": "6"}},
                                }
                            }
                        ],
                    }
                ]
            },
            "other/flat-only": {
                "known": [
                    {"at": "2026-06-01", "source": "second", "rates": [{"prices": {"input": "3", "output": "3"}}]}
                ]
            },
        },
    }


@pytest.fixture
def stored() -> dict[str, Any]:
    return stored_table()


@pytest.fixture
def table() -> PriceTable:
    return PriceTable(stored_table())
