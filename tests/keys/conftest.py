from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from valechat.config import SettingsFile
from valechat.keys import KeyRing
from valechat.paths import Paths, user_paths

SESSION = Path(__file__).with_name("session.py")
PREAMBLE = """
import asyncio, os, signal, sys
from pathlib import Path
from valechat.config import SettingsFile
from valechat.errors import KeyStorageError
from valechat.keys import Keychain, KeyRing
from valechat.paths import user_paths
ring = KeyRing(user_paths(), SettingsFile(user_paths()).current, keychain=Keychain(timeout=3))
"""


@pytest.fixture
def paths(home: Path) -> Paths:
    return user_paths()


@pytest.fixture
def make_ring(paths: Paths) -> Callable[..., KeyRing]:
    """A ring with an environment of its own; further arguments are the ring's."""

    def make(environ: Mapping[str, str] | None = None, **options: object) -> KeyRing:
        return KeyRing(paths, SettingsFile(paths).current, environ=environ or {}, **options)  # type: ignore[arg-type] # the test's business

    return make


class Desktop:
    """A user's session with a D-Bus and GNOME's keychain, without a screen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, code: str, *, password: str = "correct") -> str:
        """Run the code in a new session whose keychain is opened with the password; what it printed."""
        script = self._folder / "scenario.py"
        script.write_text(PREAMBLE + textwrap.dedent(code))
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_"))}
        environ.pop("PYTHON_KEYRING_BACKEND", None)
        environ.pop("DISPLAY", None)
        environ |= {"HOME": str(self._folder), "XDG_RUNTIME_DIR": str(self._folder)}
        done = subprocess.run(
            ["dbus-run-session", "--", sys.executable, str(SESSION), password, str(script)],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    missing = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if shutil.which(name) is None]
    if missing:
        # Debian: apt-get install dbus gnome-keyring. macOS and Windows have no Secret Service.
        pytest.skip(f"needs {' and '.join(missing)}: on Debian, apt-get install dbus gnome-keyring")
    folder = tmp_path / "desktop"
    folder.mkdir(mode=0o700)
    return Desktop(folder)
