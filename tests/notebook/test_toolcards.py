"""What a panel's cards tell of tool calls, live and stored."""

from __future__ import annotations

import base64
import wave
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import valechat
from tests.chatwire import DONE, event, said
from tests.notebook.panels import PanelUnderTest
from tests.providers.faults import FaultServer, stream, whole
from valechat.engine import engine
from valechat.ledger.base import StoredMessage
from valechat.messages import ImagePart, Message, Part, ToolCallPart, ToolResultPart
from valechat.notebook.shown import PREVIEWS, messages_shown
from valechat.notebook.toolcards import CLIP, DRAWN, size_of, tools_shown, whole_result, without_files
from valechat.plugins.results import ResultStore
from valechat.services import services
from valechat.tablehead import MOST_CHARS, TableColumn, TableHead

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
CALL = ToolCallPart("c1", "files_read", '{"path": "a.txt"}')


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def stored(*messages: Message) -> list[StoredMessage]:
    now = datetime.now(UTC)
    return [StoredMessage(f"m{n}", "c", None, message, now) for n, message in enumerate(messages)]


def turn(result: ToolResultPart | None) -> list[StoredMessage]:
    answered: list[Part] = [] if result is None else [result]
    return stored(Message("assistant", (CALL,)), Message("tool", tuple(answered)))


def kept(**files: bytes) -> str:
    return ResultStore(services().paths.tool_results).keep(
        {name.replace("_", "."): data for name, data in files.items()}
    )


def test_a_card_names_the_plugin_and_the_tools_own_name() -> None:
    (card,) = tools_shown(turn(None), {"files_read": ("files", "read")})
    assert (card["name"], card["plugin"], card["tool"], card["result"]) == ("files_read", "files", "read", None)


def test_a_function_of_the_notebook_has_no_plugin() -> None:
    (card,) = tools_shown(turn(ToolResultPart("c1", "files_read", "x")), {})
    assert "plugin" not in card
    assert card["result"] == "x"


def test_a_long_result_is_cut_and_can_be_had_whole() -> None:
    text = "x" * (CLIP + 1)
    messages = turn(ToolResultPart("c1", "files_read", text))
    (card,) = tools_shown(messages, {})
    assert (card["result"], card["whole"]) == (text[:CLIP], True)
    assert whole_result(messages, "c1") == text


def test_what_models_got_in_part_the_user_gets_whole(home: Path) -> None:
    del home
    messages = turn(ToolResultPart("c1", "files_read", "begin … end", whole=kept(result_txt=b"beginning, middle, end")))
    (card,) = tools_shown(messages, {})
    assert (card["result"], card["whole"]) == ("begin … end", True)
    assert "files" not in card
    assert whole_result(messages, "c1") == "beginning, middle, end"


def test_a_whole_result_that_is_gone_falls_back_to_what_models_got(home: Path) -> None:
    del home
    assert whole_result(turn(ToolResultPart("c1", "files_read", "part", whole="0" * 32)), "c1") == "part"


def test_pictures_and_sounds_are_drawn_and_other_files_named(home: Path, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "beep.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * 100)
    whole = kept(**{"2_wav": (tmp_path / "beep.wav").read_bytes(), "3_bin": b"\0" * 10})
    part = ToolResultPart("c1", "files_read", "", images=(ImagePart(PNG, "image/png", "plot"),), whole=whole)
    (card,) = tools_shown(turn(part), {})
    plot, beep, other = card["files"]
    assert plot["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert beep["url"] is not None
    assert beep["url"].startswith("data:audio/")
    assert (other["name"], other["size"], other["url"]) == ("3.bin", 10, None)
    assert Path(other["path"]).read_bytes() == b"\0" * 10
    assert home in Path(other["path"]).parents
    assert "whole" not in card, "there is no more text than is shown"


@pytest.mark.parametrize(
    "image",
    [ImagePart(b"<svg onload='alert(1)'/>", "image/png"), ImagePart(PNG + b"0" * DRAWN, "image/png")],
    ids=["not what it says it is", "too large"],
)
def test_only_a_small_image_that_is_one_by_its_bytes_is_drawn(image: ImagePart) -> None:
    (card,) = tools_shown(turn(ToolResultPart("c1", "files_read", "", images=(image,))), {})
    assert card["files"][0]["url"] is None


def test_a_state_has_room_for_the_newest_pictures_only() -> None:
    large = ImagePart(PNG + b"0" * (DRAWN - 100), "image/png")
    one = [
        Message.user("?"),
        Message("assistant", (CALL,)),
        Message("tool", (ToolResultPart("c1", "x", "", images=(large,)),)),
    ]
    shown = messages_shown(stored(*one * 8), {})
    urls = [file["url"] for message in shown for tool in message["tools"] for file in tool["files"]]
    assert urls[0] is None
    assert urls[-1] is not None
    assert sum(len(url or "") for url in urls) <= PREVIEWS


def test_a_card_without_its_files_bytes_still_names_them() -> None:
    (card,) = tools_shown(turn(ToolResultPart("c1", "x", "", images=(ImagePart(PNG, "image/png", "plot"),))), {})
    assert without_files(card)["files"] == [{**card["files"][0], "url": None}]


async def test_a_call_tells_how_long_it_took_and_gives_its_result_in_pieces(home: Path) -> None:
    def lines(count: int) -> str:
        """Many lines."""
        return "line\n" * count

    call = {"index": 0, "id": "c1", "function": {"name": "lines", "arguments": '{"count": 50000}'}}
    calling = event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    async with FaultServer(stream(calling, b"data: [DONE]\n\n"), stream(*said("Done."), DONE)) as server:
        (home / "config.toml").write_text(
            f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n'
            '[sizes]\ntool_output = "300 KB"\n'
        )
        panel = PanelUnderTest(valechat.Chat("lab/one", tools=[lines]))
        panel.ask("Go")
        answer = (await panel.until("turn_ended", "refused"))["answer"]
        (card,) = answer["tools"]
        assert card["duration_ms"] >= 0
        assert card["whole"]
        whole = ""
        while True:
            panel.send({"type": "show_tool", "message": answer["id"], "call": "c1", "at": len(whole)})
            piece = await panel.until("tool_piece")
            whole += piece["text"]
            if not piece["left"]:
                break
    assert whole == "line\n" * 50_000


async def test_a_functions_table_is_on_its_card_and_is_still_there_when_the_panel_opens_again(home: Path) -> None:
    def sales(year: int) -> pd.DataFrame:
        """Sales by region."""
        return pd.DataFrame({"year": year, "eur": [1.5, None]}, index=pd.Index(["N", "<b>S</b>"], name="region"))

    call = {"index": 0, "id": "c1", "function": {"name": "sales", "arguments": '{"year": 2026}'}}
    calling = event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    async with FaultServer(stream(calling, b"data: [DONE]\n\n"), stream(*said("Done."), DONE)) as server:
        (home / "config.toml").write_text(
            f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n'
        )
        chat = valechat.Chat("lab/one", tools=[sales])
        panel = PanelUnderTest(chat)
        panel.ask("Go")
        (card,) = (await panel.until("turn_ended", "refused"))["answer"]["tools"]
    live = [tool for got in panel.got for delta in got.get("deltas", []) for tool in delta.get("tools", [])]
    again = PanelUnderTest(chat)
    again.send({"type": "hello"})
    stored_card = (await again.until("state"))["messages"][-1]["tools"][0]
    expected = {
        "kind": "pandas DataFrame",
        "rows": 2,
        "width": 2,
        "columns": [
            column("region", "", "N", "<b>S</b>", label=True),
            column("year", "int64", "2026", "2026", number=True),
            column("eur", "float64", "1.5", "nan", number=True, missing=[1]),
        ],
    }
    assert live[-1]["table"] == card["table"] == stored_card["table"] == expected


def column(name: str, kind: str, *cells: str, **more: object) -> dict[str, object]:
    return {"name": name, "type": kind, "cells": [*cells], "number": False, "label": False, "missing": [], **more}


def test_a_table_from_anybodys_file_is_cut_to_size_before_it_is_sent() -> None:
    head = TableHead("x", 9, 9, (TableColumn("a" * 9000, "t", ("y" * 9000,) * 5000),) * 500)
    (card,) = tools_shown(turn(ToolResultPart("c1", "x", "", table=head)), {})
    assert size_of(card) <= MOST_CHARS + len(card["arguments"])
    assert len(card["table"]["columns"]) < 500


async def test_what_a_tool_did_stays_when_the_turn_fails_after_it(home: Path) -> None:
    def delete(path: str) -> str:
        """Delete a file."""
        return f"{path} is gone"

    call = {"index": 0, "id": "c1", "function": {"name": "delete", "arguments": '{"path": "a"}'}}
    calling = event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]})
    refused = whole(b'{"error": {"message": "No more."}}', status=400)
    async with FaultServer(stream(calling, b"data: [DONE]\n\n"), refused) as server:
        (home / "config.toml").write_text(
            f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n'
        )
        panel = PanelUnderTest(valechat.Chat("lab/one", tools=[delete]))
        panel.ask("Go")
        answer = (await panel.until("turn_ended", "refused"))["answer"]
    assert answer["tools"][0]["result"] == "a is gone"
    assert "No more." in answer["error"]["message"]
