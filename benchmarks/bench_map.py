"""Rows asked many at once: ValeChat's `map` against what others have for it, on one loopback server.

python benchmarks/bench_map.py [--rows 2000] [--rounds 3] [--concurrency 16]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
LITELLM = ROOT / ".cache" / "bench-litellm" / "bin" / "python"
PEERS = ("ValeChat map", "asyncio + openai SDK", "litellm batch_completion", "chatlas parallel_chat_text")


def ask(peer: str, url: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """One peer's report; None where it is not installed."""
    python = str(LITELLM) if peer.startswith("litellm") else sys.executable
    if not Path(python).exists():
        return None
    command = [python, str(HERE / "_mapper.py"), peer, url, str(options.rows), str(options.concurrency)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, cwd=ROOT)
    if ran.returncode:
        if "ModuleNotFoundError" in ran.stderr:
            return None
        raise RuntimeError(f"{peer}: {ran.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    command = [sys.executable, "-m", "tests.rows.modelserver", "{}"]
    found: dict[str, list[dict[str, Any]]] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            for turn in range(options.rounds):
                for peer in PEERS[turn % 4 :] + PEERS[: turn % 4]:
                    report = ask(peer, url, options)
                    if report is not None:
                        found.setdefault(peer, []).append(report)
        finally:
            server.terminate()
    load = os.getloadavg()[0]
    print(f"{options.rows:,} rows, {options.concurrency} at once, {options.rounds} rounds; load {load:.1f}\n")
    print("|  | rows/s | time × ValeChat | CPU ms/row | CPU × ValeChat | right | MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    own = found["ValeChat map"]
    for peer in PEERS:
        if peer not in found:
            print(f"| {peer} | not installed |  |  |  |  |  |")
            continue
        reports = found[peer]
        times = [one["seconds"] / base["seconds"] for one, base in zip(reports, own, strict=True)]
        cpus = [one["cpu"] / base["cpu"] for one, base in zip(reports, own, strict=True)]
        rate = options.rows / median(one["seconds"] for one in reports)
        each = 1000 * median(one["cpu"] for one in reports) / options.rows
        right = min(one["right"] for one in reports)
        memory = max(one["memory"] for one in reports)
        print(
            f"| {peer} | {rate:,.0f} | {median(times):.2f} ({min(times):.2f}–{max(times):.2f}) | {each:.2f} "
            f"| {median(cpus):.2f} ({min(cpus):.2f}–{max(cpus):.2f}) | {right:,} | {memory:.0f} |"
        )


if __name__ == "__main__":
    main()
