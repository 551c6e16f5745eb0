"""Which transport a definition gets, and what is said when it can get none."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.plugins.transports.servers import Log, unruly
from valechat.errors import ConfigError
from valechat.plugins.transports import open_transport, transport_names
from valechat.plugins.transports.base import Context, Link

PAIR_SOURCE = """
from contextlib import asynccontextmanager
@asynccontextmanager
async def pair(definition, context):
    yield "read", "write"
@asynccontextmanager
async def nothing(definition, context):
    yield None
not_callable = 3
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that brings transports, a broken one among them."""
    (tmp_path / "pigeons.py").write_text(PAIR_SOURCE)
    (tmp_path / "broken_pigeons.py").write_text("raise RuntimeError('no wings')")
    metadata = tmp_path / "pigeon_post-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[valechat.transports]\npigeon = pigeons:pair\nlost = pigeons:nothing\nstuffed = pigeons:not_callable\n"
        "ill = broken_pigeons:pair\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pigeons", raising=False)


def named(transport: str) -> Any:
    return SimpleNamespace(id="letters", transport=transport)


async def test_a_local_server_is_started() -> None:
    async with open_transport(unruly(), Log().context) as link:
        assert link.pid


async def test_a_third_partys_pair_of_streams_becomes_a_link(package: None) -> None:
    async with open_transport(named("pigeon"), Log().context) as link:
        assert link == Link(read="read", write="write")


async def test_a_third_partys_link_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link(read=1, write=2, pid=3)

    @asynccontextmanager
    async def own(definition: Any, context: Context) -> AsyncIterator[Link]:
        yield link

    monkeypatch.setattr("valechat.plugins.transports._transport", lambda name: own)
    async with open_transport(named("own"), Log().context) as opened:
        assert opened is link


async def refused(transport: str) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        async with open_transport(named(transport), Log().context):
            pass
    return raised.value


async def test_an_unknown_transport_is_told_with_those_there_are(package: None) -> None:
    error = await refused("carrier")
    assert error.message == "There is no transport named carrier."
    assert "stdio, http, sse, websocket, ill, lost, pigeon, stuffed" in error.fix


async def test_a_package_that_does_not_load_is_named(package: None) -> None:
    error = await refused("ill")
    assert "the transport ill could not be loaded from the package pigeon-post: RuntimeError: no wings" in (
        error.message[0].lower() + error.message[1:]
    )
    assert "Reinstall or update pigeon-post" in error.fix


async def test_an_entry_point_that_is_no_function_is_told(package: None) -> None:
    assert "is no function" in (await refused("stuffed")).message


async def test_a_transport_that_gives_no_streams_is_told(package: None) -> None:
    assert "gave neither a link nor a pair of streams" in (await refused("lost")).message


def test_the_transports_there_are_include_installed_ones(package: None) -> None:
    assert transport_names()[:4] == ["stdio", "http", "sse", "websocket"]
    assert "pigeon" in transport_names()
