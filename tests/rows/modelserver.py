"""A Chat Completions server on loopback that answers many at once, and fails as often as it is told to.

    python -m tests.rows.modelserver '{"refuse": 0.05, "fail": 0.05, "cut": 0.02, "drop": 0.02, "slow": 0.01}'

It prints its address. `GET /counts` says how many answers it has sent to their end, by prompt and in all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.rows.loopback import LoopbackServer

__all__ = ["ModelServer"]

PIECES = 8


class ModelServer(LoopbackServer):
    """The server. Used as `async with ModelServer(...) as server`.

    Args:
        faults: How often it does what: `refuse` (429 with Retry-After), `fail` (500), `cut` (ends in the middle),
            `drop` (closes without an answer), `slow` (waits 0.3 s).
        answer: The answer to a prompt.
        seconds: How long each answer takes.
    """

    def __init__(
        self,
        faults: Mapping[str, float] | None = None,
        *,
        answer: Callable[[str], str] = lambda prompt: f"Answer to {prompt}",
        seconds: float = 0.0,
        seed: int = 7,
    ) -> None:
        super().__init__()
        self.faults = dict(faults or {})
        self.answer = answer
        self.seconds = seconds
        self.completed: Counter[str] = Counter()
        self.refused = self.inside = self.most_inside = 0
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.bodies: list[dict[str, Any]] = []
        self._random = random.Random(seed)

    @property
    def answers(self) -> int:
        return sum(self.completed.values())

    async def answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        if head.startswith("GET /v1/counts"):
            counts = {"answers": self.answers, "twice": sum(n > 1 for n in self.completed.values())}
            return await _whole(writer, 200, {**counts, "refused": self.refused})
        if not head.startswith("POST"):
            return await _whole(writer, 200, {"object": "list", "data": [{"id": "scripted"}]})
        asked = json.loads(body)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.arrived.set()
        try:
            await self.go_on.wait()
            return await self._answer(asked, writer)
        finally:
            self.inside -= 1

    async def _answer(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        self.bodies = [*self.bodies[-9:], asked]
        content = asked["messages"][-1]["content"]
        prompt = content if isinstance(content, str) else content[0]["text"]
        chance, fault = self._random.random(), ""
        for name, share in self.faults.items():
            if chance < share:
                fault = name
                break
            chance -= share
        if fault == "drop":
            return False
        if fault == "refuse":
            self.refused += 1
            error = {"error": {"message": "Rate limit reached", "type": "rate_limit_error"}}
            return await _whole(writer, 429, error, "Retry-After-Ms: 20\r\n")
        if fault == "fail":
            return await _whole(writer, 500, {"error": {"message": "The server had an error", "type": "server_error"}})
        if prompt.startswith("reject"):
            return await _whole(writer, 400, {"error": {"message": "No.", "type": "invalid_request_error"}})
        if self.seconds or fault == "slow":
            await asyncio.sleep(0.3 if fault == "slow" else self.seconds)
        text = self.answer(prompt)
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        if not asked.get("stream"):
            self.completed[prompt] += 1
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            head = {"id": "c", "object": "chat.completion", "created": 1, "model": asked["model"]}
            return await _whole(writer, 200, {**head, "choices": [choice], "usage": usage})
        size = max(1, -(-len(text) // PIECES))
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        events = [_event({"content": piece}, None, asked["model"]) for piece in pieces]
        if fault == "cut":
            writer.write(_STREAM + _chunked(b"".join(events[:2])))
            await writer.drain()
            return False
        self.completed[prompt] += 1
        end = _event({}, "stop", asked["model"], usage)
        writer.write(_STREAM + _chunked(b"".join([*events, end, b"data: [DONE]\n\n"])) + b"0\r\n\r\n")
        await writer.drain()
        return True


_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(delta: dict[str, Any], reason: str | None, model: str, usage: dict[str, int] | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    value: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model}
    value["choices"] = [choice]
    if usage:
        value["usage"] = usage
    return b"data: " + json.dumps(value).encode() + b"\n\n"


async def _whole(writer: asyncio.StreamWriter, status: int, body: object, headers: str = "") -> bool:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    writer.write(head.encode() + data)
    await writer.drain()
    return True


async def _main() -> None:
    settings = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    seconds = settings.pop("seconds", 0.0)
    async with ModelServer(settings, seconds=seconds) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
