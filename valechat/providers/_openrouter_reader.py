"""The stream of an OpenRouter call, event by event, as `Chunk`s: Chat Completions with its additions.

Those are reasoning in details, images the model drew, and the cost of the request, which is read to its
last digit: OpenRouter writes more of them than a float holds.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from valechat.messages import ImagePart
from valechat.providers._chat_reader import ChatReader
from valechat.providers._openrouter_reasoning import ReasoningDetails, reasoning_text
from valechat.providers.base import Chunk, PartChunk, StopChunk
from valechat.wires.reading import mapping

__all__ = ["OpenRouterReader", "error_in", "with_exact_cost"]

_MONEY = ("cost", "cost_details")


class OpenRouterReader:
    """Reads one stream: `read` each value, then `finish`.

    Args:
        provider: Whose stream it is.
        model: The model that was asked; both are kept with what must return to it unchanged.
    """

    def __init__(self, provider: str, model: str) -> None:
        self._chat = ChatReader(provider)
        self._details = ReasoningDetails(provider, model)
        self._stop: StopChunk | None = None

    @property
    def stopped(self) -> bool:
        """Whether the stop reason has arrived."""
        return self._chat.stopped

    def read(self, value: Any) -> Iterator[Chunk]:
        """What one value of the stream says. The stop waits for the end: details may follow it."""
        for choice in _choices(value):
            if choice.get("finish_reason") == "error":
                choice["finish_reason"] = None
            delta = choice.get("delta") or choice.get("message")
            if isinstance(delta, dict):
                details = delta.get("reasoning_details")
                self._details.add(details)
                if not delta.get("reasoning"):
                    delta["reasoning"] = reasoning_text(details) or None
                yield from _images(delta)
        for chunk in self._chat.read(value):
            if isinstance(chunk, StopChunk):
                self._stop = chunk
            else:
                yield chunk

    def latest_usage(self) -> list[Chunk]:
        """Usage that has arrived and was not passed on yet."""
        return self._chat.latest_usage()

    def finish(self) -> Iterator[Chunk]:
        """What the end of the stream completes."""
        rest = self._chat.finish()
        yield from (chunk for chunk in rest if not isinstance(chunk, StopChunk))
        yield from map(PartChunk, self._details.part())
        stop = self._stop or next((chunk for chunk in rest if isinstance(chunk, StopChunk)), None)
        if stop is not None:
            yield stop


def with_exact_cost(value: Any, data: bytes) -> Any:
    """The value of an event with its sums of money as Decimal, as the event's bytes write them."""
    usage = value.get("usage") if isinstance(value, dict) else None
    if isinstance(usage, dict) and any(name in usage for name in _MONEY):
        exact = mapping(json.loads(data, parse_float=Decimal), "usage")
        usage |= {name: exact[name] for name in _MONEY if name in exact}
    return value


def error_in(value: Any) -> dict[str, Any] | None:
    """The error a value tells of: its own, or one of its choices'."""
    if isinstance(value, Mapping) and value.get("error"):
        return {"error": value["error"]}
    for choice in _choices(value):
        if choice.get("error"):
            return {"error": choice["error"]}
        if choice.get("finish_reason") == "error":
            return {"error": {"message": "The model failed while it was answering."}}
    return None


def _choices(value: Any) -> Iterator[dict[str, Any]]:
    choices = value.get("choices") if isinstance(value, Mapping) else None
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            yield choice


def _images(delta: Mapping[str, Any]) -> Iterator[Chunk]:
    images = delta.get("images")
    for image in images if isinstance(images, list) else ():
        head, _, data = str(mapping(image, "image_url").get("url") or "").partition(";base64,")
        try:
            drawn = base64.b64decode(data, validate=True)
        except binascii.Error:
            continue
        if drawn and head.startswith("data:image/"):
            yield PartChunk(ImagePart(drawn, head.removeprefix("data:")))
