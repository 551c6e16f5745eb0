"""What Colab lacks for widgets is looked for, and said with what to do; nothing is guessed from names alone."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from valechat.notebook.colab import widgets_hint

LINES = "from google.colab import output\noutput.enable_custom_widget_manager()"


def colab(monkeypatch: pytest.MonkeyPatch, **output: object) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    if output:
        module = ModuleType("google.colab.output")
        vars(module).update(output)
        monkeypatch.setitem(sys.modules, "google.colab.output", module)


def test_a_host_that_is_not_colab_needs_nothing() -> None:
    assert widgets_hint() == ""


def test_colab_without_its_widget_manager_is_told_the_lines_that_switch_it_on(monkeypatch: pytest.MonkeyPatch) -> None:
    colab(monkeypatch, _widgets=SimpleNamespace(_installed_url=None))
    assert LINES in widgets_hint()


def test_colab_whose_outputs_are_not_loaded_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    colab(monkeypatch)
    monkeypatch.delitem(sys.modules, "google.colab.output", raising=False)
    assert LINES in widgets_hint()


@pytest.mark.parametrize(
    "output",
    [{"_widgets": SimpleNamespace(_installed_url="https://manager.example/m.js")}, {"another": "make"}],
    ids=["switched on", "unknown"],
)
def test_colab_is_told_nothing_where_the_manager_is_on_or_nobody_can_know(
    monkeypatch: pytest.MonkeyPatch, output: dict[str, object]
) -> None:
    colab(monkeypatch, **output)
    assert widgets_hint() == ""
