"""A real kernel that runs cells one by one, as a front end does; and what came of each."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.patience import Stopwatch
from tests.warm.kernelspec import NAME, write_kernelspec

__all__ = ["Kernel", "Ran"]

PATIENCE = 60.0


@dataclass
class Ran:
    """What a cell brought.

    Attributes:
        outputs: Its outputs as they stand in the end, updates applied.
        updates: How often an output was sent, first time included, by display id.
        error: The exception's name, empty for none.
        traceback: The error as it is shown.
        next_cell: What `set_next_input` put below.
        questions: How often `input()` asked.
    """

    outputs: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, list[float]] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""
    next_cell: str | None = None
    seconds: float = 0.0
    questions: int = 0

    @property
    def text(self) -> str:
        """All outputs as plain text, one after the other."""
        return "\n".join(output.get("text/plain", "") for output in self.outputs)

    def of_type(self, mime: str) -> list[Any]:
        """The outputs that have this form."""
        return [output[mime] for output in self.outputs if mime in output]


class Kernel:
    """A kernel of its own process, in `folder`, with `home` as the user's folder."""

    def __init__(self, folder: Path, home: Path) -> None:
        keep = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        environment = {**keep, "VALECHAT_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        specs = folder / ".kernels"
        write_kernelspec(specs)
        self._manager = KernelManager(kernel_name=NAME, kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)]))
        self._manager.start_kernel(cwd=str(folder), env=environment, extra_arguments=["--Application.log_level=40"])
        self.client: BlockingKernelClient = self._manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def close(self) -> None:
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run_to_death(self, code: str) -> None:
        """Run a cell that kills the kernel."""
        self.client.execute(code)
        begun = time.monotonic()
        while self._manager.is_alive():
            assert time.monotonic() - begun < PATIENCE, f"the kernel did not die: {code!r}"
            time.sleep(0.05)  # the manager tells nobody when its kernel ends

    def shut_down(self) -> None:
        """What the front end's button does: the kernel is asked to end, and given time for it."""
        self.client.stop_channels()
        self._manager.shutdown_kernel(now=False)

    def interrupt(self) -> None:
        """What the stop button does."""
        self._manager.interrupt_kernel()

    def run(self, code: str, *, answer: str | None = None, when: Callable[[Ran], bool] | None = None) -> Ran:
        """Run a cell to its end.

        Args:
            code: The cell.
            answer: What to say when `input()` asks; without it there is nobody to ask.
            when: Interrupt the kernel as soon as this is true, given what has come; `seconds` counts from then.
        """
        ran = Ran()
        begun, interrupted = time.monotonic(), Stopwatch()
        asked = self.client.execute(code, allow_stdin=answer is not None, store_history=True)
        places: dict[str, int] = {}
        while True:
            if answer is not None and self._answer(answer):
                ran.questions += 1
            if when is not None and when(ran):
                when, begun, interrupted = None, time.monotonic(), Stopwatch()
                self.interrupt()
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except queue.Empty:
                assert time.monotonic() - begun < PATIENCE, f"the cell did not end: {code!r}"
                continue
            if message["parent_header"].get("msg_id") == asked and _took_in(message, ran, places):
                break
        ran.seconds = interrupted.seconds
        reply = self.client.get_shell_msg(timeout=PATIENCE)
        while reply["parent_header"].get("msg_id") != asked:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
        for payload in reply["content"].get("payload", ()):
            if payload["source"] == "set_next_input":
                assert payload["replace"] is False
                ran.next_cell = payload["text"]
        assert (reply["content"]["status"] == "error") == bool(ran.error)
        return ran

    def value(self, expression: str) -> Any:
        """A plain value of the kernel's."""
        ran = self.run(f"import json; print(json.dumps({expression}, default=str))")
        assert not ran.error, ran.traceback
        import json

        return json.loads(ran.text)

    def complete(self, code: str, cursor: int | None = None) -> tuple[list[str], str]:
        """What Tab offers at the cursor, and what it replaces."""
        asked = self.client.complete(code, len(code) if cursor is None else cursor)
        while (reply := self.client.get_shell_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != asked:
            pass
        content = reply["content"]
        return content["matches"], code[content["cursor_start"] : content["cursor_end"]]

    def _answer(self, text: str) -> bool:
        try:
            self.client.get_stdin_msg(timeout=0.01)
        except queue.Empty:
            return False
        self.client.input(text)
        return True


def _took_in(message: dict[str, Any], ran: Ran, places: dict[str, int]) -> bool:
    """Take in one message; whether it was the last."""
    content = message["content"]
    match message["msg_type"]:
        case "status":
            return bool(content["execution_state"] == "idle")
        case "stream":
            ran.outputs.append({"text/plain": content["text"]})
        case "execute_result":
            ran.outputs.append(content["data"])
        case "display_data" | "update_display_data" as kind:
            identity = content.get("transient", {}).get("display_id", "")
            ran.updates.setdefault(identity, []).append(time.monotonic())
            if kind == "display_data":
                places[identity] = len(ran.outputs)
                ran.outputs.append(content["data"])
            elif identity in places:  # otherwise the output is an earlier cell's
                ran.outputs[places[identity]] = content["data"]
        case "error":
            ran.error, ran.traceback = content["ename"], "\n".join(content["traceback"])
    return False
