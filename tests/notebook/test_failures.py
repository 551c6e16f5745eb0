"""What `fix` and `{Err[n]}` know of failed cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import IPython
import pytest
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

from valechat.errors import ConfigError
from valechat.notebook.failures import MOST_CHARS, MOST_KEPT, Failures, written
from valechat.notebook.stopped import in_one_line


def _result(cell: str, number: int, error: BaseException | None) -> ExecutionResult:
    result = ExecutionResult(ExecutionInfo(cell, True, False, True, None))
    result.execution_count, result.error_in_exec = number, error
    return result


def test_a_failed_cell_is_kept_under_its_number() -> None:
    failures = Failures()
    failures.record(_result("1 / 0", 7, ZeroDivisionError("division by zero")))
    failures.record(_result("1 / 1", 8, None))
    assert failures.texts == {7: "ZeroDivisionError: division by zero"}
    last = failures.last([])
    assert last is not None
    assert last.cell == "1 / 0"


def test_stops_and_our_own_magics_are_no_failures() -> None:
    failures = Failures()
    failures.record(_result("while True: pass", 1, KeyboardInterrupt()))
    failures.record(_result("%%valechat\nhi", 2, ValueError()))
    failures.record(_result("%valechat hi", 3, ValueError()))
    failures.record(_result("x = 1\n%valechat --nope", 4, in_one_line(ConfigError("no"))))
    assert failures.texts == {}


def test_a_users_own_fault_is_one_beside_our_magics_and_in_our_api() -> None:
    failures = Failures()
    failures.record(_result("%valechat hi\n1 / 0", 1, ZeroDivisionError("division by zero")))
    failures.record(_result("valechat.Chat(tools=[1])", 2, ConfigError("1 is no tool")))
    assert list(failures.texts) == [1, 2]


def test_frames_of_ipython_are_left_out_wherever_they_stand() -> None:
    code = compile("def timed(f): f()", str(Path(IPython.__file__).parent / "core/magics/execution.py"), "exec")
    magic: dict[str, Any] = {}
    exec(code, magic)

    def fails() -> None:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    with pytest.raises(ValueError, match="second") as caught:
        magic["timed"](fails)
    text = written(caught.value)
    assert "core/magics" not in text
    assert text.count("in fails") == 2
    assert text.endswith("ValueError: second")


def test_only_the_latest_are_kept() -> None:
    failures = Failures()
    for number in range(1, MOST_KEPT + 11):
        failures.record(_result("x", number, ValueError(number)))
    assert list(failures.texts) == list(range(11, MOST_KEPT + 11))


def test_a_long_traceback_keeps_its_beginning_and_its_end() -> None:
    text = written(ValueError("begin" + "x" * 50_000 + "end"))
    assert text.startswith("ValueError: begin")
    assert text.endswith("end")
    assert len(text) <= MOST_CHARS + 3
