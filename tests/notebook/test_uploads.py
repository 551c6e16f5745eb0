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
from valechat.notebook.uploads import PREVIEW, attachments_shown

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
