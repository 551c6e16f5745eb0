"""What the notebook's host lacks is looked for, and said with what to do; nothing is guessed from names alone."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from tests.notebook.kernels import Kernel
from valechat.notebook.host import widgets_hint

LINES = "from google.colab import output\noutput.enable_custom_widget_manager()"

# What anywidget and Colab's display hook look at (googlecolab/colabtools, `google/colab/output/_widgets.py`).
COLAB = """
import sys, types
colab, output, widgets = (types.ModuleType(f"google.colab{rest}") for rest in ("", ".output", ".output._widgets"))
widgets._installed_url = None
output._widgets = widgets
def enable(version="5.0.0a"):
    widgets._installed_url = "https://manager.example/manager.min.js"
output.enable_custom_widget_manager = enable
sys.modules.update({"google.colab": colab, "google.colab.output": output})
"""


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


@pytest.mark.kernel
def test_in_colab_the_panel_switches_widgets_on_by_itself_and_says_what_to_do_once_they_are_off(kernel: Kernel) -> None:
    first = kernel.run(COLAB + "%valechat")
    assert not first.error, first.traceback
    assert "enable_custom_widget_manager" not in first.text
    assert first.of_type("application/vnd.jupyter.widget-view+json")
    later = kernel.run("widgets._installed_url = None\n%valechat")
    assert LINES in "".join(later.of_type("text/plain"))
