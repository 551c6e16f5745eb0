"""One peer that asks many rows of one server: run as `python _mapper.py PEER URL ROWS CONCURRENCY`.

It prints one line of JSON: seconds by the clock, seconds of processor time, the answers that were right, and the
most memory, in MB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

PROMPT = "Say row {n}"


def valechat_map(url: str, rows: int, at_once: int) -> list[str]:
    """`valechat.map_sync`, with all it does."""
    with TemporaryDirectory(dir=os.environ.get("BENCH_HOME")) as home:
        os.environ["VALECHAT_HOME"] = home
        Path(home, "config.toml").write_text(
            f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{url}"\n[limits]\ndaily = "5000"\n'
            '[prices."lab/scripted"]\ninput = "1"\noutput = "2"\n'
        )
        import valechat
        from valechat.engine import engine

        valechat.map_sync([{"n": -1}], PROMPT, model="lab/scripted", max_tokens=100)
        begin()
        found = valechat.map_sync(
            [{"n": n} for n in range(rows)], PROMPT, model="lab/scripted", max_tokens=100, concurrency=at_once
        )
        answers = [row["answer"] for row in found.table]
        end()
        engine().close()
        return answers


def openai_loop(url: str, rows: int, at_once: int) -> list[str]:
    """An asyncio loop over the openai SDK, as its README shows it, with a semaphore. Nothing is kept."""
    import openai

    async def all_rows() -> list[str]:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=4) as client:
            room = asyncio.Semaphore(at_once)

            async def one(n: int) -> str:
                async with room:
                    answer = await client.chat.completions.create(
                        model="scripted",
                        messages=[{"role": "user", "content": PROMPT.format(n=n)}],
                        max_tokens=100,
                    )
                    return answer.choices[0].message.content or ""

            await one(-1)
            begin()
            answers = await asyncio.gather(*(one(n) for n in range(rows)))
            end()
            return answers

    return asyncio.run(all_rows())


def litellm_batch(url: str, rows: int, at_once: int) -> list[str]:
    """The `batch_completion` of litellm."""
    import litellm

    def ask(prompts: list[str]) -> list[str]:
        replies = litellm.batch_completion(
            model="openai/scripted",
            messages=[[{"role": "user", "content": prompt}] for prompt in prompts],
            max_workers=at_once,
            api_base=url,
            api_key="none",
            max_tokens=100,
        )
        return [reply.choices[0].message.content for reply in replies]

    ask(["warm"])
    begin()
    answers = ask([PROMPT.format(n=n) for n in range(rows)])
    end()
    return answers


def chatlas_parallel(url: str, rows: int, at_once: int) -> list[str]:
    """The `parallel_chat_text` of chatlas."""
    import chatlas

    async def all_rows() -> list[str]:
        chat = chatlas.ChatOpenAICompletions(model="scripted", base_url=url, api_key="none")
        await chatlas.parallel_chat_text(chat, ["warm"], max_active=at_once, rpm=10**9)
        begin()
        answers = await chatlas.parallel_chat_text(
            chat, [PROMPT.format(n=n) for n in range(rows)], max_active=at_once, rpm=10**9
        )
        end()
        return [answer or "" for answer in answers]

    return asyncio.run(all_rows())


PEERS: dict[str, Callable[[str, int, int], list[str]]] = {
    "ValeChat map": valechat_map,
    "asyncio + openai SDK": openai_loop,
    "litellm batch_completion": litellm_batch,
    "chatlas parallel_chat_text": chatlas_parallel,
}

_marks: list[tuple[float, float]] = []


def begin() -> None:
    """From here on it counts."""
    _marks.append((time.perf_counter(), time.process_time()))


end = begin
"""Up to here."""


def main() -> None:
    """Ask, check, report."""
    peer, url, rows, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    answers = PEERS[peer](url, rows, at_once)
    right = sum(answer == f"Answer to {PROMPT.format(n=n)}" for n, answer in enumerate(answers))
    (wall, cpu), (wall_end, cpu_end) = _marks
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {"seconds": wall_end - wall, "cpu": cpu_end - cpu, "right": right, "memory": memory}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
