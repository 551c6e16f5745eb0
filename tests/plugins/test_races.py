"""Whatever is done to a plugin at once, it ends as the last wish wants, and every state is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from itertools import pairwise

import pytest

from tests.plugins.managing import Managed, managed
from tests.plugins.support import eventually, marked
from valechat.errors import PluginError, ToolFailed

pytestmark = pytest.mark.slow

FOLLOWS = {
    "stopped": {"starting"},
    "starting": {"initialising", "stopping", "error"},
    "initialising": {"running", "stopping", "error"},
    "running": {"stopping", "error"},
    "stopping": {"stopped"},
    "error": {"starting", "stopping", "stopped"},
}


async def upset(plugins: Managed, dice: random.Random) -> None:
    """Do one thing to the plugin, without waiting for others."""
    await asyncio.sleep(dice.random() * 2)
    manager = plugins.manager
    match dice.choice(["enable", "disable", "restart", "kill", "call", "hang", "change", "reload"]):
        case "enable":
            assert (await manager.enable("u")).state in ("running", "stopped", "error")
        case "disable":
            await manager.disable("u")
        case "restart":
            await manager.restart("u")
        case "kill":
            pid = manager.status("u").pid
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        case "call":
            with contextlib.suppress(PluginError, ToolFailed):
                assert (await manager.call_tool("u", "echo", {"text": "x"}, timeout=5)).text == "x"
        case "hang":
            with contextlib.suppress(PluginError, ToolFailed):
                await manager.call_tool("u", "never", timeout=0.5)
        case "change":
            await manager.change("u", args=plugins.definition("u", "--tools", str(dice.randrange(3)))["args"])
        case "reload":
            await manager.reload()


@pytest.mark.parametrize("seed", range(4))
async def test_it_ends_as_the_last_wish_wants(seed: int) -> None:
    dice = random.Random(seed)
    async with managed(times=20) as plugins:
        await plugins.add("u")
        await asyncio.gather(*(upset(plugins, random.Random(dice.random())) for _ in range(80)))
        if seed % 2:
            await plugins.manager.enable("u")
            await plugins.until_state("u", "running")
            assert (await plugins.manager.call_tool("u", "echo", {"text": "well"})).text == "well"
        else:
            await plugins.manager.disable("u")
            await eventually(lambda: not marked(plugins.marker), within=2)
        states = plugins.states("u")
        assert states[-1] == plugins.manager.status("u").state == ("running" if seed % 2 else "stopped")
        for before, after in pairwise(states):
            assert after in FOLLOWS[before], states
        await plugins.manager.shutdown()
        assert all(run.ended_at is not None for run in {run.id: run for run in plugins.runs}.values())
