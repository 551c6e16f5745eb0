"""The reference says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import reference
from valechat.queries import connect

SQL = reference.FOLDER / "sql.md"


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    written = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert written == reference.PAGES[name](), "run .venv/bin/python -m scripts.reference"


def described() -> dict[str, dict[str, str]]:
    """The views of the page: each column's type."""
    sections = re.split(r"^### `(\w+)`$", SQL.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        name: dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", text, re.MULTILINE))
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def test_the_page_of_views_names_every_view_and_column_with_its_type(home: Path) -> None:
    del home
    with connect() as db:
        found = db.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'main'"
            " ORDER BY table_name, ordinal_position"
        ).fetchall()
    views: dict[str, dict[str, str]] = {}
    for view, column, kind in found:
        views.setdefault(view, {})[column] = kind.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
    assert described() == views


def test_the_page_of_python_has_all_public_names() -> None:
    import valechat

    page = (reference.FOLDER / "python.md").read_text(encoding="utf-8")
    missing = [name for name in valechat.__all__ if not name.startswith("_") and f"`{name}`" not in page]
    assert not missing
