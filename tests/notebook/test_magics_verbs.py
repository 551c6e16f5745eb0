"""The verbs in a real kernel."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tests.notebook.kernels import Kernel
from valechat.notebook.verbs import VERBS

pytestmark = pytest.mark.kernel


def test_list_shows_models_with_prices(kernel: Kernel) -> None:
    ran = kernel.run("%valechat list")
    assert "demo/echo" in ran.text
    assert "$1" in ran.text
    assert "openai/" not in ran.text


def test_list_all_shows_what_a_key_would_give(kernel: Kernel) -> None:
    (openai,) = [line for line in kernel.run("%valechat list all").text.splitlines() if line.startswith("openai/gpt")][
        :1
    ]
    assert "key" in openai


def test_list_of_a_provider_shows_only_its_models(kernel: Kernel) -> None:
    text = kernel.run("%valechat list anthropic").text
    assert "anthropic/claude" in text
    assert "demo/echo" not in text


def test_list_of_something_else_says_what_to_write(kernel: Kernel) -> None:
    ran = kernel.run("%valechat list fruits")
    assert "No provider called 'fruits'" in ran.traceback
    assert "`%valechat -- list fruits`" in ran.traceback


def test_use_chooses_the_model_and_accepts_a_colon(kernel: Kernel) -> None:
    assert "demo/echo answers from now on." in kernel.run("%valechat use demo:echo").text


def test_history_shows_what_was_said(kernel: Kernel) -> None:
    assert "Nothing has been said" in kernel.run("%valechat history").text
    kernel.run("%valechat count to 2")
    (markdown,) = kernel.run("%valechat history").of_type("text/markdown")
    assert "count to 2" in markdown
    assert "1 2" in markdown


def test_history_all_lists_conversations(kernel: Kernel) -> None:
    kernel.run("%valechat new 'holiday plans'")
    kernel.run("%valechat count to 2")
    assert "holiday plans" in kernel.run("%valechat history all").text


def test_history_lists_the_conversations_that_say_some_words(kernel: Kernel) -> None:
    kernel.run("%valechat new 'harvest'")
    kernel.run("%valechat How many quinces are there?")
    assert "harvest" in kernel.run("%valechat history many quinces").text
    assert "If it is a question" in kernel.run("%valechat history of quincunxes").traceback


def test_cost_shows_the_last_reply_and_the_conversation(kernel: Kernel) -> None:
    kernel.run("%valechat count to 2")
    kernel.run("%valechat count to 3")
    last, whole = kernel.run("%valechat cost").text.splitlines()[-2:]
    assert "demo/echo" in last
    assert "2 requests" in whole
    assert "$" in whole


def test_cost_shows_discrepancies_by_model(kernel: Kernel) -> None:
    kernel.run("%valechat count to 2")
    assert "discrepancies" not in kernel.run("%valechat cost").text
    kernel.run(
        "from decimal import Decimal\n"
        "from tests.ledger.samples import usage_row\n"
        "from valechat.ledger.base import Verification\n"
        "from valechat.services import services\n"
        "wrong = Verification('discrepancy', None, 10, 100, Decimal('-12.5'))\n"
        "right = Verification('verified', None, 10, 20)\n"
        "for n, verification in enumerate([wrong, right, right]):\n"
        "    services().ledger.settle(usage_row(f'r{n}', '0.25', verification=verification), [])"
    )
    assert kernel.run("%valechat cost").text.splitlines()[-1].split() == [
        "mylab/scripted",
        "1",
        "of",
        "3",
        "-12.5",
        "%",
        "$0.25",
    ]


def test_spend_shows_the_dashboard_and_its_figures_for_the_notebook_as_a_file(kernel: Kernel) -> None:
    kernel.run("%valechat count to 2")
    shown = kernel.run("%valechat spend")
    assert len(shown.of_type("application/vnd.jupyter.widget-view+json")) == 1
    (static,) = shown.of_type("text/html")
    assert "demo/echo" in static
    assert "Spend in" in static


def test_limits_are_set_shown_and_removed(kernel: Kernel, kernel_home: Path) -> None:
    assert "No spending limit applies" in kernel.run("%valechat limits").text
    text = kernel.run("%valechat limits daily 5.00").text
    assert "daily" in text
    assert "$5.00" in text
    assert 'daily = "5.00"' in kernel_home.joinpath("config.toml").read_text()
    assert "No spending limit applies" in kernel.run("%valechat limits daily off").text


def test_what_makes_no_sense_is_refused_in_words(kernel: Kernel) -> None:
    assert "-5' is no amount in USD" in kernel.run("%valechat limits daily -5").traceback
    assert "name cannot be empty" in kernel.run("%valechat new ''").traceback
    assert "Did you mean demo/echo?" in kernel.run("%valechat use demo/ecko").traceback


def test_values_in_a_query_are_not_hidden(kernel: Kernel) -> None:
    kernel.run("password = 'hunter2'")
    assert "hunter2" in kernel.run("%valechat sql select '{password}' as p").text


def test_sql_shows_a_relation_over_the_ledger(kernel: Kernel) -> None:
    kernel.run("%valechat count to 2")
    ran = kernel.run("%valechat sql select distinct model, cost_source from usage")
    assert "echo" in ran.text
    assert "priced" in ran.text


@pytest.mark.parametrize(
    "cell",
    [
        "%%valechat sql\nselect 40 + {two} as n",
        "%%valechat sql -o frame\nselect 40 + {two} as n",
        "%%valechat frame << sql\nselect 40 + {two} as n",
        "%valechat -o frame sql select 40 + {two} as n",
        "frame = %valechat sql select 40 + {two} as n",
    ],
)
def test_sql_takes_a_cell_values_and_a_variable(kernel: Kernel, cell: str) -> None:
    kernel.run("two, frame = 2, None")
    ran = kernel.run(cell)
    assert not ran.error, ran.traceback
    if "frame" in cell:
        assert "42" in kernel.run("print(frame)").text
    else:
        assert "42" in ran.text


def test_keys_lists_where_keys_are_and_never_the_key(kernel: Kernel) -> None:
    assert "There is no key yet." in kernel.run("%valechat keys").text
    kernel.run("import os; os.environ['OPENAI_API_KEY'] = 'sk-invented-0123456789'")
    text = kernel.run("%valechat keys").text
    kernel.run("del os.environ['OPENAI_API_KEY']")
    assert "environment OPENAI_API_KEY" in text
    assert "sk-invented" not in text


def test_keys_set_opens_the_dialog(kernel: Kernel) -> None:
    assert kernel.run("%valechat keys set openai").of_type("application/vnd.jupyter.widget-view+json")
    assert "nobody" in kernel.run("%valechat keys set nobody").traceback


def test_keys_delete_says_what_it_did(kernel: Kernel) -> None:
    assert "No key of openai was kept here." in kernel.run("%valechat keys delete openai").text


def test_export_writes_the_conversation_once(kernel: Kernel, folder: Path) -> None:
    kernel.run("%valechat count to 2")
    kernel.run("%valechat export talk.json")
    messages = json.loads(folder.joinpath("talk.json").read_text())["conversations"][0]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert "exists already" in kernel.run("%valechat export talk.json").traceback
    assert "count-to-2.md" in kernel.run("%valechat export").text
    assert "1 2" in folder.joinpath("count-to-2.md").read_text()


def test_export_takes_a_format_and_import_reads_json_back(kernel: Kernel, folder: Path) -> None:
    kernel.run("%valechat count to 4")
    assert "count-to-4.ipynb" in kernel.run("%valechat export notebook").text
    assert json.loads(folder.joinpath("count-to-4.ipynb").read_text())["nbformat"] == 4
    kernel.run("%valechat export json")
    assert "count to 4" in kernel.run("%valechat import count-to-4.json").text
    assert kernel.run("%valechat history count to 4").text.count("count to 4") == 2
    assert "no JSON" in kernel.run("%valechat import count-to-2.md").traceback


def test_backup_copies_the_ledger(kernel: Kernel, folder: Path) -> None:
    kernel.run("%valechat count to 2")
    assert "copy.sqlite3" in kernel.run("%valechat backup copy.sqlite3").text
    assert folder.joinpath("copy.sqlite3").read_bytes().startswith(b"SQLite format 3")


def test_doctor_looks_at_everything(kernel: Kernel) -> None:
    text = kernel.run("%valechat doctor").text
    assert "ledger" in text
    assert "clicks are answered over subshells" in text
    assert "front end" in text


def test_help_names_every_verb_and_option(kernel: Kernel) -> None:
    (text,) = kernel.run("%valechat help").of_type("text/markdown")
    for name in VERBS:
        assert f"`%valechat {name}" in text
    for option in ("-s", "-f", "-o", "-c", "-t", "--max-tokens", "--max-cost", "--tools", "--new", "--dry-run"):
        assert option in text


def test_help_explains_one_verb(kernel: Kernel) -> None:
    assert "limits daily 5.00" in kernel.run("%valechat help limits").text


def test_fix_without_a_failure_says_so(kernel: Kernel) -> None:
    assert "No cell has failed" in kernel.run("%valechat fix").traceback


def test_a_batch_run_stops_at_the_first_question_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    cells = ["%load_ext valechat", "%%valechat demo/echo\ncount to 2", "%%valechat demo/other\nhi", "never = True"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": tmp_path}})
    with pytest.raises(CellExecutionError, match="The demonstration has one model"):
        client.execute(env={**__import__("os").environ, "VALECHAT_HOME": str(home)})
    answer, footer = notebook.cells[1].outputs
    assert answer.data["text/markdown"] == "1 2"
    assert "demo/echo" in footer.data["text/plain"]
    assert notebook.cells[3].execution_count is None
