"""A real Jupyter server of the tests' own: its folders, port and token are nobody else's."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import Request, urlopen

import psutil

FrontEnd = Literal["lab", "notebook7"]

START_SECONDS = 60.0
STOP_SECONDS = 5.0
DEMO_SPEED = 240
"""Tokens a second of the demonstration model: four times what it is for people, and still watched as it grows."""

_SETTINGS: dict[FrontEnd, Sequence[str]] = {
    "lab": (
        "jupyterlab",
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ),
    "notebook7": ("notebook", "--JupyterNotebookApp.expose_app_in_browser=True"),
}


CERTIFICATES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_DIR", "SSL_CERT_FILE")
"""Behind a company's proxy nothing is installed without these."""


@dataclass(frozen=True, slots=True)
class JupyterServer:
    """A running server.

    Attributes:
        front_end: What its pages are.
        url: Ends in a slash.
        root: The folder that it shows; notebooks are written here.
        home: What `VALECHAT_HOME` is in its kernels.
        settings: Where the front end keeps what its user changed, the theme for example.
        log: What it printed.
    """

    front_end: FrontEnd
    url: str
    token: str
    root: Path
    home: Path
    settings: Path
    log: Path

    def notebook_url(self, name: str) -> str:
        """Where a notebook in `root` opens; each in a workspace of its own, so no other tab is restored."""
        path = f"lab/workspaces/{Path(name).stem}/tree/{name}" if self.front_end == "lab" else f"notebooks/{name}"
        return f"{self.url}{path}?token={self.token}"

    def call(self, method: str, path: str) -> object:
        """The server's own REST API; blocks."""
        request = Request(f"{self.url}api/{path}", method=method, headers={"Authorization": f"token {self.token}"})
        with urlopen(request, timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None


@asynccontextmanager
async def serve(front_end: FrontEnd, folder: Path, kernelspecs: Path) -> AsyncIterator[JupyterServer]:
    """Start a server in `folder`, and leave no process of it behind."""
    places = {name: folder / name for name in ("home", "root", "config", "data", "runtime", "ipython", "valechat")}
    for place in places.values():
        place.mkdir(parents=True)
    _leave_out_extensions(places["config"])
    log = folder / "server.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_command(front_end, places["root"], token := secrets.token_hex(16)),
            cwd=folder,
            env=_environment(places, kernelspecs),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        url = await _address(process, places["runtime"] / f"jpserver-{process.pid}.json", log)
        settings = places["config"] / "lab" / "user-settings"
        yield JupyterServer(front_end, url, token, places["root"], places["valechat"], settings, log)
    finally:
        await _stop(process)


def _command(front_end: FrontEnd, root: Path, token: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        *_SETTINGS[front_end],
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
        "--ServerApp.terminals_enabled=False",
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={token}",
    ]


# Left out of every page, so that what a test sees and the console's errors are ours or the front end's.
_LEFT_OUT = {
    "@jupyterlab/apputils-extension:announcements": True,  # asks about news, over the notebook's corner
    "jupysql-plugin": True,  # writes errors into the console of every notebook
}


def _leave_out_extensions(config: Path) -> None:
    settings = config / "labconfig" / "page_config.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"disabledExtensions": _LEFT_OUT}))


def _environment(places: dict[str, Path], kernelspecs: Path) -> dict[str, str]:
    """A person's environment with no keys and no settings; the kernels inherit it."""
    kept = {
        name: os.environ[name]
        for name in ("LANG", "LC_ALL", "TZ", "TMPDIR", "SYSTEMROOT", *CERTIFICATES)
        if name in os.environ
    }
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(places["home"]),
        "JUPYTER_CONFIG_DIR": str(places["config"]),
        "JUPYTER_DATA_DIR": str(places["data"]),
        "JUPYTER_RUNTIME_DIR": str(places["runtime"]),
        "JUPYTER_PATH": str(kernelspecs),
        "IPYTHONDIR": str(places["ipython"]),
        "VALECHAT_HOME": str(places["valechat"]),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "VALECHAT_DEMO_SPEED": str(DEMO_SPEED),
    }


async def _address(process: asyncio.subprocess.Process, info: Path, log: Path) -> str:
    """The server writes its address into `info` once it listens."""
    async with asyncio.timeout(START_SECONDS):
        while True:
            if process.returncode is not None:
                message = f"the server ended with status {process.returncode}:\n{log.read_text()}"
                raise RuntimeError(message)
            try:
                return str(json.loads(info.read_text())["url"])
            except (FileNotFoundError, json.JSONDecodeError):
                await asyncio.sleep(0.05)  # a file of another process: nothing to wait on but time


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask the server to end, then end whatever is left of it and its kernels."""
    if process.returncode is not None:
        return
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
    for survivor in family:
        if survivor.is_running():
            survivor.kill()
