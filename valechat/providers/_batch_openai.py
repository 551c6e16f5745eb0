"""OpenAI's batch API: a file of requests goes up, a file of answers comes down within 24 hours.

The form is OpenAI's API reference, "Batch" and "Files", and its guide "Batch API" (November 2026).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from valechat.accumulate import Answer
from valechat.providers._batch_listing import made_near
from valechat.providers._chat_reader import ChatReader
from valechat.providers._chat_request import Dialect, chat_body
from valechat.providers._files import json_lines, upload
from valechat.providers._service import HttpService
from valechat.providers.base import Capabilities
from valechat.providers.batches import BatchLine, BatchResult, BatchState, LostBatch, Sighting

__all__ = ["OpenAIBatches"]

ENDPOINT = "/v1/chat/completions"
OURS = "valechat_batch"
"""The batch's metadata that holds our id of it."""

_OVER = ("completed", "failed", "expired", "cancelled")


class OpenAIBatches:
    """The batch API of a server that speaks Chat Completions."""

    most_rows = 50_000
    most_bytes = 100_000_000
    """Half of what a file may have: it is in memory while it is sent."""

    def __init__(self, http: HttpService, dialect: Dialect, capabilities: Callable[[str], Capabilities]) -> None:
        self._http = http
        self._dialect = dialect
        self._capabilities = capabilities

    def size(self, line: BatchLine) -> int:
        """See `Batches.size`."""
        return len(self._line(line))

    async def submit(self, batch_id: str, lines: Sequence[BatchLine]) -> str:
        """See `Batches.submit`."""
        content = b"".join(map(self._line, lines))
        file = await upload(self._http, "/files", f"{batch_id}.jsonl", content, purpose="batch")
        body = {
            "input_file_id": file["id"],
            "endpoint": ENDPOINT,
            "completion_window": "24h",
            "metadata": {OURS: batch_id},
        }
        made = await self._http.post_json("/batches", body)
        return str(made["id"])

    async def find(self, lost: LostBatch) -> Sighting:
        """See `Batches.find`. The metadata say it at once."""
        async with aclosing(made_near(self._http, "/batches", lost.sent_at, cursor="after")) as batches:
            async for batch in batches:
                if (batch.get("metadata") or {}).get(OURS) == lost.id:
                    return Sighting(str(batch["id"]))
        return Sighting()

    async def state(self, remote: str) -> BatchState:
        """See `Batches.state`."""
        batch = await self._http.get_json(f"/batches/{remote}")
        errors = (batch.get("errors") or {}).get("data") or ()
        return BatchState(
            batch["status"] in _OVER, batch["status"], "; ".join(str(error.get("message")) for error in errors)
        )

    async def results(self, remote: str) -> AsyncGenerator[BatchResult, None]:
        """See `Batches.results`."""
        batch = await self._http.get_json(f"/batches/{remote}")
        for file in filter(None, (batch.get("output_file_id"), batch.get("error_file_id"))):
            async for line in json_lines(self._http, f"/files/{file}/content"):
                yield self._result(line)

    async def cancel(self, remote: str) -> None:
        """See `Batches.cancel`."""
        await self._http.post_json(f"/batches/{remote}/cancel", {})

    def _line(self, line: BatchLine) -> bytes:
        body, _ = chat_body(line.request, self._http.provider, self._dialect, self._capabilities(line.request.model))
        whole = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
        return orjson.dumps({"custom_id": line.custom_id, "method": "POST", "url": ENDPOINT, "body": whole}) + b"\n"

    def _result(self, line: Mapping[str, Any]) -> BatchResult:
        custom_id, response = str(line.get("custom_id")), line.get("response") or {}
        body = response.get("body") or {}
        error = line.get("error") or body.get("error")
        if error or response.get("status_code") != 200:
            said = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
            return BatchResult(custom_id, None, str(said or f"status {response.get('status_code')}"))
        answer, reader = Answer(), ChatReader(self._http.provider)
        for chunk in [*reader.read(body), *reader.finish()]:
            answer.add(chunk)
        return BatchResult(custom_id, answer)
