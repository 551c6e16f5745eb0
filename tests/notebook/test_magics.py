"""The magics in a real kernel, against the real demonstration server."""

from __future__ import annotations

import re

import pytest

from tests.notebook.kernels import Kernel

pytestmark = pytest.mark.kernel


def test_a_question_is_answered_below_the_cell_with_its_cost(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat\ncount to 5")
    assert ran.of_type("text/markdown") == ["1 2 3 4 5"]
    assert re.search(r"demo/echo · [\d.]+ s · 3 tokens in, 5 out · \$0\.0000\d+$", ran.text)


def test_a_question_on_the_line_may_end_with_a_question_mark(kernel: Kernel) -> None:
    assert kernel.run("%valechat will you count to 3?").of_type("text/markdown") == ["1 2 3"]


def test_a_question_may_be_assigned(kernel: Kernel) -> None:
    kernel.run("answer = %valechat what is it with you?")
    assert "with you?" in kernel.value("answer.text")
    kernel.run("answer = %valechat count to 3?")
    assert kernel.value("answer.text") == "1 2 3"
    assert kernel.value("answer.status") == "complete"


def test_a_question_mark_right_after_the_name_still_asks_for_help(kernel: Kernel) -> None:
    ran = kernel.run("%valechat?")
    assert not ran.error
    assert ran.outputs == []


@pytest.mark.parametrize("line", ["%%valechat -o kept", "%%valechat kept <<", "%%valechat kept << demo/echo -t 0.5"])
def test_the_reply_goes_into_a_variable(kernel: Kernel, line: str) -> None:
    kernel.run("kept = None")
    ran = kernel.run(f"{line}\ncount to 4")
    assert ran.of_type("text/markdown") == ["1 2 3 4"]
    assert kernel.value("[str(kept), kept.model, kept.cost is not None]") == ["1 2 3 4", "demo/echo", True]


def test_the_reply_is_the_cells_result_and_not_drawn_twice(kernel: Kernel) -> None:
    ran = kernel.run("%valechat count to 2")
    assert ran.of_type("text/markdown") == ["1 2"]
    assert kernel.value("_.text") == "1 2"
    assert kernel.run("%valechat count to 2\n_").of_type("text/markdown") == ["1 2", "1 2"]


def test_the_magics_go_on_with_one_conversation(kernel: Kernel) -> None:
    kernel.run("%valechat count to 1")
    kernel.run("%valechat count to 2")
    ids = "select count(*), count(distinct conversation_id) from usage where conversation_id = "
    chat = kernel.value("__import__('valechat.notebook.current', fromlist=['x']).notebook_chat().conversation_id")
    assert kernel.value(f"""__import__('valechat').sql("{ids}'{chat}'").fetchall()""") == [[2, 1]]


def test_new_begins_another_conversation(kernel: Kernel) -> None:
    kernel.run("%valechat count to 1")
    assert "1 request" in kernel.run("%valechat cost").text
    kernel.run("%%valechat --new\ncount to 2")
    assert "1 request " in kernel.run("%valechat cost").text


def test_a_named_conversation_is_gone_on_with_and_the_notebooks_own_left_alone(kernel: Kernel) -> None:
    kernel.run("%%valechat -c 'the plan'\ncount to 1")
    kernel.run("%%valechat -c 'the plan'\ncount to 2")
    assert "0 requests" in kernel.run("%valechat cost").text
    kernel.run("%valechat new 'the plan'")
    assert "2 requests" in kernel.run("%valechat cost").text


def test_values_go_into_the_question(kernel: Kernel) -> None:
    kernel.run("n, d = 3, {'key': [5]}")
    assert kernel.run("%%valechat\ncount to {n}").of_type("text/markdown") == ["1 2 3"]
    assert kernel.run("%valechat count to {d['key'][0]}").of_type("text/markdown") == ["1 2 3 4 5"]


def test_inputs_outputs_and_errors_go_into_the_question(kernel: Kernel) -> None:
    kernel.run("6 * 7")
    number = kernel.value("len(In) - 2")
    kernel.run("1 / 0")
    ran = kernel.run(f"%%valechat --dry-run\n{{In[{number}]}} = {{Out[{number}]}}, then {{Err[{number + 2}]}}")
    assert "6 * 7 = 42, then Traceback (most recent call last):" in ran.text
    assert "ZeroDivisionError: division by zero" in ran.text


BRACES = (
    r"""{"a": {"b": [1, {}]}} \frac{x}{y} $z_{i}$ ${HOME} {{user}} a lone { and } f"{undefined!r:>10}" {%- if -%}"""
)


def test_json_latex_and_lone_braces_arrive_as_they_were_written(kernel: Kernel) -> None:
    kernel.run(f"%%valechat\n{BRACES}")
    sql = "select content from messages where role = 'user' order by ts desc limit 1"
    (content,) = kernel.value(f"""__import__('valechat').sql("{sql}").fetchall()[0]""")
    assert content == BRACES


def test_an_undefined_name_is_noted_below_the_question(kernel: Kernel) -> None:
    assert "{nobody} is not defined; sent as it was written." in kernel.run("%valechat count to 2 {nobody}").text


def test_a_dataframe_is_sent_as_schema_and_rows_with_its_tokens_shown(kernel: Kernel) -> None:
    kernel.run("import pandas as pd; df = pd.DataFrame({'city': ['Oslo'] * 5000})")
    ran = kernel.run("%%valechat\ncount to 2 {df}")
    assert "{df}: schema, statistics and 10 of 5,000 rows, about " in ran.text
    assert " tokens" in ran.text


def test_a_dry_run_sends_nothing_and_names_the_cost(kernel: Kernel) -> None:
    before = kernel.value("""__import__('valechat').sql("select count(*) from usage").fetchall()""")
    ran = kernel.run("%%valechat --dry-run -s 'be brief' --max-tokens 100\ncount to 2")
    assert "SYSTEM\nbe brief" in ran.text
    assert "QUESTION\ncount to 2" in ran.text
    assert "at most 100 out · likely $" in ran.text
    assert "Nothing was sent." in ran.text
    assert kernel.value("""__import__('valechat').sql("select count(*) from usage").fetchall()""") == before


def test_a_tool_of_the_notebook_is_called_on_the_main_thread(kernel: Kernel) -> None:
    kernel.run(
        "import threading\n"
        "def weather(city: str) -> str:\n"
        "    'The weather in a city.'\n"
        "    return f'sunny in {city}, ' + threading.current_thread().name\n"
    )
    ran = kernel.run('%%valechat --tools weather\nuse the tool weather with {"city": "Oslo"}')
    assert not ran.error, ran.traceback
    assert "sunny in Oslo, MainThread" in ran.text
    assert 'weather({"city": "Oslo"})' in ran.text


def test_an_unknown_tool_is_explained(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat --tools nothing_here\nhello")
    assert ran.error == "ConfigError"
    assert "there is neither a function nor a plugin named nothing_here" in ran.traceback


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%valechat --nope\nhi", "Unrecognized arguments: --nope."),
        ("%%valechat -t 9\nhi", "no number from 0 to 2"),
        ("%%valechat --max-cost lots\nhi", "no amount in USD"),
        ("%%valechat -f yaml\nhi", "invalid choice: 'yaml'"),
        ("%%valechat -s 'open\nhi", "no closing quotation"),
        ("%%valechat no-such-model\nhi", "No provider has a model named 'no-such-model'."),
        ("%%valechat demo/nothing\nhi", "The demonstration has one model"),
        ("%valechat list the capitals of Europe", "`%valechat -- list the capitals of Europe`"),
        ("%%valechat openai/gpt-5-mini\nhi", "`%valechat keys set openai` asks for it."),
        ("%valechat use", "needs a model"),
        ("%valechat x << list", "gives nothing that x could receive"),
        ("%valechat use demo/none", "does not list a model named 'none'"),
        ("%%valechat list\nhi", "takes one line"),
        ("%valechat help me", "There is no verb 'me'"),
        ("%valechat sql selec 1", "The query is not valid"),
        ("%valechat limits daily much", "'much' is no amount"),
        ("%valechat limits nothing 5", "nothing"),
        ("%valechat export conversation.exe", "Nothing has been said"),
    ],
)
def test_a_mistake_is_explained_in_one_line_and_fails_the_cell(kernel: Kernel, cell: str, said: str) -> None:
    ran = kernel.run(cell)
    assert ran.error
    assert said in ran.traceback
    assert "Traceback" not in ran.traceback
    assert len(ran.traceback.splitlines()) <= 8


def test_two_dashes_ask_what_begins_with_a_verb(kernel: Kernel) -> None:
    assert kernel.run("%valechat -- list and count to 3").of_type("text/markdown") == ["1 2 3"]


def test_options_may_stand_before_a_question_on_the_line(kernel: Kernel) -> None:
    kernel.run('%valechat -o short -m demo/echo it\'s "raw": count to 2')
    assert kernel.value("short.text") == "1 2"


def test_without_streaming_the_answer_is_shown_when_it_is_whole(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat --no-stream\ncount to 60")
    answers = [output for output in ran.outputs if output.get("text/plain", "").startswith("1 2 3")]
    assert len(answers) == 1


def test_an_answer_is_drawn_while_it_arrives_and_not_too_often(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat\ncount to 150")
    moments = max(ran.updates.values(), key=len)
    assert len(moments) >= 4
    assert len(moments) / (moments[-1] - moments[0]) <= 10
    assert ran.of_type("text/markdown") == [" ".join(map(str, range(1, 151)))]


def test_the_panel_is_shown_by_the_bare_magic(kernel: Kernel) -> None:
    ran = kernel.run("%valechat")
    assert not ran.error, ran.traceback
    assert ran.of_type("application/vnd.jupyter.widget-view+json")
