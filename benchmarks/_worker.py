"""One peer in a process of its own: asks when told to, and says how long it took.

    python _worker.py PEER URL

Says first what it is, `{"versions": {…}}` or `{"missing": "…"}`; then answers each line of input, a
question, with a measurement. Ends with its input.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from _peers import PEERS, Asked
from _wires import text


async def _measured(asked: Asked, question: str) -> dict[str, Any]:
    """Milliseconds to the first piece, seconds of the clock and of the processor to the end, and what arrived."""
    pieces = characters = 0
    first = 0.0
    cpu, begun = time.process_time(), time.perf_counter()
    async for piece in asked.ask(question):
        if not pieces:
            first = time.perf_counter() - begun
        pieces += 1
        characters += len(piece)
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"first_ms": first * 1000, "wall_s": wall, "cpu_s": cpu, "pieces": pieces, "characters": characters}


async def _serve(name: str, url: str) -> None:
    peer = PEERS[name]
    try:
        versions = {package: version(package) for package in peer.packages}
    except PackageNotFoundError as error:
        _say({"missing": error.name})
        return
    async with peer.enter(url) as asked:
        _say({"versions": versions})
        for line in sys.stdin:
            question = line.strip()
            gc.collect()
            measured = await asked.run(_measured(asked, question))
            expected = len(text(int(question.rpartition("-")[2])))
            if measured["characters"] != expected:
                raise SystemExit(f"{name} gave {measured['characters']} characters of {expected}.")
            _say(measured)


def _say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_serve(*sys.argv[1:]))
