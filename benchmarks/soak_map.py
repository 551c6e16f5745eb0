"""A long job against a server with faults: nothing paid twice, the limit held, memory flat.

python benchmarks/soak_map.py [--rows 100000] [--concurrency 32] [--kills 0]

A limit stops the job when half of it is paid; then the limit is raised, and the job goes on to its end. With `--kills`
it is begun by so many processes, one after the other, each of which is killed (SIGKILL) when its share is done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from valechat.rows import Rows

ROOT = Path(__file__).parent.parent
EACH = Decimal("0.00012")
"""What a row costs that is answered at once."""

WORST = Decimal("0.001")
"""More than what one request may cost."""

FAULTS = {"refuse": 0.02, "fail": 0.02, "cut": 0.01, "drop": 0.01, "slow": 0.005}


def main() -> None:
    """Run it, and fail where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--to-be-killed", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.to_be_killed:
        job(options)
        return
    command = [sys.executable, "-m", "tests.rows.modelserver", json.dumps(FAULTS)]
    with (
        TemporaryDirectory(dir=os.environ.get("BENCH_HOME")) as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server,
    ):
        try:
            assert server.stdout is not None
            run(home, server.stdout.readline().strip(), options)
        finally:
            server.terminate()


def run(home: str, url: str, options: argparse.Namespace) -> None:
    """One job, to its end."""
    os.environ["VALECHAT_HOME"] = home
    enough = EACH * options.rows * 2
    Path(home, "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{url}"\n[limits]\ndaily = "{enough}"\n'
        '[prices."lab/scripted"]\ninput = "1"\noutput = "2"\n'
    )
    import valechat
    from valechat import watching
    from valechat.engine import engine
    from valechat.rows.clerk import MOST_WAITING

    before = [killed(options, share=n / (options.kills + 1)) for n in range(1, options.kills + 1)]
    sizes: list[tuple[int, float]] = []
    process = psutil.Process()

    class Sizes:
        def look(self, progress: watching.Progress) -> None:
            if not sizes or progress.finished - sizes[-1][0] >= options.rows // 20:
                sizes.append((progress.finished, process.memory_info().rss / 2**20))

        def end(self, progress: watching.Progress) -> None:
            print(watching.line(progress))

    watching.use_watcher(Sizes)
    began = time.perf_counter()
    limit = EACH * (sum(before[-1:]) + options.rows) / 2
    valechat.limits.set(daily=limit)
    rows = job(options)
    state = valechat.limits.remaining()[0]
    print(f"stopped by the limit of ${limit} at ${state.used}: {rows!r}")
    assert rows.status == "limit"
    assert limit - WORST < state.used <= limit
    assert state.held == 0
    valechat.limits.set(daily=enough)
    rows = job(options)
    seconds = time.perf_counter() - began
    with urllib.request.urlopen(f"{url}/counts") as answer:  # loopback
        counts = json.load(answer)
    complete, spent = valechat.sql(
        "SELECT count(*) FILTER (WHERE status = 'complete'), sum(cost) FROM usage"
    ).fetchall()[0]
    state = valechat.limits.remaining()[0]
    asked = options.rows - sum(before[-1:])
    print(f"{asked / seconds:,.0f} rows/s; {rows!r}; the server answered {counts}")
    print("rows done and MB: " + ", ".join(f"{done:,}: {size:.0f}" for done, size in sizes))
    if before:
        print("killed when so many rows were kept: " + ", ".join(f"{done:,}" for done in before))
    # What was on its way, waited to be written or was being written when a process died is asked again.
    dying = options.kills * (options.concurrency + 2 * (MOST_WAITING + options.concurrency))
    assert complete == rows.done, "a kept row is paid twice, or is not paid"
    assert 0 <= counts["answers"] - complete <= dying, "an answer is lost"
    assert counts["twice"] <= counts["answers"] - complete
    assert rows.done + rows.failed == options.rows
    assert spent == rows.cost == state.used <= enough
    assert state.held == 0
    print(f"no kept row was paid twice, and the limit held; {counts['answers'] - complete} answers died with a process")
    engine().close()


def job(options: argparse.Namespace) -> Rows:
    """The job, or what is left of it."""
    import valechat

    return valechat.map_sync(
        (f"row {n}" for n in range(options.rows)),
        "Say {text}",
        model="lab/scripted",
        max_tokens=100,
        concurrency=options.concurrency,
    )


def killed(options: argparse.Namespace, *, share: float) -> int:
    """Kill a process in the middle of the job, once a share of the rows is done; how many are kept."""
    import valechat

    command = [sys.executable, __file__, "--to-be-killed", "--rows", str(options.rows)]
    with subprocess.Popen([*command, "--concurrency", str(options.concurrency)], cwd=ROOT) as process:
        while not any(found.done >= share * options.rows for found in valechat.jobs()):
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.2)
        process.kill()
    return valechat.jobs()[0].done


if __name__ == "__main__":
    main()
