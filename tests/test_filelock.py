"""The lock between processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from valechat.filelock import locked, try_locked

FORKING = """
import os, sys, threading
from pathlib import Path
from valechat.filelock import locked
held, forked = threading.Event(), threading.Event()
def hold():
    with locked(Path(sys.argv[1])):
        held.set()
        forked.wait()
holder = threading.Thread(target=hold)
holder.start()
held.wait()
child = os.fork()
if not child:
    sys.stdin.read()  # lives on, with the file open
    os._exit(0)
forked.set()
holder.join()
print("given back", flush=True)
os._exit(os.waitpid(child, 0)[1])
"""


def test_one_holds_it_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path), try_locked(path) as mine:
        assert not mine
    with try_locked(path) as mine:
        assert mine


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_child_that_was_forked_while_it_was_held_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "given back\n"
        with try_locked(path) as mine:
            assert mine
        parent.communicate("", timeout=60)
        assert parent.returncode == 0
