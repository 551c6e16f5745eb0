"""marimo as the notebook behind a conversation, without marimo; `tests/browser/test_marimo.py` has the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from valechat.errors import ConfigError
from valechat.notebook import marimo
from valechat.variables import workspace as workspaces
from valechat.variables.workspace import use_workspace, workspace


@pytest.fixture(autouse=True)
def _own_workspace() -> Iterator[None]:
    before = workspaces._make
    yield
    use_workspace(before)


def open_in(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a cell of marimo's does, in a process where `price` is a variable."""
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(price=3))
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(app_meta=lambda: SimpleNamespace(mode=mode)))
    marimo.install()


def test_the_editors_variables_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    open_in("edit", monkeypatch)
    assert workspace().names() == {"price": 3}


def test_one_visitor_of_an_app_sees_no_variables_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    open_in("run", monkeypatch)
    assert workspace().names() == {}


async def test_code_is_not_run_behind_marimos_back(monkeypatch: pytest.MonkeyPatch) -> None:
    open_in("edit", monkeypatch)
    assert workspace().cells() == []
    with pytest.raises(ConfigError, match="Put the code into a cell"):
        await workspace().run("price = 4")
