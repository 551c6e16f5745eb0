"""Confines itself with Landlock and seccomp, and then becomes the server.

    python -I -S landlocked.py '{"read": […], "write": […], "network": false}' -- PROGRAM ARGUMENT…

A program of its own that needs nothing but the standard library. `read` and `write` are files and folders,
null for no limit; `network` false refuses every socket. Neither needs any privilege, and both hold for
everything the server starts. Without a program it says what it could enforce here: `landlock ABI`.

https://docs.kernel.org/userspace-api/landlock.html, seccomp(2).
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import struct
import sys
from typing import Any, NoReturn

__all__ = [
    "become",
    "call",
    "everything",
    "filter_program",
    "handled_access",
    "landlock_abi",
    "main",
    "restrict_files",
    "restrict_system_calls",
]

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION = 1
PATH_BENEATH = 1

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

READING = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
ON_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what makes sense for a file rather than a folder
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FIRST_ABI = (1 << 13) - 1

OWN = ("/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys")
"""What programs read of /proc: their own, which is fixed to this process when it is allowed, and the machine's."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")

# seccomp tells system calls by number, and each architecture has its own.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

SOCKET = {"x86_64": 41, "aarch64": 198}
NEVER = {
    # ptrace, process_vm_readv, process_vm_writev, kexec_load, kexec_file_load, bpf, perf_event_open, add_key,
    # request_key, keyctl, userfaultfd, mount, umount2, pivot_root, chroot, unshare, setns, open_by_handle_at,
    # init_module, finit_module, delete_module
    "x86_64": (101, 310, 311, 246, 320, 321, 298, 248, 249, 250, 323, 165, 166, 155, 161, 272, 308, 304, 175, 313, 176),
    "aarch64": (117, 270, 271, 104, 294, 280, 241, 217, 218, 219, 282, 40, 39, 41, 51, 97, 268, 265, 105, 273, 106),
}
"""System calls that reach into other processes or into the system, by architecture."""
NEVER_ANYWHERE = (425, 426, 427, 428, 429, 430, 431, 432, 438)
"""The same in all architectures: io_uring, which opens sockets past this filter; the new mount calls; pidfd_getfd."""

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
X32 = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: Any) -> int:
    """A system call.

    Raises:
        OSError: It failed.
    """
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def landlock_abi() -> int:
    """The version of Landlock this kernel has; 0 where it has none or it is off."""
    try:
        return call(CREATE_RULESET, None, 0, VERSION)
    except OSError:
        return 0


def handled_access(abi: int) -> int:
    """The ways to use files that this version can refuse."""
    return FIRST_ABI | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (IOCTL_DEV if abi >= 5 else 0)


def restrict_files(read: list[str] | None, write: list[str] | None) -> None:
    """Let this process, and all it will start, read and write these alone, and reach no process outside.

    Raises:
        OSError: Landlock is not there, or a path is not.
    """
    abi = landlock_abi()
    handled = handled_access(abi)
    scoped = 3 if abi >= 6 else 0  # abstract sockets and signals
    attributes = struct.pack("=QQQ", handled, 0, scoped)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    rules = call(CREATE_RULESET, attributes, len(attributes), 0)
    for path in [*(everything() if read is None else read), *OWN]:
        _allow(rules, path, READING & handled)
    for path in everything() if write is None else write:
        _allow(rules, path, handled)
    for path in DEVICES:
        _allow(rules, path, handled)
    call(RESTRICT_SELF, rules, 0)
    os.close(rules)


def everything() -> list[str]:
    """All there is but /proc, where the environment of the user's other programs can be read, keys and all."""
    return [f"/{name}" for name in os.listdir("/") if name != "proc"]  # noqa: PTH208  # pathlib takes 10 ms to import


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:  # what is not there needs no permission
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112  # as above
            access &= ON_FILES
        call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", access, place), 0)
    finally:
        os.close(place)


def filter_program(machine: str, *, network: bool) -> bytes:
    """The seccomp filter for an architecture, as classic BPF.

    A system call of another architecture ends the process; the forbidden ones fail with EPERM.
    """
    refused = [*NEVER[machine], *NEVER_ANYWHERE, *([] if network else [SOCKET[machine]])]
    program = [
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 1, 0, ARCHITECTURES[machine]),
        (0x06, 0, 0, KILL),
        (0x20, 0, 0, 0),  # load the system call's number
    ]
    if machine == "x86_64":
        program += [(0x35, 0, 1, X32), (0x06, 0, 0, REFUSE | ENOSYS)]
    for position, number in enumerate(refused):
        program.append((0x15, len(refused) - position, 0, number))
    program += [(0x06, 0, 0, ALLOW), (0x06, 0, 0, REFUSE | EPERM)]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def restrict_system_calls(*, network: bool) -> None:
    """Refuse this process, and all it will start, what reaches past its files, and sockets unless it may.

    Raises:
        OSError: The filter was refused, or this architecture has none.
    """
    machine = platform.machine()
    if machine not in NEVER:
        raise OSError(ENOSYS, f"there is no system call filter for {machine}")
    program = filter_program(machine, network=network)
    buffer = ctypes.create_string_buffer(program)
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def become(rules: dict[str, Any], argv: list[str]) -> NoReturn:
    """Confine this process as the rules say and run the program in its place.

    Raises:
        OSError: Something could not be enforced, or the program could not be run.
    """
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    restrict_files(rules["read"], rules["write"])
    restrict_system_calls(network=rules["network"])
    os.execve(argv[0], argv, os.environ)  # noqa: S606  # there is no shell on purpose


def main(arguments: list[str]) -> None:
    """As the module's docstring says. Exit status 126 where the confinement was refused."""
    if not arguments:
        print("landlock", landlock_abi())  # noqa: T201  # a program
        return
    separator = arguments.index("--")
    try:
        become(json.loads(arguments[0]), arguments[separator + 1 :])
    except OSError as error:
        sys.stderr.write(f"The server was not started, because it could not be confined: {error}\n")
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
