"""OpenAI's and Anthropic's batch endpoints on loopback, over the same little HTTP as `modelserver`.

A batch is worked on when a test says so: `work(answered=…)` ends all that are out; rows after those answered
expire. Batches are listed newest first, `most_listed` at a time. What does not follow the providers' documentation
is refused as they refuse it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from tests.rows.loopback import LoopbackServer

__all__ = ["BatchServer"]

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


class BatchServer(LoopbackServer):
    """The server. Used as `async with BatchServer() as server`."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.lines: dict[str, list[dict[str, Any]]] = {}
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.most_listed = 100
        self.lose_answers = self.never_arrives = False
        self.refuse = False

    def work(self, *, answered: int = 10**9, status: str = "completed") -> None:
        """End all batches that are out; the first rows are answered, the rest not."""
        for batch_id, batch in self.batches.items():
            if batch.get("status") == "in_progress":
                self._end_openai(batch_id, answered, status)
            elif batch.get("processing_status") == "in_progress":
                self._end_anthropic(batch_id, answered, status)

    def _end_openai(self, batch_id: str, answered: int, status: str) -> None:
        good, bad = [], []
        for number, line in enumerate(self.lines[batch_id]):
            prompt = line["body"]["messages"][-1]["content"]
            head = {"id": f"batch_req_{number}", "custom_id": line["custom_id"]}
            if number >= answered:
                error = {"code": "batch_expired", "message": "This request could not be executed before it expired."}
                bad.append({**head, "response": None, "error": error})
            elif prompt.startswith("reject"):
                refused = {"error": {"message": "No.", "type": "invalid_request_error"}}
                bad.append(
                    {**head, "response": {"status_code": 400, "request_id": "r", "body": refused}, "error": None}
                )
            else:
                choice = {"index": 0, "message": {"role": "assistant", "content": f"Answer to {prompt}"}}
                choices = [{**choice, "finish_reason": "stop"}]
                body: dict[str, Any] = {
                    "id": "c",
                    "object": "chat.completion",
                    "model": "m",
                    "choices": choices,
                    "usage": USAGE,
                }
                good.append({**head, "response": {"status_code": 200, "request_id": "r", "body": body}, "error": None})
        good.reverse()  # the order of a file's answers is not that of its requests
        batch = self.batches[batch_id]
        batch["status"] = status
        for name, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch[name] = f"file-{name}-{batch_id}"
                self.files[batch[name]] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    def _end_anthropic(self, batch_id: str, answered: int, status: str) -> None:
        results: list[dict[str, Any]] = []
        for number, line in enumerate(self.lines[batch_id]):
            prompt = line["params"]["messages"][-1]["content"][-1]["text"]
            result: dict[str, Any] = {"type": "canceled" if status == "cancelled" else "expired"}
            if number < answered and prompt.startswith("reject"):
                error = {"type": "error", "error": {"type": "invalid_request_error", "message": "No."}}
                result = {"type": "errored", "error": error}
            elif number < answered:
                usage = {"input_tokens": 100, "output_tokens": 10, "service_tier": "batch"}
                content = [{"type": "text", "text": f"Answer to {prompt}"}]
                head = {"id": "msg", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"}
                result = {"type": "succeeded", "message": {**head, "content": content, "usage": usage}}
            results.append({"custom_id": line["custom_id"], "result": result})
        self.results[batch_id] = results[::-1]
        said = [line["result"]["type"] for line in results]
        counts = _counts(**{kind: said.count(kind) for kind in set(said)})
        self.batches[batch_id].update(processing_status="ended", request_counts=counts)

    async def answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        verb, path, _ = head.split(" ", 2)
        handed_over = verb == "POST" and path.endswith("batches")
        if self.never_arrives and handed_over:
            return False
        status, found = self._answer(verb, path.removeprefix("/v1"), body)
        if self.lose_answers and handed_over:
            return False
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()
        return True

    def _answer(self, verb: str, path: str, body: bytes) -> tuple[int, Any]:  # noqa: PLR0911  # one line an endpoint
        path, _, query = path.partition("?")
        parts = path.strip("/").split("/")
        if verb == "POST" and self.refuse:
            return 400, {"error": {"message": "The batch queue is full.", "type": "invalid_request_error"}}
        match verb, parts:
            case "POST", ["files"]:
                return self._upload(body)
            case "GET", ["files", file, "content"]:
                return 200, self.files[file]
            case "POST", ["batches"]:
                return self._create_openai(json.loads(body))
            case "POST", ["messages", "batches"]:
                return self._create_anthropic(json.loads(body))
            case "GET", ["batches"] | ["messages", "batches"]:
                return 200, self._listed(dict(parse_qsl(query)))
            case "GET", ["messages", "batches", batch, "results"]:
                return 200, b"".join(json.dumps(line).encode() + b"\n" for line in self.results[batch])
            case "GET", ["batches", batch] | ["messages", "batches", batch]:
                return 200, self.batches[batch]
            case "POST", ["batches", batch, "cancel"] | ["messages", "batches", batch, "cancel"]:
                self.work(answered=1, status="cancelled")
                return 200, self.batches[batch]
        return 404, {"error": {"message": "Not found"}}

    def _listed(self, asked: dict[str, str]) -> dict[str, Any]:
        newest_first = list(self.batches.values())[::-1]
        after = asked.get("after") or asked.get("after_id")
        begin = 1 + [batch["id"] for batch in newest_first].index(after) if after else 0
        end = begin + min(int(asked["limit"]), self.most_listed)
        return {"data": newest_first[begin:end], "has_more": end < len(newest_first)}

    def _upload(self, body: bytes) -> tuple[int, Any]:
        boundary = body.split(b"\r\n", 1)[0]
        fields = {}
        for part in body.split(boundary)[1:-1]:
            head, content = part.strip(b"\r\n").split(b"\r\n\r\n", 1)
            name = re.search(rb'name="([^"]+)"', head)
            assert name is not None
            fields[name[1].decode()] = content
        if fields.get("purpose") != b"batch":
            return 400, {"error": {"message": "Invalid purpose"}}
        file = f"file-{len(self.files)}"
        self.files[file] = fields["file"]
        return 200, {"id": file, "object": "file", "purpose": "batch"}

    def _create_openai(self, asked: dict[str, Any]) -> tuple[int, Any]:
        assert asked["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        for line in lines:
            assert (line["method"], line["url"]) == ("POST", asked["endpoint"])
            assert "stream" not in line["body"]
        batch_id = f"batch_{len(self.batches)}"
        self.lines[batch_id] = lines
        self.batches[batch_id] = {
            "id": batch_id,
            "object": "batch",
            "created_at": int(datetime.now(UTC).timestamp()),
            "status": "in_progress",
            "metadata": asked.get("metadata"),
        }
        return 200, self.batches[batch_id]

    def _create_anthropic(self, asked: dict[str, Any]) -> tuple[int, Any]:
        for line in asked["requests"]:
            if not _ID.fullmatch(line["custom_id"]) or "max_tokens" not in line["params"] or "stream" in line["params"]:
                return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Invalid request"}}
        return 200, self.batches[self.take(asked["requests"])]

    def take(self, requests: Sequence[dict[str, Any]]) -> str:
        """Begin a Message Batch of these requests; its id."""
        batch_id, now = f"msgbatch_{len(self.batches)}", datetime.now(UTC)
        self.lines[batch_id] = list(requests)
        self.batches[batch_id] = {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "in_progress",
            "created_at": now.isoformat(),
            "expires_at": (now + timedelta(hours=24)).isoformat(),
            "archived_at": None,
            "request_counts": _counts(processing=len(requests)),
        }
        return batch_id


def _counts(**counts: int) -> dict[str, int]:
    return {"processing": 0, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0, **counts}
