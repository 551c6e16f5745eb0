"""Control groups: where one can be made, what is written into it, and that it holds and ends its processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.confinement import Allowed
from valechat.sandbox import cgroup

UNIFIED = next((path for path in (cgroup.ROOT, cgroup.ROOT / "unified") if (path / "cgroup.procs").exists()), None)


def tree(root: Path, own: str, *, delegated: bool) -> Path:
    """What a kernel of version 2 shows of itself; its file system cannot be had without one."""
    here = root / own
    here.mkdir(parents=True)
    for folder in (root, here.parent, here):
        (folder / "cgroup.controllers").write_text("cpu memory pids")
        (folder / "cgroup.procs").touch()
        (folder / "cgroup.subtree_control").write_text("cpu memory pids" if delegated else "")
    (root / "self").write_text(f"0::/{own}\n")
    return root / "self"


def test_a_group_is_made_beside_ones_own_where_limits_are_handed_down(tmp_path: Path) -> None:
    own = tree(tmp_path, "user/app", delegated=True)
    assert next(cgroup._candidates(tmp_path, own)) == tmp_path / "user"


def test_there_is_none_with_version_1_or_outside_of_what_a_container_sees(tmp_path: Path) -> None:
    (tmp_path / "self").write_text("4:memory:/x\n0::/../..\n")
    assert list(cgroup._candidates(tmp_path, tmp_path / "self")) == []
    (tmp_path / "cgroup.controllers").touch()
    assert list(cgroup._candidates(tmp_path, tmp_path / "self")) == []


def test_limits_are_written_as_the_kernel_takes_them() -> None:
    assert cgroup.limits_of(Allowed(memory_mb=100, processes=16, cpu_percent=50)) == {
        "memory.max": "104857600",
        "memory.swap.max": "0",
        "memory.oom.group": "1",
        "pids.max": "20",
        "cpu.max": "50000 100000",
    }


def test_only_a_server_that_cannot_leave_its_group_is_held_by_it() -> None:
    allowed = Allowed(memory_mb=100, cpu_percent=50)
    assert cgroup.held(allowed, {"files": "enforced"}) == ["memory", "cpu"]
    assert cgroup.held(allowed, {"files": "none"}) == []


def _writable() -> bool:
    if UNIFIED is None:
        return False
    try:
        cgroup.make(UNIFIED, {}).rmdir()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _writable(), reason="no control group of version 2 can be made here")
def test_what_is_in_a_group_ends_with_it() -> None:
    assert UNIFIED is not None
    made = cgroup.make(UNIFIED, {})
    join = 'echo 0 > "$1/cgroup.procs"; exec "$2" -c "print(1, flush=True); input()"'
    child = subprocess.Popen(
        ["/bin/sh", "-c", join, "sh", str(made), sys.executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"1\n"
    assert str(child.pid) in (made / "cgroup.procs").read_text().split()
    cgroup.remove(made)
    assert child.wait(60) == -9
    assert not made.exists()
    child.communicate()


@pytest.mark.skipif(cgroup.place() is None, reason="no control group with limits can be made here")
def test_a_memory_hog_and_a_fork_bomb_end_in_their_group() -> None:
    within = cgroup.place()
    assert within is not None
    made = cgroup.make(within, cgroup.limits_of(Allowed(memory_mb=64, processes=10)))
    join = 'echo 0 > "$1/cgroup.procs"; exec "$2" -c "$3"'
    try:
        hog = ["/bin/sh", "-c", join, "sh", str(made), sys.executable, "x = bytearray(256 * 2**20); print('had it')"]
        assert subprocess.run(hog, capture_output=True, text=True, check=False).stdout == ""
    finally:
        cgroup.remove(made)
