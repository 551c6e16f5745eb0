"""What a cell shows whose value is one of ours, in a real kernel."""

from __future__ import annotations

import pytest

from tests.notebook.kernels import Kernel

pytestmark = pytest.mark.kernel

REPLY = """
import valechat
from valechat.reply import Reply
Reply(text={text!r}, model="lab/two", usage=valechat.Usage(), cost=None, status="complete")
"""

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
%valechat
"""
AWAY = 'del sys.modules["google.colab"], sys.modules["google.colab.output"]'


def test_a_reply_is_drawn_as_markdown(kernel: Kernel) -> None:
    assert kernel.run(REPLY.format(text="**Yes.**")).of_type("text/markdown") == ["**Yes.**"]


def test_a_reply_is_drawn_without_what_would_run_or_load_something(kernel: Kernel) -> None:
    (drawn,) = kernel.run(REPLY.format(text="![x](https://a.example) <script>x</script>")).of_type("text/markdown")
    assert drawn == "[x](https://a.example) &lt;script>x&lt;/script>"


def test_in_colab_the_panel_switches_widgets_on_by_itself_and_says_what_to_do_once_they_are_off(kernel: Kernel) -> None:
    shown = kernel.run(COLAB)
    off = kernel.run("widgets._installed_url = None\n%valechat")
    assert not kernel.run(AWAY).error
    assert shown.of_type("application/vnd.jupyter.widget-view+json")
    assert "enable_custom_widget_manager" not in shown.text
    assert "from google.colab import output\noutput.enable_custom_widget_manager()" in off.text
