"""A conversation that goes on with a model of another provider, over another wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import valechat
from tests.chatwire import DONE, said, thought
from tests.notebook.panels import PanelUnderTest
from tests.providers.faults import FaultServer, stream
from tests.providers.test_anthropic_reader import BEGIN, THINKING, end, text
from valechat.engine import engine

BMP = b"BM" + b"\0" * 60
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
LEFT_OUT = "An image was left out: anthropic takes no images of type image/bmp."


@pytest.fixture(autouse=True)
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def configure(home: Path, lab: FaultServer, claude: FaultServer) -> None:
    (home / "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{lab.url}/v1"\nmodels = ["one"]\n'
        f'[providers.anthropic]\nbase_url = "{claude.url}"\napi_key = "sk-test"\nmodels = ["claude-sonnet-4-5"]\n',
        encoding="utf-8",
    )


async def test_images_and_reasoning_of_one_provider_go_to_another_as_it_can_take_them(home: Path) -> None:
    (home / "plot.bmp").write_bytes(BMP)
    lab = FaultServer(stream(*thought("Hm, ", "a plot."), *said("A plot."), DONE))
    claude = FaultServer(stream(BEGIN, *THINKING, *text(1, "It rises."), *end()))
    async with lab, claude:
        configure(home, lab, claude)
        chat = valechat.Chat("lab/one")
        first = await chat.ask("What is this?", images=[home / "plot.bmp", PNG])
        second = await chat.ask("And how does it go?", model="anthropic/claude-sonnet-4-5")
        third = await chat.ask("Really?")
        asked, again = claude.requests[0].json["messages"], lab.requests[1].json["messages"]
    assert (first.notes, second.notes, third.notes) == ((), (LEFT_OUT,), ())
    assert [block["type"] for block in asked[0]["content"]] == ["text", "text", "image"]
    assert asked[0]["content"][1]["text"] == "[An image was left out here.]"
    assert asked[1]["content"] == [{"type": "text", "text": "A plot."}]
    assert [block["type"] for block in again[0]["content"]] == ["text", "image_url", "image_url"]
    assert again[3] == {"role": "assistant", "content": "It rises."}
    assert "First this" not in str(again)
    assert second.messages[0].thinking == "First this – 日本."


async def test_the_panel_says_what_the_other_model_did_not_get(home: Path) -> None:
    lab = FaultServer(stream(*thought("Hm."), *said("A plot."), DONE))
    claude = FaultServer(stream(BEGIN, *text(0, "It rises."), *end()))
    async with lab, claude:
        configure(home, lab, claude)
        panel = PanelUnderTest(valechat.Chat("lab/one"))
        panel.ask("What is this?", {"name": "plot.bmp"}, buffers=[BMP])
        first = await panel.until("turn_ended", "refused")
        panel.ask("And how does it go?", model="anthropic/claude-sonnet-4-5")
        second = await panel.until("turn_ended", "refused")
    assert first["answer"]["notes"] == []
    assert first["answer"]["thinking"] == "Hm."
    assert second["answer"]["notes"] == [LEFT_OUT]
    assert second["answer"]["model"] == "anthropic/claude-sonnet-4-5"
