"""What `fix` and `{Err[n]}` know of failed cells."""

from __future__ import annotations

from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult

from valechat.notebook.failures import MOST_CHARS, MOST_KEPT, Failures, written


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
    assert failures.texts == {}


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
