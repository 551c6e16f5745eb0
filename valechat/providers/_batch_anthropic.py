"""Anthropic's Message Batches: requests in one body, results as JSON lines within 24 hours, kept for 29 days.

The form is Anthropic's API reference, "Create a Message Batch" and its siblings (November 2026).

A batch has neither a name nor metadata, and no key makes a second hand-over harmless. The listing says when a batch
was made, how many requests it has, and whether it has ended; only its results, which exist once it has, say the
`custom_id`s. So which batch it is whose id was lost is sure once it has ended, as soon as there is anything to fetch.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson

from valechat.accumulate import Answer
from valechat.providers._anthropic_reader import AnthropicReader
from valechat.providers._anthropic_request import anthropic_body
from valechat.providers._batch_listing import made_near, moment_of
from valechat.providers._files import json_lines
from valechat.providers._service import HttpService
from valechat.providers.batches import BatchLine, BatchResult, BatchState, LostBatch, Sighting

__all__ = ["AnthropicBatches"]

PATH = "/messages/batches"


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
        made = await self._http.post_json(PATH, {"requests": [self._line(line) for line in lines]})
        return str(made["id"])

    async def find(self, lost: LostBatch) -> Sighting:
        """See `Batches.find`. One that has not ended may be it, if it was made then and has as many requests."""
        maybe: list[Mapping[str, Any]] = []
        async with aclosing(made_near(self._http, PATH, lost.sent_at, cursor="after_id")) as batches:
            async for batch in batches:
                counts = (batch.get("request_counts") or {}).values()
                if batch["id"] in lost.others or (counts and sum(counts) != lost.rows):
                    continue
                if batch.get("processing_status") != "ended":
                    maybe.append(batch)
                elif not batch.get("archived_at") and await self._holds(str(batch["id"]), lost):
                    return Sighting(str(batch["id"]))
        ends = [moment_of(batch.get("expires_at")) for batch in maybe]
        known = [end for end in ends if end is not None]
        by = max(known) if known and len(known) == len(ends) else None
        return Sighting(None, [str(batch["id"]) for batch in maybe], by)

    async def _holds(self, remote: str, lost: LostBatch) -> bool:
        async with aclosing(json_lines(self._http, f"{PATH}/{remote}/results")) as results:
            async for line in results:
                return str(line.get("custom_id")).startswith(f"{lost.id}-")
        return False

    async def state(self, remote: str) -> BatchState:
        """See `Batches.state`."""
        batch = await self._http.get_json(f"{PATH}/{remote}")
        return BatchState(batch["processing_status"] == "ended", batch["processing_status"])

    async def results(self, remote: str) -> AsyncGenerator[BatchResult, None]:
        """See `Batches.results`."""
        async for line in json_lines(self._http, f"{PATH}/{remote}/results"):
            yield _result(line, self._http.provider)

    async def cancel(self, remote: str) -> None:
        """See `Batches.cancel`."""
        await self._http.post_json(f"{PATH}/{remote}/cancel", {})

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
