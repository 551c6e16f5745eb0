"""Sees to it that the tests have the programs that PyPI and npm do not have: Debian's, where that needs no password.

Run by `make test` as `python -m scripts.debian`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

from tests.browser.support.chromium import HOW_TO_GET, find


class Need(NamedTuple):
    """Something tests need. `without` says what does not run where it is missing."""

    name: str
    found: Callable[[], bool]
    packages: tuple[str, ...]
    without: str


def commands(*names: str) -> Callable[[], bool]:
    """Whether all of these commands are there."""
    return lambda: all(shutil.which(name) for name in names)


NEEDS = [
    Need("Chromium", lambda: find() is not None, ("chromium", "fonts-dejavu-core"), HOW_TO_GET),
]
if sys.platform == "linux":
    NEEDS += [
        Need(
            "a Secret Service",
            commands("dbus-run-session", "gnome-keyring-daemon"),
            ("dbus", "gnome-keyring"),
            "no Secret Service was found, so the keychain is not tested. `sudo apt-get install dbus gnome-keyring`",
        ),
        Need(
            "bubblewrap",
            commands("bwrap"),
            ("bubblewrap",),
            "no bubblewrap was found, so its sandbox is not tested. `sudo apt-get install bubblewrap`",
        ),
    ]


def apt_get() -> list[str] | None:
    """How Debian's packages can be installed without asking for a password, if they can."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n", "apt-get"]
    return None


def install(apt: list[str], packages: list[str]) -> None:
    """Install packages; what apt-get says is only shown when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*apt, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            print(done.stdout, file=sys.stderr)


def main() -> int:
    """Exit status 1 only in CI, where a test that did not run is a failure."""
    missing = [need for need in NEEDS if not need.found()]
    if missing and (apt := apt_get()):
        print(f"Installing {', '.join(need.name for need in missing)} from Debian's packages", file=sys.stderr)
        install(apt, [package for need in missing for package in need.packages])
        missing = [need for need in missing if not need.found()]
    for need in missing:
        print(f"SKIPPED: {need.without}", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") else 0


if __name__ == "__main__":
    raise SystemExit(main())
