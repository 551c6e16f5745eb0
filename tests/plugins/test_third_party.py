"""A plugin over another package's transport is managed as any; one whose transport clings is left to itself."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import Stopwatch
from tests.plugins.managing import managed
from valechat.plugins import owner

SOURCE = """
import asyncio
from contextlib import asynccontextmanager

import anyio
from mcp.shared.memory import create_client_server_memory_streams

from tests.plugins.capable import server

released = asyncio.Event()


@asynccontextmanager
async def inside(definition, context):
    low = server._lowlevel_server
    async with create_client_server_memory_streams() as (client, other), anyio.create_task_group() as tasks:
        tasks.start_soon(low.run, *other, low.create_initialization_options())
        yield client
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def clinging(definition, context):
    try:
        async with inside(definition, context) as client:
            yield client
    finally:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                pass
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with two transports."""
    (tmp_path / "in_process_post.py").write_text(SOURCE)
    metadata = tmp_path / "in_process_post-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: in-process-post\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[valechat.transports]\ninside = in_process_post:inside\nclinging = in_process_post:clinging\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "in_process_post", raising=False)


def entry(transport: str) -> dict[str, Any]:
    return {"id": "c", "url": "https://example.com/not-asked", "transport": transport, "protocol": "legacy"}


async def test_another_packages_transport_is_used_as_any(package: None) -> None:
    async with managed() as plugins:
        info = await plugins.manager.add(entry("inside"))
        assert (info.state, info.server, info.transport) == ("running", "capable 7", "inside")
        assert (await plugins.manager.call_tool("c", "add", {"a": 1, "b": 2})).structured == {"result": 3}
        assert (await plugins.manager.restart("c")).state == "running"
        assert (await plugins.manager.disable("c")).state == "stopped"


async def test_a_transport_that_does_not_let_go_keeps_nobody_waiting(
    package: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(owner, "CUT_SECONDS", 0.2)
    async with managed() as plugins:
        await plugins.manager.add(entry("clinging"))
        watch = Stopwatch()
        assert (await plugins.manager.disable("c")).state == "stopped"
        assert watch.seconds < 2
        assert any("could not be stopped within" in line.text for line in plugins.manager.logs("c"))
        sys.modules["in_process_post"].released.set()
        await asyncio.wait([task for task in asyncio.all_tasks() if task.cancelling()], timeout=30)


async def test_a_transport_that_there_is_none_of_is_named() -> None:
    async with managed() as plugins:
        info = await plugins.manager.add(entry("carrier-pigeon"))
        assert info.problem is not None
        assert "There is no transport named carrier-pigeon" in info.problem.message
        assert info.problem.retry_at is None
