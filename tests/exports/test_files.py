"""Conversations as Markdown and as notebooks."""

from __future__ import annotations

import json

import nbformat
import pytest

from tests.exports.conversations import fill, stored
from valechat.errors import ConfigError
from valechat.exports import FORMATS, as_markdown, as_notebook, file_name
from valechat.ledger.base import Conversation, Ledger
from valechat.messages import TextPart


def test_markdown_holds_what_was_said_and_nothing_that_acts(ledger: Ledger) -> None:
    text = as_markdown(ledger, [fill(ledger)])
    assert text.startswith(
        "# Plot &lt;b>this&lt;/b>\n\n*2026-11-22 12:00 · lab/one*\n\n**You**:\n\nRead a.csv\n\n*Attached:"
    )
    assert "**lab/one** (cancelled):\n\nSure: &lt;img" in text
    assert "and [x](https://tracker.example/a.png)" in text
    assert "*Attached: `notes.txt` (1 bytes)*" in text
    assert "Hm." not in text
    assert "a,b" not in text


def test_a_fence_left_open_swallows_no_later_message(ledger: Ledger) -> None:
    messages = [
        stored("m1", None, "assistant", TextPart("```python\nprint(1)"), model="lab/one"),
        stored("m2", "m1", "user", TextPart("Go on <b>")),
    ]
    ledger.add_conversation(Conversation("c1", "Cut", messages[0].ts, messages[0].ts, "lab/one"), messages)
    assert "```python\nprint(1)\n```\n\n**You**:\n\nGo on &lt;b>" in as_markdown(ledger, ["c1"])
    cells = json.loads(as_notebook(ledger, ["c1"]))["cells"]
    assert [cell["source"] for cell in cells[1:]] == ["**lab/one**:", "print(1)", "**You**:\n\nGo on &lt;b>"]


def test_a_notebook_is_valid_and_has_an_answers_python_as_code_cells(ledger: Ledger) -> None:
    notebook = nbformat.reads(as_notebook(ledger, [fill(ledger)]), as_version=4)
    nbformat.validate(notebook)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", "markdown", "markdown", "markdown", "code", "markdown", "markdown"]
    assert notebook.cells[4].source == 'import pandas as pd\ndf = pd.read_csv("a.csv")'
    assert notebook.cells[4].outputs == []
    assert "```sql\nselect 1\n```" in notebook.cells[5].source
    assert "  nested()" in notebook.cells[5].source
    assert "<img" not in notebook.cells[3].source


def test_only_the_branch_that_is_shown_is_in_files_for_people_and_all_are_in_json(ledger: Ledger) -> None:
    fill(ledger)
    ledger.add_messages([stored("m6", "m1", "assistant", TextPart("Another answer"), model="lab/two")])
    ledger.change_conversation("c1", leaf="m4")
    assert "Another answer" not in as_markdown(ledger, ["c1"])
    assert "Sure" in as_markdown(ledger, ["c1"])
    ledger.change_conversation("c1", leaf="m6")
    assert "Another answer" in as_notebook(ledger, ["c1"])
    assert "Sure" not in as_notebook(ledger, ["c1"])
    assert len(json.loads(FORMATS["json"].write(ledger, ["c1"]))["conversations"][0]["messages"]) == 6


def test_a_notebook_can_keep_code_in_the_text(ledger: Ledger) -> None:
    cells = json.loads(as_notebook(ledger, [fill(ledger)], code_cells=False))["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown"}
    assert "import pandas" in cells[3]["source"]


def test_a_questions_image_is_inside_the_notebook(ledger: Ledger) -> None:
    cells = json.loads(as_notebook(ledger, [fill(ledger)]))["cells"]
    assert list(cells[1]["attachments"]["image-1"]) == ["image/png"]
    assert cells[1]["source"].endswith("![image-1](attachment:image-1)")


def test_lines_that_only_python_would_split_do_not_shift_the_code(ledger: Ledger) -> None:
    said = stored(
        "m1", None, "assistant", TextPart("a\u2028b\x0cc\r\n\r\n```py\r\nx = 1\r\n```\r\nend"), model="lab/one"
    )
    ledger.add_conversation(Conversation("c1", "Lines", said.ts, said.ts, "lab/one"), [said])
    cells = json.loads(as_notebook(ledger, ["c1"]))["cells"]
    assert [cell["source"] for cell in cells[2:]] == ["x = 1", "end"]


def test_a_conversation_that_is_not_there_is_named(ledger: Ledger) -> None:
    for form in FORMATS.values():
        with pytest.raises(ConfigError, match="no conversation nope"):
            form.write(ledger, ["nope"])


def test_a_file_is_named_after_the_title_without_what_file_systems_refuse() -> None:
    assert file_name("../What: is <it>?", ".md") == "what-is-it.md"
    assert file_name("…", ".json") == "conversation.json"
