"""Sees to it that the browser tests have a Chromium: installs Debian's where that needs no password.

Run by `make test` as `python -m scripts.chromium`.
"""

import os
import shutil
import subprocess
import sys

from tests.browser.support.chromium import HOW_TO_GET, find


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


def install(apt: list[str]) -> None:
    """Install Debian's Chromium; what it says is only shown when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"]):
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
    """Exit status 1 only in CI, where a browser test that did not run is a failure."""
    if find() is None and "CHROMIUM" not in os.environ and (apt := apt_get()):
        print("Installing Chromium from Debian's packages", file=sys.stderr)
        install(apt)
    if find() is not None:
        return 0
    print(f"SKIPPED: {HOW_TO_GET}", file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    raise SystemExit(main())
