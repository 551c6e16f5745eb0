"""What is attached in a panel reaches the model and the ledger, and comes back where nothing was answered."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

import valechat
from tests.chatwire import DONE, said
from tests.notebook.panels import PanelUnderTest
from tests.providers.faults import FaultServer, stream, whole
from valechat.engine import engine
from valechat.messages import FilePart, ImagePart, Message
from valechat.notebook.uploads import PREVIEW, Kept, attachments_shown

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, server: FaultServer, more: str = "") -> None:
    (home / "config.toml").write_text(
        f'{more}[providers.lab]\nkind = "openai-compatible"\nbase_url = "{server.url}/v1"\nmodels = ["one"]\n',
        encoding="utf-8",
    )


async def test_attachments_are_sent_shown_and_shown_again_after_a_resync(home: Path) -> None:
    async with FaultServer(stream(*said("A plot."), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What?", {"name": "plot.png"}, {"name": "notes.md"}, buffers=[PNG, b"# Notes"])
        started = await panel.until("turn_started")
        await panel.until("turn_ended")
        panel.send({"type": "hello"})
        state = await panel.until("state")
        sent = server.requests[0].json["messages"][0]["content"]
    shown = started["question"]["attachments"]
    assert [(one["name"], one["media_type"], one["size"]) for one in shown] == [
        ("plot.png", "image/png", 28),
        ("notes.md", "text/markdown", 7),
    ]
    assert shown[0]["preview"] == "data:image/png;base64," + base64.b64encode(PNG).decode()
    assert shown[1]["preview"] is None
    assert state["messages"][0]["attachments"] == shown
    assert (state["upload_limit"], state["upload_total"]) == (10_000_000, 10_000_000)
    assert [part["type"] for part in sent] == ["text", "image_url", "text"]


async def test_a_question_may_be_an_image_alone(home: Path) -> None:
    async with FaultServer(stream(*said("A plot."), DONE)) as server:
        configure(home, server)
        chat = valechat.Chat("lab/one")
        panel = PanelUnderTest(chat)
        panel.ask("", {"name": "plot.png"}, buffers=[PNG])
        ended = await panel.until("turn_ended", "refused")
    assert ended["answer"]["text"] == "A plot."
    assert valechat.sql("select title from conversations").fetchall() == [("plot.png",)]


async def test_one_over_the_limit_is_named_and_the_others_can_go_by_their_ids(home: Path) -> None:
    async with FaultServer(stream(*said("A plot."), DONE)) as server:
        configure(home, server, '[sizes]\nupload = "1 KB"\n')
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What?", {"name": "big.bin"}, {"name": "plot.png"}, buffers=[b"x" * 1001, PNG])
        refused = await panel.until("refused", "turn_started")
        big, plot = refused["attachments"]
        assert refused["error"]["kind"] == "TooLarge"
        assert "big.bin is 1,001 bytes" in big["problem"]
        assert "problem" not in plot
        panel.ask("What?", {"name": "plot.png", "id": plot["id"]})
        ended = await panel.until("turn_ended", "refused")
        sent = server.requests[0].json["messages"][0]["content"]
    assert ended["answer"]["text"] == "A plot."
    assert base64.b64encode(PNG).decode() in sent[1]["image_url"]["url"]


async def test_a_refused_question_gives_its_attachments_back_by_id(home: Path) -> None:
    busy = whole(b'{"error": {"message": "No such key"}}', status=401)
    async with FaultServer(busy, stream(*said("A plot."), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What?", {"name": "plot.png"}, buffers=[PNG])
        refused = await panel.until("refused")
        (plot,) = refused["attachments"]
        panel.ask(refused["text"], {"name": "plot.png", "id": plot["id"]})
        ended = await panel.until("turn_ended", "refused")
    assert ended["answer"]["text"] == "A plot."


async def test_a_question_asked_again_finds_its_attachments_in_the_ledger(home: Path) -> None:
    async with FaultServer(stream(*said("A plot."), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What?", {"name": "plot.png"}, buffers=[PNG])
        (plot,) = (await panel.until("turn_started"))["question"]["attachments"]
        await panel.until("turn_ended")
        panel.ask("What?", {"name": "plot.png", "id": plot["id"]})
        await panel.until("turn_ended")
        sent = server.requests[1].json["messages"][2]["content"]
    assert [part["type"] for part in sent] == ["text", "image_url"]


async def test_bytes_that_did_not_arrive_and_ids_nobody_knows_are_said(home: Path) -> None:
    async with FaultServer(stream(*said("No."), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What?", {"name": "a"}, {"name": "b", "id": "nothing/1"})
        refused = await panel.until("refused", "turn_started")
        assert [one["problem"] for one in refused["attachments"]] == [
            "The bytes of a did not arrive.",
            "The attachment is not in the kernel any more.",
        ]
        assert server.requests == []


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(b"<svg onload='alert(1)'/>", "image/png"),
        ImagePart(b"\x89PNG\r\n\x1a\n" + b"0" * PREVIEW, "image/png"),
        FilePart(PNG, "image/png", "plot.png"),
    ],
    ids=["not what it says it is", "too large", "a file"],
)
def test_only_a_small_image_that_is_one_by_its_bytes_is_previewed(part: ImagePart | FilePart) -> None:
    assert attachments_shown("m", Message.user("?", part))[0]["preview"] is None


async def test_what_is_attached_is_kept_before_it_is_sent_and_found_again_by_any_panel(home: Path) -> None:
    async with FaultServer(stream(*said("A plot."), DONE)) as server:
        configure(home, server)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.send({"type": "keep_attached", "number": 1, "attachments": [{"name": "plot.png"}]}, [PNG])
        (kept,) = (await panel.until("fetched"))["attachments"]
        panel.send({"type": "new_conversation"})
        await panel.until("state")
        other = PanelUnderTest(valechat.Chat("lab/one"))
        asked = [{"name": "plot.png", "id": kept["id"]}, {"name": "b", "id": "nothing/1"}, {"name": "c"}]
        other.send({"type": "keep_attached", "number": 2, "attachments": asked})
        found = (await other.until("fetched"))["attachments"]
        other.ask("What?", {"name": "plot.png", "id": kept["id"]})
        ended = await other.until("turn_ended", "refused")
        sent = server.requests[0].json["messages"][0]["content"]
    assert (kept["name"], kept["size"], kept["media_type"]) == ("plot.png", 28, "image/png")
    assert found[0] == kept
    assert [one.get("problem") for one in found[1:]] == [
        "The attachment is not in the kernel any more.",
        "The bytes of c did not arrive.",
    ]
    assert ended["answer"]["text"] == "A plot."
    assert [part["type"] for part in sent] == ["text", "image_url"]


async def test_what_is_too_large_to_keep_is_said_before_it_is_sent(home: Path) -> None:
    (home / "config.toml").write_text('[sizes]\nupload = "1 KB"\n', encoding="utf-8")
    panel = PanelUnderTest(valechat.Chat("demo/echo"))
    panel.send({"type": "keep_attached", "number": 1, "attachments": [{"name": "big.bin"}]}, [b"x" * 1001])
    (big,) = (await panel.until("fetched"))["attachments"]
    assert "big.bin is 1,001 bytes" in big["problem"]


async def test_settings_that_cannot_be_read_are_the_answer_to_what_was_to_be_kept(home: Path) -> None:
    (home / "config.toml").write_text("[sizes\n", encoding="utf-8")
    panel = PanelUnderTest(valechat.Chat("demo/echo"))
    panel.send({"type": "keep_attached", "number": 1, "attachments": [{"name": "a"}]}, [b"x"])
    answer = await panel.until("fetched")
    assert (answer["attachments"], answer["error"]["kind"]) == ([], "ConfigError")


def test_what_was_sent_makes_room_first_then_the_oldest_and_the_last_one_always_stays() -> None:
    kept = Kept(most=10)
    for name in ("a", "b", "c"):
        kept.add(name, FilePart(b"xxx", "text/plain", name))
    kept.sent("b")
    kept.add("d", FilePart(b"xxx", "text/plain", "d"))
    assert [name for name in "abcd" if kept.get(name)] == ["a", "c", "d"]
    kept.add("e", FilePart(b"x" * 11, "text/plain", "e"))
    assert [name for name in "abcde" if kept.get(name)] == ["e"]
