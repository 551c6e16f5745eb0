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


def test_a_reply_is_drawn_as_markdown(kernel: Kernel) -> None:
    assert kernel.run(REPLY.format(text="**Yes.**")).of_type("text/markdown") == ["**Yes.**"]


def test_a_reply_is_drawn_without_what_would_run_or_load_something(kernel: Kernel) -> None:
    (drawn,) = kernel.run(REPLY.format(text="![x](https://a.example) <script>x</script>")).of_type("text/markdown")
    assert drawn == "[x](https://a.example) &lt;script>x&lt;/script>"
