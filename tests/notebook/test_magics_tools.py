"""Variables and tools in magics, in a real kernel: figures, secrets, decorated functions, code that a model runs."""

from __future__ import annotations

import pytest

from tests.notebook.kernels import Kernel

pytestmark = pytest.mark.kernel

RUN = """from valechat.engine import engine
from valechat.variables.workspace import workspace
def run(code):
    return engine().run(workspace().run(code))
"""


def test_a_figure_in_a_prompt_goes_as_an_image(kernel: Kernel) -> None:
    kernel.run("from matplotlib.figure import Figure; fig = Figure(); fig.subplots().plot([1, 2])")
    ran = kernel.run("%%valechat --dry-run\nwhat is {fig}?")
    assert "what is [Matplotlib figure]?" in ran.text
    assert len(ran.of_type("image/png")) == 1


def test_a_secret_is_hidden_and_sent_when_the_user_says_so(kernel: Kernel) -> None:
    kernel.run("settings = {'user': 'ada', 'password': 'hunter2'}")
    ran = kernel.run("%%valechat --dry-run\nlook at {settings}")
    assert "hunter2" not in ran.text
    assert "hidden: `password`; `--reveal settings` sends it" in ran.text
    assert "hunter2" in kernel.run("%%valechat --dry-run --reveal settings\nlook at {settings}").text


def test_a_decorated_function_is_called_by_its_name(kernel: Kernel) -> None:
    kernel.run("import valechat\n@valechat.tool(name='rows_of', thread_safe=True)\ndef f(): return {'rows': 3}")
    kernel.run("%%valechat -o kept --tools f\nuse the tool rows_of with {}")
    assert kernel.value("[r.value for r in kept.tool_results]") == [{"rows": 3}]


def test_the_notebooks_own_tools_are_offered_by_their_name(kernel: Kernel) -> None:
    kernel.run("seven = 7")
    kernel.run("%%valechat -o kept --tools notebook/list_variables\nuse the tool list_variables with {}")
    assert "seven: int" in kernel.value("kept.tool_results[0].text")


def test_a_dry_run_names_the_tools_and_calls_none(kernel: Kernel) -> None:
    kernel.run("import valechat\n@valechat.tool\ndef own_one(): return 1")
    ran = kernel.run("%%valechat --dry-run --tools own_one,notebook/read_cell\nhello")
    assert "TOOLS\nown_one, read_cell" in ran.text


def test_completion_offers_functions_and_the_notebooks_own_tools(kernel: Kernel) -> None:
    kernel.run("def own_two(): return 1")
    assert "own_two" in kernel.complete("%valechat --tools own")[0]
    assert "notebook/run_code" in kernel.complete("%valechat --tools notebook/r")[0]


def test_completion_offers_what_can_be_revealed(kernel: Kernel) -> None:
    kernel.run("some_settings = {}")
    assert "some_settings" in kernel.complete("%valechat --reveal some")[0]


def test_code_runs_with_the_notebooks_variables_and_its_output_comes_back(kernel: Kernel) -> None:
    kernel.run(RUN)
    ran = kernel.run(
        "base = 20\nran = run('print(\"out\")\\nanswer = base + 22\\nanswer')\nprint(ran.output, ran.value, answer)"
    )
    assert ran.text == "out\n 42 42\n"


def test_code_that_fails_tells_its_error_and_not_the_cell(kernel: Kernel) -> None:
    kernel.run(RUN)
    ran = kernel.run("ran = run('1/0')\nprint(ran.error)")
    assert (ran.error, ran.traceback) == ("", "")
    assert "ZeroDivisionError: division by zero" in ran.text


def test_code_may_await(kernel: Kernel) -> None:
    kernel.run(RUN)
    assert kernel.value("run('import asyncio\\nawait asyncio.sleep(0)\\n5').value") == 5


def test_what_code_draws_comes_back_as_an_image(kernel: Kernel) -> None:
    kernel.run(RUN)
    draws = "from IPython.display import display, Image\\ndisplay(fig)"
    kernel.run("from matplotlib.figure import Figure; fig = Figure(); fig.subplots().plot([1, 2])")
    kernel.run("get_ipython().run_line_magic('matplotlib', 'inline')")
    assert kernel.value(f"[one.media_type for one in run('{draws}').images]") == ["image/png"]


def test_stopping_a_turn_interrupts_the_code_that_it_runs(kernel: Kernel) -> None:
    kernel.run(RUN)
    kernel.run(
        "import time, asyncio\n"
        "begun, ended = time.monotonic(), []\n"
        "async def stopped():\n"
        "    task = asyncio.ensure_future(workspace().run('import time\\ntime.sleep(30)'))\n"
        "    await asyncio.sleep(0.5)\n"
        "    task.cancel()\n"
        "work = engine().submit(stopped())"
    )
    assert kernel.value("time.monotonic() - begun < 10") is True
