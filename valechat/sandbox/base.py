"""The seam between starting a server and confining it.

`prepare` turns the command of a definition into what is really started, and says honestly what holds.
A platform's file adds to it in three ways: it puts a program before the command line (`bwrap …`), it
has the supervisor put the child into a control group before it becomes the server (`group`), or it watches
from outside. What is here is what every platform has: a minimal environment, and the limits
that a process's kernel enforces.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from valechat.sandbox.environment import minimal_environment

__all__ = ["SUBJECTS", "Command", "Permissions", "Prepared", "prepare"]

Subject = Literal["files", "network", "memory", "cpu", "processes"]
Strength = Literal["enforced", "watched", "none"]

SUBJECTS: tuple[Subject, ...] = ("files", "network", "memory", "cpu", "processes")

OPEN_FILES = 4096
"""How many files a server's process may have open where its permissions do not say."""


class Permissions(Protocol):
    """What a server may do. None is no limit."""

    @property
    def file_read(self) -> Sequence[str] | None:
        """Files and folders it may read, as globs."""
        ...

    @property
    def file_write(self) -> Sequence[str] | None:
        """Files and folders it may write, as globs."""
        ...

    @property
    def network_access(self) -> bool | Sequence[str] | None:
        """Whether it may use the network, or which hosts."""
        ...

    @property
    def env_access(self) -> Sequence[str] | None:
        """Variables it may see besides its own and the usual ones."""
        ...

    @property
    def memory_mb(self) -> float | None:
        """The most memory of all its processes, in megabytes."""
        ...

    @property
    def cpu_percent(self) -> float | None:
        """The most processor time; 100 is one core."""
        ...

    @property
    def open_files(self) -> int | None:
        """The most files of a process."""
        ...

    @property
    def processes(self) -> int | None:
        """The most processes it may be."""
        ...

    @property
    def wall_seconds(self) -> float | None:
        """How long it may run."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """What a definition wants started.

    Attributes:
        argv: The program's full path and its arguments.
        env: The definition's own variables.
        cwd: The folder to start it in, absolute.
        path: `PATH` to use instead of the kernel's, where the program was found elsewhere.
        code: Folders with the program's own code, which it may read whatever its permissions say.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    path: str | None = None
    code: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is started instead, and what that enforces.

    Attributes:
        argv: The command line.
        env: The whole environment.
        cwd: The folder, absolute.
        limits: Resource limits by their names in `resource` without `RLIMIT_`, lower case: soft and hard
            limit. One that the system refuses or does not know is not set.
        group: The folder of the control group that the supervisor puts the server into; empty for none.
        report: How strongly each of `SUBJECTS` is held to its permission.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    group: str = ""
    report: Mapping[Subject, Strength] = field(default_factory=dict)


def prepare(command: Command, permissions: Permissions | None) -> Prepared:
    """What to start so that the command has the permissions it should, as far as this system can see to it.

    `memory` is `none` even where a limit is set: RLIMIT_DATA bounds each process by itself, and a server
    may be several.
    """
    access = permissions.env_access if permissions else None
    env = minimal_environment(access=access or ())
    if command.path is not None:
        env["PATH"] = command.path
    return Prepared(
        argv=command.argv,
        env=env | dict(command.env),
        cwd=command.cwd,
        limits={} if sys.platform == "win32" else _limits(permissions),
        report=dict.fromkeys(SUBJECTS, "none"),
    )


def _limits(permissions: Permissions | None) -> dict[str, tuple[int, int]]:
    """The limits of one process.

    Not RLIMIT_AS, of which Node.js takes a gigabyte for nothing; not RLIMIT_CPU, which counts a whole
    lifetime; not RLIMIT_NPROC, which counts all of the user's processes.
    """
    files = permissions.open_files if permissions else None
    memory = permissions.memory_mb if permissions else None
    limits = {"core": (0, 0), "nofile": (files or OPEN_FILES, files or OPEN_FILES)}
    if memory is not None:
        size = int(memory * 1024 * 1024)
        limits["data"] = (size, size)
    return limits
