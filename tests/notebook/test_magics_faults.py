"""What a magic says when a model server fails: one line, what to do, and an honest row."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel, Ran
from tests.providers import faults

WORDS = b'data: {"choices":[{"index":0,"delta":{"content":"Half an"}}]}\n\n'
KEY = "sk-canary-77aa"

FAULTS = {
    "wrong key": (faults.whole(b'{"error": {"message": "Incorrect API key"}}', status=401), "Incorrect API key"),
    "unknown model": (faults.whole(b'{"error": {"message": "No such model"}}', status=404), "No such model"),
    "server that hangs": (faults.hanging(begun=False), "sent nothing complete for 1 s"),
    "cut in the middle": (faults.cut_stream(WORDS), "broke off"),
    "half a JSON line": (faults.stream(WORDS, b'data: {"choices":[{"ind'), "broke off"),
}


def configure(home: Path, url: str) -> None:
    (home / "config.toml").write_text(
        f'[providers.lab]\nbase_url = "{url}/v1"\napi_key = "{KEY}"\nmodels = ["scripted"]\ntimeout = 1\n'
        '[prices."lab/scripted"]\ninput = "1"\noutput = "2"\n'
    )


async def ask(kernel: Kernel) -> Ran:
    return await asyncio.to_thread(kernel.run, "%%valechat lab/scripted\nWhat is the answer?")


async def last_status(kernel: Kernel) -> object:
    code = "valechat.sql('SELECT status FROM usage ORDER BY ts DESC LIMIT 1').fetchall()[0][0]"
    return await asyncio.to_thread(kernel.value, code)


@pytest.fixture(autouse=True)
def imported(kernel: Kernel) -> None:
    kernel.run("import valechat")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_explained_in_a_line_and_its_row_says_failed(
    kernel: Kernel, kernel_home: Path, fault: str
) -> None:
    script, words = FAULTS[fault]
    async with faults.FaultServer(script) as server:
        configure(kernel_home, server.url)
        ran = await ask(kernel)
    shown = ran.text + ran.traceback
    assert words in shown
    assert ran.error
    assert "Traceback" not in ran.traceback
    assert KEY not in shown
    assert await last_status(kernel) == "failed"


async def test_a_server_that_is_down_is_tried_again_and_then_said(kernel: Kernel, kernel_home: Path) -> None:
    async with faults.FaultServer(faults.whole()) as server:
        configure(kernel_home, server.url)
    ran = await ask(kernel)
    assert ran.error == "Unreachable"
    assert "lab" in ran.traceback
    assert await last_status(kernel) == "failed"
