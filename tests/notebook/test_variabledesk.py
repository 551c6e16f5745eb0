"""Variables and files in a panel's composer: listed, shown as they would be sent, and sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import pytest_asyncio

from tests.notebook.panels import PanelUnderTest
from valechat.chat import Chat
from valechat.engine import engine
from valechat.messages import FilePart
from valechat.variables import workspace as at


class Notebook:
    """A kernel that has variables and nothing else."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def names(self) -> dict[str, Any]:
        return self._names

    def cells(self) -> list[at.Cell]:
        return []

    async def run(self, code: str) -> at.Ran:
        raise AssertionError(code)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The user's variables."""
    found: dict[str, Any] = {"df": pd.DataFrame({"city": ["Oslo"], "password": ["hunter2"]}), "n": 5, "os": os}
    monkeypatch.setattr(at, "_make", lambda: Notebook(found))
    return found


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    """The notebook's folder."""
    place = tmp_path / "notebook"
    place.mkdir()
    (place / "data.csv").write_text("a,b\n1,2\n")
    (place / ".hidden").write_text("x")
    before = Path.cwd()
    os.chdir(place)
    yield place
    os.chdir(before)


@pytest_asyncio.fixture
async def panel(names: dict[str, Any]) -> PanelUnderTest:
    del names
    made = PanelUnderTest(Chat("demo/echo"))
    made.send({"type": "hello"})
    await made.until("state")
    return made


async def read(panel: PanelUnderTest, path: str, *, known: bool = False, reveal: bool = False) -> list[dict[str, Any]]:
    asked = [{"path": path, "known": known, "reveal": reveal}]
    panel.send({"type": "read_variables", "number": 7, "asked": asked})
    found: list[dict[str, Any]] = (await panel.until("variables_read"))["found"]
    return found


async def sent(panel: PanelUnderTest, text: str, *paths: str, known: bool = True) -> dict[str, Any]:
    variables = [{"path": path, "known": known, "reveal": False} for path in paths]
    panel.send({"type": "send", "turn": "t", "text": text, "model": "demo/echo", "variables": variables})
    return await panel.until("turn_ended", "refused")


async def test_variables_and_files_are_listed(panel: PanelUnderTest) -> None:
    panel.send({"type": "list_variables", "number": 1})
    found = await panel.until("variables")
    assert [(one["name"], one["size"]) for one in found["variables"]] == [("df", "1 × 2"), ("n", "")]
    assert found["files"] == [{"name": "data.csv", "size": 8}]


async def test_the_preview_is_the_very_text_that_is_sent(panel: PanelUnderTest) -> None:
    (shown,) = await read(panel, "df")
    assert (shown["kind"], shown["size"], shown["hidden"]) == ("DataFrame", "1 × 2", ["column `password`"])
    await sent(panel, "look at @df", "df")
    stored = await engine().wait(Chat("demo/echo", conversation=conversation(panel)).stored())
    (part,) = [part for part in stored[0].message.parts if isinstance(part, FilePart)]
    assert (part.name, part.data.decode()) == ("@df", shown["text"])
    assert "hunter2" not in shown["text"]


def conversation(panel: PanelUnderTest) -> str:
    found: str = next(one["conversation_id"] for one in panel.got if one["type"] == "state")
    return found


async def test_the_user_may_have_nothing_hidden(panel: PanelUnderTest) -> None:
    (shown,) = await read(panel, "df", reveal=True)
    assert "hunter2" in shown["text"]
    assert shown["hidden"] == []


async def test_a_word_that_is_no_variable_is_left_alone(panel: PanelUnderTest) -> None:
    assert await read(panel, "nobody") == []
    assert await read(panel, "os") == []
    assert (await sent(panel, "ask @nobody", "nobody", known=False))["type"] == "turn_ended"


async def test_an_attribute_that_is_not_there_is_a_problem_before_sending(panel: PanelUnderTest) -> None:
    (shown,) = await read(panel, "df.town")
    assert "cannot be read" in shown["problem"]


async def test_the_value_at_the_time_of_sending_counts(panel: PanelUnderTest, names: dict[str, Any]) -> None:
    await read(panel, "n")
    names["n"] = 6
    ended = await sent(panel, "what is @n?", "n")
    assert ended["type"] == "turn_ended"
    started = next(one for one in panel.got if one["type"] == "turn_started")
    assert [(one["name"], one["size"]) for one in started["question"]["attachments"]] == [("@n", 1)]
    stored = await engine().wait(Chat("demo/echo", conversation=conversation(panel)).stored())
    assert [part.data for part in stored[0].message.parts if isinstance(part, FilePart)] == [b"6"]


async def test_a_variable_that_is_gone_refuses_the_question_and_gives_its_text_back(
    panel: PanelUnderTest, names: dict[str, Any]
) -> None:
    del names["df"]
    refused = await sent(panel, "look at @df", "df")
    assert refused["text"] == "look at @df"
    assert "`df` is not defined in the kernel any more" in refused["error"]["message"]
    assert "attachments" not in refused


async def test_a_value_whose_code_fails_is_named_with_its_fault(panel: PanelUnderTest, names: dict[str, Any]) -> None:
    class Fragile:
        def __str__(self) -> str:
            raise OSError("no connection")

    names["fragile"] = Fragile()
    (shown,) = await read(panel, "fragile")
    assert "OSError: no connection" in shown["problem"]


async def test_a_file_of_the_folder_is_attached_by_its_name(panel: PanelUnderTest) -> None:
    panel.send({"type": "attach_file", "number": 3, "name": "data.csv"})
    fetched = await panel.until("fetched")
    assert [(one["name"], one["size"]) for one in fetched["attachments"]] == [("data.csv", 8)]


@pytest.mark.parametrize("name", ["../config.toml", "/etc/passwd", "..", "missing.csv"])
async def test_no_other_file_is_attached(panel: PanelUnderTest, name: str) -> None:
    panel.send({"type": "attach_file", "number": 3, "name": name})
    fetched = await panel.until("fetched")
    assert fetched["attachments"] == []
    assert fetched["error"]["kind"] == "ConfigError"


async def test_a_variable_can_be_read_while_a_cell_changes_the_namespace(
    panel: PanelUnderTest, names: dict[str, Any]
) -> None:
    class Changing(dict[str, Any]):
        tries = 0

        def items(self) -> Any:
            Changing.tries += 1
            if Changing.tries == 1:
                raise RuntimeError("dictionary changed size during iteration")
            return super().items()

    changing = Changing(names)
    names.clear()
    at.use_workspace(lambda: Notebook(changing))
    panel.send({"type": "list_variables", "number": 1})
    found = await panel.until("variables")
    assert [one["name"] for one in found["variables"]] == ["df", "n"]
    assert Changing.tries == 2
