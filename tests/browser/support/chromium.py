"""Finds a Chromium to test with.

Looked for in this order: `$CHROMIUM`, the usual commands, the usual macOS application, and what
`playwright install chromium` downloads.
"""

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MACOS = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HOW_TO_GET = (
    "no Chromium was found, so the browser tests cannot run. `sudo apt-get install chromium` on Debian, "
    "`.venv/bin/playwright install chromium` elsewhere, or CHROMIUM=/path/to/chromium"
)

SWITCHES = (
    "--no-sandbox",  # as root, in a container, Chromium does not start with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
)


def find() -> str | None:
    """The program to start, or None where there is none."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    for command in COMMANDS:
        if path := shutil.which(command):
            return path
    if MACOS.is_file():
        return str(MACOS)
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    return downloaded if Path(downloaded).is_file() else None
