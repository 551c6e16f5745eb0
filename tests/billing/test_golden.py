"""Costs worked out by hand from the providers' published rules.

`golden.json` states each rule with its arithmetic, which is evaluated here in exact fractions.
"""

import ast
import json
import operator
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from valechat.billing import price
from valechat.usage import Usage

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("golden.json").read_text())
OPERATORS: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Div: operator.truediv,
    ast.Mult: operator.mul,
}


def evaluate(arithmetic: str) -> Fraction:
    """The exact value of sums, products and quotients of decimal numbers."""

    def value(node: ast.expr) -> Fraction:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        return Fraction(ast.get_source_segment(arithmetic, node) or "")

    return value(ast.parse(arithmetic, mode="eval").body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_cost_follows_the_providers_published_rule(vector: dict[str, Any]) -> None:
    usage = Usage.from_wire(vector["wire"], vector["raw"])
    priced = price(usage, vector["model"], datetime.fromisoformat(vector["at"]), vector.get("prices"))
    assert priced.cost is not None, priced.reason
    assert Fraction(priced.cost) == evaluate(vector["arithmetic"])
    assert priced.source == vector["source"]


def test_there_are_at_least_forty_vectors_with_names_of_their_own() -> None:
    assert len({vector["name"] for vector in VECTORS}) == len(VECTORS) >= 40
