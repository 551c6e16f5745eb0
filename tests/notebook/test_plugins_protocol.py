"""The plugin manager's messages are stated alike in Python and in TypeScript."""

from __future__ import annotations

from pathlib import Path
from typing import get_type_hints

import pytest
from typing_extensions import is_typeddict

from tests.notebook.test_protocol import Field, Kind, kind_of, python_field, typescript
from valechat.notebook.plugins import protocol

TYPESCRIPT = Path(__file__).parents[2] / "js" / "src" / "plugins" / "protocol.ts"


def python_interfaces() -> dict[str, dict[str, Field]]:
    return {
        name: {key: python_field(hint) for key, hint in get_type_hints(value, include_extras=True).items()}
        for name, value in vars(protocol).items()
        if is_typeddict(value)
    }


@pytest.fixture(scope="module")
def view() -> tuple[dict[str, dict[str, Field]], dict[str, Kind]]:
    return typescript(TYPESCRIPT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(python_interfaces()))
def test_fields_types_and_optionality_are_the_same(
    name: str, view: tuple[dict[str, dict[str, Field]], dict[str, Kind]]
) -> None:
    assert view[0][name] == python_interfaces()[name]


def test_both_sides_have_the_same_messages(view: tuple[dict[str, dict[str, Field]], dict[str, Kind]]) -> None:
    assert view[0].keys() == python_interfaces().keys()
    assert view[1] == {name: kind_of(getattr(protocol, name)) for name in ("FromWidget", "ToWidget")}
