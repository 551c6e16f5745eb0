"""Answers in every format, side by side, stopped, broken off and refused; over real HTTP on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.chatserver import ChatServer
from tests.notebook.kernels import Kernel, Ran
from tests.patience import happens

pytestmark = pytest.mark.kernel

LAST_ROW = "select status, kind, cost_source from usage order by ts desc, request_id desc limit 1"


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def kernel_home(tmp_path_factory: pytest.TempPathFactory, server: ChatServer) -> Path:
    home = tmp_path_factory.mktemp("home")
    server.configure(home)
    return home


@pytest.fixture(scope="module")
def model() -> str:
    return "lab/two"


@pytest.fixture(autouse=True)
def _begun_afresh(kernel: Kernel, server: ChatServer) -> None:
    server.left.clear()
    server.requests.clear()


def _rows(kernel: Kernel, sql: str) -> list[list[object]]:
    rows: list[list[object]] = kernel.value(f"__import__('valechat').sql({sql!r}).fetchall()")
    return rows


def test_code_goes_into_a_new_cell_without_its_fence(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/coder -f code\nprint 1")
    assert ran.next_cell == "x = 1\nprint(x)\n\nprint('more')"


def test_json_is_shown_and_handed_over_as_a_value(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/json -f json -o value\ntwo rivers")
    assert ran.of_type("application/json") == [{"rivers": ["Rhine", "Elbe"], "count": 2}]
    assert kernel.value("value") == {"rivers": ["Rhine", "Elbe"], "count": 2}


def test_an_answer_that_is_no_json_stays_visible_and_fails_the_cell(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/two -f json -o value\ntwo rivers")
    assert "I am two." in ran.text
    assert "The answer is not JSON" in ran.traceback
    assert kernel.value("value.text") == "I am two."


def test_html_is_sanitised(kernel: Kernel) -> None:
    (html, _footer) = kernel.run("%%valechat lab/html -f html\na page").of_type("text/html")
    assert html.startswith("<h1>Hi</h1>")
    assert "evil" not in html
    assert "p.png" not in html
    assert 'href="https://x.example"' in html


def test_math_is_shown_as_latex(kernel: Kernel) -> None:
    assert kernel.run("%%valechat lab/math -f math\nan integral").of_type("text/latex") == ["$$\n\\int_0^1 x\\,dx\n$$"]


def test_an_answer_without_an_image_is_an_error_that_says_so(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/two -f image\na cat")
    assert "lab/two answered without an image." in ran.traceback


def test_text_is_not_drawn_as_markdown(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/coder -f text\ncode")
    assert ran.of_type("text/markdown") == []
    assert "```python" in ran.text


def test_the_format_tells_the_model_what_to_answer(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%%valechat lab/json -f json -s 'Be brief.'\ntwo rivers")
    (system, _question) = server.requests[-1]["messages"]
    assert system["content"] == "Be brief.\n\nAnswer with one JSON value, and nothing else."


def test_options_reach_the_model_for_this_question_only(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%%valechat lab/two -t 0.25 --max-tokens 77 -s 'Be brief.'\nhi")
    kernel.run("%%valechat\nhi")
    first, second = server.requests[-2:]
    assert first["temperature"] == 0.25
    assert 77 in (first.get("max_tokens"), first.get("max_completion_tokens"))
    assert "temperature" not in second
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "user"]


def test_markdown_loads_no_remote_image(kernel: Kernel) -> None:
    (markdown,) = kernel.run("%valechat -m lab/image-in-text look").of_type("text/markdown")
    assert "![" not in markdown
    assert "<img" not in markdown
    assert "[a chart](https://x.example/steal?secret)" in markdown


def test_models_answer_side_by_side_each_with_time_and_cost(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/one lab/two -o both\nwho are you?")
    assert not ran.error, ran.traceback
    (table,) = ran.of_type("text/markdown")
    assert table.startswith("<table><tr>")
    assert table.count("<td ") == 2
    assert "I am one." in table
    assert "lab/two · 0." in table
    assert "price unknown" in table
    assert "USD 0.00012" in table
    assert kernel.value("{model: reply.text for model, reply in both.items()}") == {
        "lab/one": "I am one.",
        "lab/two": "I am two.",
    }
    assert _rows(kernel, "select distinct kind from usage order by ts desc limit 2")[0] == ["compare"]


def test_models_are_compared_at_the_same_time_and_one_failure_spares_the_others(
    kernel: Kernel, server: ChatServer
) -> None:
    ran = kernel.run("%%valechat lab/two lab/refused -o both\nhi")
    assert ran.error == "AuthenticationFailed"
    assert "I am two." in ran.text
    assert "Incorrect API key" in ran.text
    assert kernel.value("list(both)") == ["lab/two"]


def test_a_comparison_leaves_the_notebooks_conversation_alone(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%%valechat\nfirst")
    kernel.run("%%valechat lab/one lab/two\nsecond")
    assert len(server.requests[-1]["messages"]) == 1
    kernel.run("%%valechat\nthird")
    assert len(server.requests[-1]["messages"]) == 3


def test_models_compared_do_not_wait_for_each_other(kernel: Kernel) -> None:
    kernel.run("from valechat.notebook.current import notebook_chat\nnotebook_chat().ask_sync('hi')")
    ran = kernel.run("%%valechat lab/talker lab/two\ntalk", when=lambda ran: _talking(ran) and "I am two." in ran.text)
    assert ran.error == "Stopped"


def _talking(ran: Ran) -> bool:
    return "I begin to talk" in ran.text


def test_an_interrupt_stops_the_request_within_a_second_and_keeps_what_arrived(
    kernel: Kernel, server: ChatServer
) -> None:
    ran = kernel.run("%%valechat lab/talker -o part\ntalk", when=_talking)
    assert ran.seconds < 1
    assert ran.error == "Stopped"
    assert ran.traceback == "Stopped."
    assert happens(server.left, 1)
    assert "I begin to talk" in ran.text
    assert "stopped · lab/talker · " in ran.text
    assert kernel.value("[part.text, part.status, part.cost is not None, len(part.request_ids)]") == [
        "I begin to talk",
        "cancelled",
        True,
        1,
    ]
    assert _rows(kernel, LAST_ROW) == [["cancelled", "chat", "estimated"]]


def test_an_interrupt_before_the_first_word_stops_the_request_too(kernel: Kernel, server: ChatServer) -> None:
    ran = kernel.run("%%valechat lab/silent\ntalk", when=lambda ran: bool(server.requests) and "asked" in ran.text)
    assert ran.seconds < 1
    assert ran.error == "Stopped"
    assert happens(server.left, 1)
    assert _rows(kernel, LAST_ROW)[0][0] == "cancelled"


def test_a_comparison_is_stopped_as_a_whole_and_keeps_what_is_complete(kernel: Kernel, server: ChatServer) -> None:
    ran = kernel.run(
        "%%valechat lab/two lab/talker -o both\ntalk", when=lambda ran: _talking(ran) and "10 out" in ran.text
    )
    assert ran.seconds < 1
    assert ran.error == "Stopped"
    assert happens(server.left, 1)
    assert kernel.value("list(both)") == ["lab/two"]


def test_after_a_stop_the_conversation_goes_on(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%%valechat lab/talker\ntalk", when=_talking)
    ran = kernel.run("%%valechat lab/two\ngo on")
    assert ran.of_type("text/markdown") == ["I am two."]


def test_a_cell_after_a_stopped_one_is_not_run_in_a_loop_that_catches_errors(kernel: Kernel) -> None:
    code = (
        "try:\n    get_ipython().run_cell_magic('valechat', 'lab/talker', 'talk')\n"
        "except Exception:\n    swallowed = True\n"
    )
    kernel.run("swallowed = False")
    ran = kernel.run(code, when=_talking)
    assert ran.error == "Stopped"
    assert kernel.value("swallowed") is False


def test_an_answer_that_breaks_off_is_kept_and_fails_the_cell(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/cut -o part\nhi")
    assert ran.error == "StreamBroken"
    assert "half an ans" in ran.text
    assert "broke off · lab/cut" in ran.text
    assert kernel.value("part.status") == "failed"
    assert _rows(kernel, LAST_ROW)[0][0] == "failed"


def test_a_refused_key_is_one_line_and_nothing_is_shown_as_an_answer(kernel: Kernel) -> None:
    ran = kernel.run("%%valechat lab/refused\nhi")
    assert ran.error == "AuthenticationFailed"
    assert "Incorrect API key" in ran.traceback
    assert ran.of_type("text/markdown") == []


def test_an_error_can_be_caught_by_its_type(kernel: Kernel) -> None:
    kernel.run(
        "from valechat.errors import AuthenticationFailed\n"
        "try:\n    get_ipython().run_line_magic('valechat', '-m lab/refused hi')\n"
        "except AuthenticationFailed as error:\n    caught = error.provider\n"
    )
    assert kernel.value("caught") == "lab"


def test_fix_explains_the_last_exception_and_puts_the_corrected_cell_below(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("1 / 0")
    ran = kernel.run("%valechat fix lab/fixer")
    assert ran.next_cell == "1 / 1"
    assert "The divisor was zero." in ran.text
    question = server.requests[-1]["messages"][-1]["content"]
    assert "```python\n1 / 0\n```" in question
    assert "ZeroDivisionError: division by zero" in question
    assert "IPython/core" not in question


def test_fix_shows_what_it_would_send_and_hides_secrets(kernel: Kernel, server: ChatServer) -> None:
    kernel.run('password = "hunter2-long"\n1 / 0')
    ran = kernel.run("%valechat fix -m lab/fixer --dry-run")
    assert server.requests == []
    assert "hunter2" not in ran.text
    assert 'password = "•••"' in ran.text
    assert "hidden: the value of `password`; mind ••• in the new cell" in ran.text
    assert re.search(r"In\[\d+\]: ZeroDivisionError: division by zero", ran.text)


@pytest.mark.parametrize(
    ("line", "verb"), [("hepl", "help"), ("reset", "new"), ("models", "list"), ("limts daily 5", "limits")]
)
def test_a_misspelt_verb_is_not_sent_as_a_question(kernel: Kernel, server: ChatServer, line: str, verb: str) -> None:
    ran = kernel.run(f"%valechat {line}")
    assert f"did you mean `%valechat {verb}`?" in ran.traceback
    assert f"`%valechat -- {line}`" in ran.traceback
    assert server.requests == []


def test_what_only_begins_like_a_verb_is_a_question(kernel: Kernel, server: ChatServer) -> None:
    for question in ("news of today", "thanks", "costs?", "-- hepl"):
        kernel.run(f"%valechat {question}")
    assert len(server.requests) == 4


def test_what_is_hidden_in_options_and_what_reveal_does_not_find_are_told(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("login = {'user': 'ada', 'password': 'hunter2'}")
    ran = kernel.run("%%valechat lab/two -s 'I am {login}' --reveal logn\nhi")
    assert "hunter2" not in str(server.requests)
    assert "{login} on the magic's line: hidden: `password`" in ran.text
    assert "--reveal logn: the question names no {logn}" in ran.text


def test_a_dry_run_refuses_what_is_too_large_to_send(kernel: Kernel) -> None:
    kernel.run("long = 'word ' * 12_000")
    assert "the limit is 50,000" in kernel.run("%%valechat --dry-run\n{long} {long}").traceback


def test_a_failed_magic_is_not_what_fix_fixes(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("undefined_name")
    kernel.run("%%valechat --nope\nhi")
    kernel.run("%valechat fix lab/fixer")
    assert "NameError" in server.requests[-1]["messages"][-1]["content"]


def test_a_cost_above_the_users_threshold_is_asked_for(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%valechat limits confirm_above 0.50")
    try:
        ran = kernel.run("%%valechat lab/dear\nhi", answer="y")
        assert not ran.error, ran.traceback
        assert "Yes." in ran.text
        server.requests.clear()
        ran = kernel.run("%%valechat lab/dear\nhi", answer="n")
        assert (ran.error, ran.questions) == ("ConfirmationRequired", 1)
        assert server.requests == []
    finally:
        kernel.run("%valechat limits confirm_above off")


def test_a_comparison_asks_once_about_all_that_cost_more(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%valechat limits confirm_above 0.000001")
    try:
        ran = kernel.run("%%valechat lab/dear lab/two -o both\nhi", answer="y")
        assert (ran.error, ran.questions) == ("", 1), ran.traceback
        assert kernel.value("list(both)") == ["lab/dear", "lab/two"]
        server.requests.clear()
        ran = kernel.run("%%valechat lab/dear lab/two\nhi", answer="n")
        assert (ran.error, ran.questions) == ("ConfirmationRequired", 1)
        assert server.requests == []
    finally:
        kernel.run("%valechat limits confirm_above off")


def test_without_anybody_to_ask_a_dear_request_is_not_sent(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%valechat limits confirm_above 0.50")
    try:
        ran = kernel.run("%%valechat lab/dear\nhi")
        assert ran.error == "ConfirmationRequired"
        assert "Agree where you are asked" in ran.traceback
        assert "confirmed=True" not in ran.traceback
        assert server.requests == []
    finally:
        kernel.run("%valechat limits confirm_above off")


def test_max_cost_refuses_what_may_cost_more(kernel: Kernel, server: ChatServer) -> None:
    ran = kernel.run("%%valechat lab/dear --max-cost 0.0001\nhi")
    assert ran.error == "LimitReached"
    assert server.requests == []


def test_a_limit_holds_for_the_magics(kernel: Kernel, server: ChatServer) -> None:
    kernel.run("%valechat limits daily 0.000001")
    try:
        ran = kernel.run("%%valechat lab/two\nhi")
        assert ran.error == "LimitReached"
        assert "Traceback" not in ran.traceback
        assert server.requests == []
    finally:
        kernel.run("%valechat limits daily off")
