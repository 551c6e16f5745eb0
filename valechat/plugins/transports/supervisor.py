"""Stands between a kernel and one server, and sees to it that nothing of the server outlives the kernel.

    python -I -S supervisor.py FD PARENT

It is a program of its own that needs nothing but the standard library. `FD` is one end of a socket pair
whose other end only the kernel has; `PARENT` is the kernel's process. Its standard streams are the
server's: they go through to it, and nothing is copied here.

The kernel sends the job as `marshal` writes it, after its length in four bytes: `argv`, `env`, `cwd`,
`limits`, `group` (a control group's folder, or nothing), and `mark`, a piece of the environment that no other
process has. (Reading JSON or typing would take longer to import than all the rest, and both ends are the same
Python.) Then single letters: `T`
terminates the server politely, `K` kills it and all it started. The end of the connection, or of the
parent, does both in turn. The answers are lines: `started PID` or `failed STEP ERRNO`, later `exited CODE`
or `killed SIGNAL`, and the end of the connection once nothing of the server is left.

Why each part is there:

* A pipe's end tells of the kernel's death however it dies. A forked copy of the kernel (multiprocessing)
  holds the same end, so the parent is watched too.
* Linux: as a subreaper, this process inherits every descendant whose own parent ended, in whatever
  session; having no children left proves that none is left. `PR_SET_PDEATHSIG` alone would be wrong in
  the kernel, where it fires when the *thread* that forked ends; this program has one thread.
* macOS has no subreaper: what descends from the server when the end comes, its group, and what carries the
  mark it was started with.
"""

from __future__ import annotations

import contextlib
import errno
import marshal
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Supervisor", "main"]

GRACE = 0.3
"""Seconds between SIGTERM and SIGKILL once the kernel is gone."""

PATIENCE = 60.0
"""Seconds after which a process that survives SIGKILL (in the kernel, on a dead disk) is left alone."""

BEAT = 0.25
"""Seconds between two looks at the parent where the system cannot tell of its end."""

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Supervisor:
    """One server's keeper.

    Args:
        control: Descriptor of the connection to the kernel.
        parent: The kernel's process id.
    """

    def __init__(self, control: int, parent: int) -> None:
        self.control = control
        self.parent = parent
        self.server = 0
        self.mark = ""
        self.over = False  # the server itself has ended
        self.gone = False  # so has the kernel

    def run(self) -> None:
        """Starts the server and returns when nothing of it is left."""
        os.set_inheritable(self.control, False)
        wake, waking = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if sys.platform == "linux":
            _prctl(PR_SET_CHILD_SUBREAPER, 1)
        job, rest = self.job()
        if job is not None and self.start(job):
            self.forget_streams()
            self.obey(rest)
            self.watch(wake)
            self.end()

    def job(self) -> tuple[dict[str, Any] | None, bytes]:
        """What to start, and what the kernel sent after it; None when it is gone already."""
        received = b""
        while len(received) < 4 or len(received) < 4 + int.from_bytes(received[:4], "big"):
            piece = os.read(self.control, 65536)
            if not piece:
                return None, b""
            received += piece
        end = 4 + int.from_bytes(received[:4], "big")
        job: dict[str, Any] = marshal.loads(received[4:end])  # noqa: S302 - the kernel alone holds the other end
        self.mark = job["mark"]
        return job, received[end:]

    def start(self, job: dict[str, Any]) -> bool:
        """Starts the server and tells the kernel. Whether it did start."""
        answer, answering = os.pipe()
        keeper = os.getpid()
        self.server = os.fork()
        if self.server == 0:
            _become(job, answering, keeper)
        os.close(answering)
        said = os.read(answer, 64)
        os.close(answer)
        self.tell(f"failed {said.decode()}" if said else f"started {self.server}")
        return not said

    def forget_streams(self) -> None:
        """Lets go of the server's streams, whose ends must be seen when the server closes them."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.close(nothing)

    def watch(self, wake: int) -> None:
        """Waits until the server has ended, or has to."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(wake, select.POLLIN)
        parent = _watched(self.parent)
        if parent is not None:
            poll.register(parent, select.POLLIN)
        self.reap()
        while not self.over and not self.gone:
            if os.getppid() != self.parent:
                self.gone = True
                break
            ready = {descriptor for descriptor, _ in poll.poll(None if parent is not None else BEAT * 1000)}
            if parent in ready:
                self.gone = True
            if wake in ready and signal.SIGTERM in os.read(wake, 4096):
                self.gone = True
            if self.control in ready:
                self.listen()
            self.reap()

    def listen(self) -> None:
        """Hears the kernel, or that it is gone."""
        try:
            letters = os.read(self.control, 64)
        except ConnectionError:
            letters = b""
        if letters:
            self.obey(letters)
        else:
            self.gone = True

    def obey(self, letters: bytes) -> None:
        """Does what the kernel said."""
        if b"K" in letters:
            self.kill()
        elif b"T" in letters:
            self.signal_group(signal.SIGTERM)

    def end(self) -> None:
        """Sees to it that nothing is left: politely first when only the kernel has gone."""
        deadline = time.monotonic() + (0 if self.over else GRACE)
        if not self.over:
            self.signal_group(signal.SIGTERM)
        while not self.over and time.monotonic() < deadline:
            time.sleep(0.005)
            self.reap()
        deadline, pause = time.monotonic() + PATIENCE, 0.002
        self.kill()
        while not self.reap() and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(2 * pause, BEAT)  # what is still there after a few rounds takes its time
            self.kill()

    def kill(self) -> None:
        """One round against everything that lives now."""
        for process in (*_descendants(os.getpid()), *_marked(self.mark)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        self.signal_group(signal.SIGKILL)

    def signal_group(self, number: int) -> None:
        """Signals the server's group, if there still is one."""
        # macOS refuses with EPERM to signal a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.server, number)

    def reap(self) -> bool:
        """Takes note of who ended. Whether no child is left."""
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if ended == 0:
                return False
            if ended == self.server:
                self.over = True
                code = os.waitstatus_to_exitcode(status)
                self.tell(f"killed {-code}" if code < 0 else f"exited {code}")

    def tell(self, line: str) -> None:
        """Tells the kernel a line."""
        with contextlib.suppress(OSError):  # the kernel is gone: nobody to tell
            os.write(self.control, line.encode() + b"\n")


def _become(job: dict[str, Any], answering: int, keeper: int) -> None:
    """In the child: be the server. Writes the step that failed, if one does, and never returns."""
    step = "start"
    try:
        os.setsid()
        if sys.platform == "linux":
            _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                os._exit(127)
        signal.set_wakeup_fd(-1)
        for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGHUP", "SIGTERM", "SIGCHLD"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        step = "limit"
        if job.get("group"):
            with open(f"{job['group']}/cgroup.procs", "w") as joining:  # noqa: PTH123 - pathlib takes longer than all the rest
                joining.write("0")
        _limit(job["limits"])
        step = "cwd"
        os.chdir(job["cwd"])
        step = "exec"
        os.execve(job["argv"][0], job["argv"], job["env"])  # noqa: S606 - to be that program is the point
    except OSError as error:
        os.write(answering, f"{step} {error.errno}".encode())
    except ValueError:  # a NUL byte in an argument or a variable
        os.write(answering, f"{step} {errno.EINVAL}".encode())
    finally:
        os._exit(127)


def _limit(limits: dict[str, list[int]]) -> None:
    """Sets resource limits, as far as this process may: never above the hard limit it has."""
    if not limits:
        return
    import resource

    for name, wanted in limits.items():
        number = getattr(resource, f"RLIMIT_{name.upper()}", None)
        if number is None:
            continue
        _, most = resource.getrlimit(number)
        soft, hard = wanted if most == resource.RLIM_INFINITY else (min(size, most) for size in wanted)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some that it lists
            resource.setrlimit(number, (soft, hard))


def _prctl(option: int, value: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _watched(process: int) -> int | None:
    """A descriptor that is readable when the process has ended; None where there is no such thing."""
    opening: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if opening is None:
        return None
    try:
        return opening(process)
    except OSError:  # gone already, which the parent's number tells; or forbidden in this container
        return None


def _descendants(process: int) -> Iterator[int]:
    """All that descend from the process now, parents first."""
    family = {process}
    parents = _parents_of_all()
    while grown := {pid for pid, parent in parents.items() if parent in family and pid not in family}:
        family |= grown
        yield from grown


def _parents_of_all() -> dict[int, int]:
    """The parent of every process there is."""
    if sys.platform != "linux":
        return {int(pid): int(parent) for pid, parent in (line.split() for line in _ps("-o", "pid=,ppid="))}
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - pathlib takes longer than all the rest
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - the same
            # `pid (name) state parent …`, where a name may hold blanks and parentheses.
            parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    return parents


def _marked(mark: str) -> list[int]:
    """Where nobody inherits a lost child: those of this user that carry the mark, as `ps -E` shows it."""
    found = [] if sys.platform == "linux" or not mark else _ps("-ww", "-E", "-o", "pid=,command=")
    return [int(line.split()[0]) for line in found if mark in line]


def _ps(*options: str) -> list[str]:
    import subprocess

    found = subprocess.run(["/bin/ps", "-A", *options], capture_output=True, check=False)
    return found.stdout.decode("utf-8", "replace").splitlines()


def main() -> None:
    """Supervises as the arguments say."""
    Supervisor(int(sys.argv[1]), int(sys.argv[2])).run()


if __name__ == "__main__":
    main()
