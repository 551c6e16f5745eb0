"""A key storage: keys that Kubernetes or Docker mounts as files, one file a provider, named after it.

`VALECHAT_MOUNTED_KEYS` names the folder; left out, it is `/run/secrets`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["MountedKeys"]


class MountedKeys:
    """The files of one folder. Read at each question, so that a renewed key is used at once."""

    def __init__(self) -> None:
        self._folder = Path(os.environ.get("VALECHAT_MOUNTED_KEYS", "/run/secrets"))

    async def get(self, name: str) -> str | None:
        """The key in the file of that name, None where there is none."""
        file = self._folder / name
        if name not in self.names():
            return None
        return (await asyncio.to_thread(file.read_text)).strip()

    def names(self) -> Iterable[str]:
        """The files there are."""
        return [file.name for file in self._folder.iterdir() if file.is_file()] if self._folder.is_dir() else []
