"""How fast an answer streams through ValeChat, beside what others make of the same bytes.

    python benchmarks/bench_providers.py [--events 5000] [--rounds 9] [--only valechat,openai]
        [--home FOLDER] [--no-memory]

Every peer is a process of its own, and so is the server on loopback that replays a prepared answer as
fast as it is read. Each round asks every peer once; ratios are taken within a round, so that what else
the machine does weighs on all alike. Prints Markdown; benchmarks/README.md keeps what one run printed.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from _statistics import speeds, table
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median
from typing import Any

from _peers import HOME, PEERS
from _processes import Worker, replaying, working

SHORT = 20
LONG = 100_000
FLOORS = {"chat": "httpx", "anthropic": "httpx-anthropic"}
TITLES = {"chat": "Chat Completions", "anthropic": "Anthropic Messages"}
FRAMINGS = {
    "replay": "each event in an HTTP chunk of its own, as model servers send it",
    "packed": "16 KB at a time, as a proxy that buffers sends it",
}
SPEED_HEAD = ("", "chunks/s", "time × httpx", "CPU µs/chunk", "CPU × httpx", "ms to the first")
MEMORY_HEAD = ("", "before, MB", "most added, MB", "added when over, MB")

Measurements = Mapping[str, Sequence[Mapping[str, Any]]]


def main() -> None:
    options = _options()
    wires = {PEERS[name].wire for name in options.only}
    floors = [FLOORS[wire] for wire in wires]
    names = [name for name in PEERS if name in options.only or name in floors]
    if options.home:
        os.environ[HOME] = options.home
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {_machine()}, load average {_load()} at the start.")
    print(f"ValeChat writes its ledger to disk; one fsync there takes {_fsync_ms(options.home)} ms.\n")
    with replaying() as url:
        with ExitStack() as stack:
            workers = {name: stack.enter_context(working(name, url)) for name in names}
            workers = _usable(workers)
            for framing, how in FRAMINGS.items():
                long, short = _rounds(workers, framing, options.events, options.rounds)
                _print_speeds(f"{options.events:,} events, {how}", long, short, options.events)
        if options.memory:
            _print_memory([name for name in workers if PEERS[name].wire == "chat"], url)
    print(f"Load average {_load()} at the end.")


def _rounds(workers: Mapping[str, Worker], framing: str, events: int, rounds: int) -> tuple[Measurements, Measurements]:
    """Measurements of long and of short answers, one a round; the first round is for warming up."""
    long: defaultdict[str, list[Any]] = defaultdict(list)
    short: defaultdict[str, list[Any]] = defaultdict(list)
    names = list(workers)
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            little = workers[name].ask(f"{framing}-{SHORT}")
            much = workers[name].ask(f"{framing}-{events}")
            if number:
                short[name].append(little)
                long[name].append(much)
    return long, short


def _print_speeds(title: str, long: Measurements, short: Measurements, events: int) -> None:
    for wire, floor in FLOORS.items():
        names = [name for name in PEERS if name in long and PEERS[name].wire == wire]
        lines = [speeds(PEERS[name].label, long[name], long[floor], short[name], events) for name in names]
        if lines:
            print(f"### {TITLES[wire]}, {title}\n\n{table(SPEED_HEAD, lines)}\n")


def _print_memory(names: Sequence[str], url: str) -> None:
    lines = []
    for name in names:
        with working(name, url) as worker:
            for _ in range(3):
                worker.ask(f"replay-{SHORT}")
            found = worker.memory(f"replay-{LONG}")
        lines.append([PEERS[name].label, *(f"{found[key]:.1f}" for key in ("before", "highest", "after"))])
    print(f"### Memory, one answer of {LONG:,} events\n\n{table(MEMORY_HEAD, lines)}\n")


def _usable(workers: Mapping[str, Worker]) -> dict[str, Worker]:
    """Those that can be asked. Says which cannot and why, and of what version the others are."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for name, worker in workers.items():
        peer = PEERS[name]
        if worker.missing:
            group = peer.group or "bench"
            print(f"- {peer.label} is left out: {worker.missing} is not installed (dependency group `{group}`).")
        for package, version in worker.versions.items():
            beside = f" (beside {peer.packages[0]})" if peer.group and package != peer.packages[0] else ""
            versions[package].add(version + beside)
    said = ", ".join(f"{package} {' and '.join(sorted(found))}" for package, found in sorted(versions.items()))
    print(f"Versions: {said}.\n")
    return {name: worker for name, worker in workers.items() if not worker.missing}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=5000, help="pieces of text in an answer")
    parser.add_argument("--rounds", type=int, default=9, help="how often each peer is measured")
    parser.add_argument("--only", type=_names, default=list(PEERS), help=f"some of {', '.join(PEERS)}")
    parser.add_argument("--home", help="folder for ValeChat's ledger, e.g. one in memory when others use the disk")
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="leave the long answers out")
    return parser.parse_args()


def _names(written: str) -> list[str]:
    names = written.split(",")
    if unknown := [name for name in names if name not in PEERS]:
        raise argparse.ArgumentTypeError(f"not among {', '.join(PEERS)}: {', '.join(unknown)}")
    return names


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _fsync_ms(folder: str | None) -> str:
    """Milliseconds: the median of 50, and the slowest."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            begun = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - begun) * 1000)
    return f"{median(took):.1f} (at most {max(took):.1f})"


def _load() -> str:
    return " ".join(f"{load:.2f}" for load in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()
