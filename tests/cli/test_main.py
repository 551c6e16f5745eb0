from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Run
from tests.patience import Stopwatch
from valechat import __version__
from valechat.cli import main


def _seconds(command: list[str]) -> float:
    """Processor time of the cheapest of several runs: what else the machine does counts least in it."""
    import resource  # which Windows has not

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return children.ru_utime + children.ru_stime

    def once() -> float:
        before = used()
        subprocess.run(command, check=True, capture_output=True)
        return used() - before

    return min(once() for _ in range(7))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell what a child used")
def test_the_version_takes_150_ms_of_processor_time_beyond_the_interpreters_start() -> None:
    empty = _seconds([sys.executable, "-c", "pass"])
    assert _seconds([*COMMAND, "--version"]) - empty < 0.150


def test_the_version_is_the_packages(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"valechat {__version__}\n")


@pytest.mark.parametrize(
    "arguments",
    [[], ["nonsense"], ["keys"], ["keys", "set"], ["models", "--json", "--csv"], ["spend", "extra"], ["sql", "a", "b"]],
)
def test_wrong_use_ends_with_2_and_says_what_is_wrong(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "valechat" in capsys.readouterr().err.splitlines()[-1]


def test_a_failure_is_one_line_with_its_fix_and_no_traceback(run: Run, home: Path) -> None:
    (home / "config.toml").write_text("[limits]\ndayly = '5'\n")
    done = run("limits")
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "config.toml, line 2: limits.dayly is not a setting. Did you mean daily?" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals and pipes of this kind are POSIX")
def test_a_reader_that_has_enough_is_no_error(home: Path) -> None:
    done = subprocess.run(
        f"{' '.join(COMMAND)} models --all --json | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
def test_an_interrupt_ends_at_once_without_a_traceback_and_the_request_is_billed(run: Run, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "ask", "-m", "demo/echo", "count to 1000"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.read(10)
        interrupted = Stopwatch()
        asking.send_signal(signal.SIGINT)
        _, errors = asking.communicate(timeout=60)
        assert interrupted.seconds < 3
    assert asking.returncode == 130
    assert "Traceback" not in errors
    assert run("sql", "select status from usage", "--csv").stdout == "status\ncancelled\n"
