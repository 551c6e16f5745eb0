from __future__ import annotations

import sys
from pathlib import Path

import pytest

from valechat.atomic import write_atomically


def test_a_file_is_written_with_the_folders_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "file"
    write_atomically(file, b"new")
    assert file.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of this kind are POSIX")
@pytest.mark.parametrize(("before", "after"), [(None, 0o600), (0o644, 0o600), (0o400, 0o400)])
def test_a_file_is_never_more_open_than_asked_or_than_before(tmp_path: Path, before: int | None, after: int) -> None:
    file = tmp_path / "file"
    if before is not None:
        file.touch()
        file.chmod(before)
    write_atomically(file, b"new")
    assert file.stat().st_mode & 0o777 == after


def test_a_reader_of_the_old_file_keeps_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    with file.open("rb") as reader:
        write_atomically(file, b"new")
        assert reader.read() == b"old"
    assert file.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="a full disk is imitated with a POSIX limit")
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    import resource

    file = tmp_path / "folder" / "file"
    write_atomically(file, b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_atomically(file, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_bytes() == b"old"
    assert list(file.parent.iterdir()) == [file]
