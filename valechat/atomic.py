"""Writing a small file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(file: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put `data` in the place of the file, so that a reader sees the old content or the new.

    The data is on the disk when this returns. Where the name is a symbolic link, the file it
    points to is replaced. A file that exists keeps its permissions, unless `mode` allows less.

    Raises:
        OSError: The folder cannot be written, or the disk is full; the old file stands.
    """
    target = file.resolve()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileNotFoundError):
        mode &= target.stat().st_mode & 0o777
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
