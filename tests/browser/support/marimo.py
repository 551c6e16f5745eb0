"""A real marimo server of the tests' own, from an environment beside the locked one."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import indent

import psutil

from tests.browser.support.front_end import missing
from tests.browser.support.server import START_SECONDS, _environment, _stop

FOLDER = Path(__file__).parents[3] / ".cache" / "marimo"

_SETTINGS = "[runtime]\nauto_instantiate = true\n"
"""Cells run when a notebook is opened; a notebook may not ask for that itself."""


def notebook(*cells: str) -> str:
    """A marimo notebook of these cells."""
    return "import marimo\n\napp = marimo.App()\n\n\n" + "".join(
        f"@app.cell\ndef _():\n{indent(cell, '    ')}\n    return\n\n\n" for cell in cells
    )


@asynccontextmanager
async def serve(path: Path) -> AsyncIterator[str]:
    """The address where a notebook is edited; its server ends with this."""
    if not (FOLDER / "marimo").is_dir():
        missing("marimo is not installed: `make .cache/marimo/.ready`")
    places = {name: path.parent / name for name in ("home", "config", "data", "runtime", "ipython", "valechat")}
    for place in places.values():
        place.mkdir()
    settings = places["home"] / ".config" / "marimo" / "marimo.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(_SETTINGS)
    token, log = secrets.token_hex(16), path.parent / "server.log"
    options = ["--headless", "--skip-update-check", "--no-sandbox", "--host=127.0.0.1", "--port=0"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "marimo", "edit", *options, f"--token-password={token}", str(path)),
            cwd=path.parent,
            env={**_environment(places, path.parent), "PYTHONPATH": str(FOLDER)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        yield f"http://127.0.0.1:{await _port(process, log)}/?access_token={token}"
    finally:
        await _stop(process)


async def _port(process: asyncio.subprocess.Process, log: Path) -> int:
    """Where the server listens; it says so in no file."""
    async with asyncio.timeout(START_SECONDS):
        while process.returncode is None:
            for connection in psutil.Process(process.pid).net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    return int(connection.laddr.port)
            await asyncio.sleep(0.05)  # another process: nothing to wait on but time
    message = f"the server ended with status {process.returncode}:\n{log.read_text()}"
    raise RuntimeError(message)
