"""A process that adds plugins to a file and changes them: `adder.py FILE NAME COUNT`, once a line comes in."""

from __future__ import annotations

import sys
from pathlib import Path

from valechat.plugins.file import PluginsFile


def main(path: str, name: str, count: int) -> None:
    file = PluginsFile(Path(path))
    sys.stdin.readline()
    for number in range(count):
        file.add({"id": f"{name}-{number}", "command": "npx"})
        file.change(f"{name}-{number}", enabled=False, call_timeout=number + 1)
        if number % 2:
            file.remove(f"{name}-{number}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
