"""A long job against a server with faults: nothing paid twice, the limit held, memory flat.

python benchmarks/soak_map.py [--rows 100000] [--concurrency 32]
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

import psutil

ROOT = Path(__file__).parent.parent
FAULTS = {"refuse": 0.02, "fail": 0.02, "cut": 0.01, "drop": 0.01, "slow": 0.005}


def main() -> None:
    """Run it, and fail where something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--concurrency", type=int, default=32)
    options = parser.parse_args()
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
    limit = Decimal("0.00012") * options.rows
    Path(home, "config.toml").write_text(
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{url}"\n[limits]\ndaily = "{limit * 2}"\n'
        '[prices."lab/scripted"]\ninput = "1"\noutput = "2"\n'
    )
    import valechat
    from valechat import watching
    from valechat.engine import engine

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
    rows = valechat.map_sync(
        (f"row {n}" for n in range(options.rows)),
        "Say {text}",
        model="lab/scripted",
        max_tokens=100,
        concurrency=options.concurrency,
    )
    seconds = time.perf_counter() - began
    with urllib.request.urlopen(f"{url}/counts") as answer:  # loopback
        counts = json.load(answer)
    complete, spent = valechat.sql(
        "SELECT count(*) FILTER (WHERE status = 'complete'), sum(cost) FROM usage"
    ).fetchall()[0]
    state = valechat.limits.remaining()[0]
    print(f"{options.rows / seconds:,.0f} rows/s; {rows!r}; the server answered {counts}")
    print("rows done and MB: " + ", ".join(f"{done:,}: {size:.0f}" for done, size in sizes))
    assert counts["answers"] == complete == rows.done, "an answer is lost or paid twice"
    assert counts["twice"] == 0
    assert rows.done + rows.failed == options.rows
    assert spent == rows.cost == state.used <= limit * 2
    assert state.held == 0
    print("nothing was paid twice, and the limit held")
    engine().close()


if __name__ == "__main__":
    main()
