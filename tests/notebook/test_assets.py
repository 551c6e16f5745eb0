"""What draws formulas and diagrams is handed to a panel in pieces, and is whole when they are put together."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from valechat.errors import ConfigError
from valechat.notebook import assets
from valechat.notebook.assets import PIECE, AssetDesk, static
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import NeedAsset

CODE = bytes(range(256)) * 3000


class Sent(list[tuple[Mapping[str, Any], Sequence[bytes]]]):
    def __call__(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        self.append((message, buffers))


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    assets._packed.cache_clear()
    return tmp_path


async def ask(desk: AssetDesk, name: Literal["katex", "mermaid"], at: int) -> None:
    await desk.send(NeedAsset(type="need_asset", name=name, at=at))


async def test_the_pieces_together_are_the_file(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "PIECE", 1000)
    (bundle / "katex.js").write_bytes(CODE)
    sent = Sent()
    desk = AssetDesk(Outbox(sent))
    got, left = b"", 1
    while left:
        await ask(desk, "katex", len(got))
        message, (piece,) = sent[-1]
        assert (message["at"], len(piece) <= 1000) == (len(got), True)
        got, left = got + piece, message["left"]
    assert len(sent) > 2
    assert gzip.decompress(got) == CODE


async def test_a_file_that_was_not_built_is_said_to_be_missing(bundle: Path) -> None:
    sent = Sent()
    await ask(AssetDesk(Outbox(sent)), "mermaid", 0)
    ((message, buffers),) = sent
    assert (message["left"], list(buffers)) == (0, [])


async def test_a_place_outside_the_file_gives_nothing(bundle: Path) -> None:
    (bundle / "katex.js").write_bytes(b"x")
    sent = Sent()
    desk = AssetDesk(Outbox(sent))
    await ask(desk, "katex", 10**9)
    await ask(desk, "katex", -5)
    assert [(message["left"], [*map(len, buffers)][:1] > [0]) for message, buffers in sent] == [(0, False), (0, True)]


def test_a_missing_bundle_tells_how_to_get_it(bundle: Path) -> None:
    with pytest.raises(ConfigError, match="not there"):
        static("panel.js")


@pytest.mark.parametrize("name", ["katex", "mermaid"])
def test_the_built_file_takes_few_pieces(name: str) -> None:
    assets._packed.cache_clear()
    assert len(assets._packed(name)) < 8 * PIECE
