"""The front end's files: those that a widget begins with, and those that a panel asks for when it needs them.

KaTeX and mermaid are larger than all the rest together, so a panel brings them over its comm, compressed and
in pieces, when the first formula or diagram is to be drawn. Everything works without any other server.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import cache
from pathlib import Path

from valechat.errors import ConfigError
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import Asset, NeedAsset

__all__ = ["AssetDesk", "static"]

STATIC = Path(__file__).parent.parent / "static"

PIECE = 200_000
"""Bytes of a piece: some seconds on a slow link, so that what is said in between is not held up for long."""


def static(name: str) -> Path:
    """A file of the front end's bundle.

    Raises:
        ConfigError: The bundle was not built.
    """
    path = STATIC / name
    if not path.is_file():
        raise ConfigError(
            f"The panel's front end ({name}) is not there.",
            fix="In a source checkout run `make build`; otherwise reinstall valechat.",
        )
    return path


class AssetDesk:
    """Hands out the files that a panel asks for."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, message: NeedAsset) -> None:
        """Send one piece; the panel asks for the next when it has this one."""
        name, at = message["name"], max(0, message["at"])
        try:
            packed = await asyncio.to_thread(_packed, name)
        except ConfigError:
            # The panel shows the source of what it cannot draw, and says so there.
            self._outbox.send(Asset(type="asset", seq=0, name=name, at=at, left=0))
            return
        piece = packed[at : at + PIECE]
        left = max(0, len(packed) - at - PIECE)
        self._outbox.send(Asset(type="asset", seq=0, name=name, at=at, left=left), [piece])


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(static(f"{name}.js").read_bytes(), mtime=0)
