"""Anthropic's Message Batches: requests in one body, results as JSON lines within 24 hours, kept for 29 days.

The form is Anthropic's API reference, "Create a Message Batch" and its siblings (November 2026).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import orjson

from valechat.accumulate import Answer
from valechat.providers._anthropic_reader import AnthropicReader
from valechat.providers._anthropic_request import anthropic_body
from valechat.providers._files import json_lines
from valechat.providers._service import HttpService
from valechat.providers.batches import BatchLine, BatchResult, BatchState

__all__ = ["AnthropicBatches"]

_PAGE = 100


class AnthropicBatches:
    """The batch API of a server that speaks Messages."""

    most_rows = 100_000
    most_bytes = 100_000_000
    """Less than the 256 MB a batch may have: it is in memory while it is sent."""

    def __init__(self, http: HttpService, *, official: bool) -> None:
        self._http = http
        self._official = official

    def size(self, line: BatchLine) -> int:
        """See `Batches.size`."""
        return len(orjson.dumps(self._line(line))) + 1

    async def submit(self, batch_id: str, lines: Sequence[BatchLine]) -> str:
        """See `Batches.submit`. Our id is the beginning of each `custom_id`: a batch has no name."""
        del batch_id
        made = await self._http.post_json("/messages/batches", {"requests": [self._line(line) for line in lines]})
        return str(made["id"])

    async def find(self, batch_id: str) -> str | None:
        """See `Batches.find`. Only a batch that is over says which requests it had."""
        listed = await self._http.get_json(f"/messages/batches?limit={_PAGE}")
        for batch in listed.get("data") or ():
            if batch.get("processing_status") == "ended":
                async for line in json_lines(self._http, f"/messages/batches/{batch['id']}/results"):
                    if str(line.get("custom_id")).startswith(batch_id):
                        return str(batch["id"])
                    break
        return None

    async def state(self, remote: str) -> BatchState:
        """See `Batches.state`."""
        batch = await self._http.get_json(f"/messages/batches/{remote}")
        return BatchState(batch["processing_status"] == "ended", batch["processing_status"])

    async def results(self, remote: str) -> AsyncGenerator[BatchResult, None]:
        """See `Batches.results`."""
        async for line in json_lines(self._http, f"/messages/batches/{remote}/results"):
            yield _result(line, self._http.provider)

    async def cancel(self, remote: str) -> None:
        """See `Batches.cancel`."""
        await self._http.post_json(f"/messages/batches/{remote}/cancel", {})

    def _line(self, line: BatchLine) -> dict[str, Any]:
        made = anthropic_body(line.request, self._http.provider, official=self._official)
        params = {name: value for name, value in made.body.items() if name != "stream"}
        return {"custom_id": line.custom_id, "params": params}


def _result(line: Mapping[str, Any], provider: str) -> BatchResult:
    custom_id, result = str(line.get("custom_id")), line.get("result") or {}
    if result.get("type") != "succeeded":
        error = result.get("error") or {}
        inner = error.get("error") or error
        return BatchResult(custom_id, None, str(inner.get("message") or f"the request was {result.get('type')}"))
    answer, reader = Answer(), AnthropicReader(provider)
    for chunk in [*reader.read(result["message"]), *reader.finish()]:
        answer.add(chunk)
    return BatchResult(custom_id, answer)
