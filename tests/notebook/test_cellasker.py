"""Questions of a running cell, in a real kernel without a browser: typed where one can type, refused elsewhere."""

from __future__ import annotations

import pytest

from tests.notebook.kernels import Kernel

SET_UP = """
from valechat.asking import Approval, Confirmation, Form, Visit
from valechat.engine import engine
from valechat.notebook.cellasker import CellAsker
asker = CellAsker()
call = Approval("files", "write", '{"path": "a.txt"}', destructive=True)
"""


@pytest.fixture
def ready(kernel: Kernel) -> Kernel:
    ran = kernel.run(SET_UP)
    assert not ran.error, ran.traceback
    return kernel


def test_where_no_front_end_draws_the_buttons_a_typed_line_decides(ready: Kernel) -> None:
    ran = ready.run("print(engine().run(asker.approve(call)))", answer="t")
    assert not ran.error, ran.traceback
    assert "files wants to run write" in ran.text
    assert '"path": "a.txt"' in ran.text
    assert ran.text.endswith("always_tool\n")


def test_a_form_is_typed_in_an_awaiting_cell_too(ready: Kernel) -> None:
    schema = '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}'
    ran = ready.run(f"print(await engine().wait(asker.fill(Form('p', 'Who?', {schema}))))", answer="yes")
    assert not ran.error, ran.traceback
    assert "Filled(action='accept', values={'name': 'yes'})" in ran.text


def test_where_nobody_can_type_the_call_is_refused_and_the_cell_says_how_to_allow_it(ready: Kernel) -> None:
    ran = ready.run("print(engine().run(asker.approve(call)))")
    assert not ran.error, ran.traceback
    assert ran.text.endswith("no\n")
    assert "`%valechat plugins allow files write` allows it" in ran.text
    assert ran.seconds < 3


def test_a_question_outside_any_cell_is_refused_where_no_plugin_manager_is_open(ready: Kernel) -> None:
    ran = ready.run("print(engine().submit(asker.approve(call)).result(60))", answer="y")
    assert ran.text == "no\n"
