"""Rows on their way to the model: prompts made, known ones left out, in pieces that fit into memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from valechat.attachments import Sizes, attach
from valechat.errors import ConfigError
from valechat.ledger.jobs import JobRow, JobStore
from valechat.messages import ImagePart, Message, Part
from valechat.providers.base import Options, Request
from valechat.rows.source import Source
from valechat.rows.template import Template

__all__ = ["Common", "Feed", "Item", "Piece", "broken_row", "item_of"]

PIECE = 256
"""Rows that are read at once."""

KEPT = ("complete", "invalid", "out")
"""Rows that are not asked again."""


@dataclass(frozen=True, slots=True)
class Common:
    """What all requests of a job have in common."""

    model: str
    template: Template
    system: str | None
    options: Options
    images: str | None = None

    @property
    def key(self) -> str:
        """What makes an answer another one besides its prompt."""
        options = self.options
        controls = (options.temperature, options.max_tokens, options.reasoning_effort, options.seed)
        return repr((self.model, self.system, controls, _sorted(options.schema), _sorted(options.extra)))

    def digest(self, prompt: str, parts: Sequence[Part] = ()) -> str:
        """By what a row is known again: 32 hexadecimal digits of all that is asked."""
        found = hashlib.blake2b(f"{self.key}\n{prompt}".encode("utf-8", "surrogatepass"), digest_size=16)
        for part in parts:
            if isinstance(part, ImagePart):
                found.update(part.data)
        return found.hexdigest()

    def request(self, item: Item) -> Request:
        """The request of a row."""
        return Request(self.model, [Message.user(item.prompt, *item.parts)], self.system, (), self.options)


@dataclass(frozen=True, slots=True)
class Item:
    """A row to ask. `source` is the row itself, where the input cannot be read again."""

    row: int
    prompt: str
    digest: str
    parts: Sequence[Part] = ()
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows in order: those to ask, those that cannot be asked, and how many are known already."""

    items: Sequence[Item]
    broken: Sequence[tuple[Item, str]]
    kept: int


class Feed:
    """Reads a source piece by piece. Blocking: for a worker thread, one call at a time."""

    def __init__(self, source: Source, common: Common, sizes: Sizes, store: JobStore, job_id: str) -> None:
        self._rows: Iterator[tuple[int, Mapping[str, Any]]] = enumerate(source.rows())
        self._once = source.once
        self._common = common
        self._sizes = sizes
        self._store = store
        self._job_id = job_id

    def next(self) -> Piece | None:
        """The next piece; None when all is read.

        Raises:
            ConfigError: A row is neither a mapping nor a text.
        """
        made: list[tuple[Item, str]] = []
        for row, values in self._rows:
            made.append(self._item(row, values))
            if len(made) == PIECE:
                break
        if not made:
            return None
        known = self._store.known(self._job_id, made[0][0].row, made[-1][0].row + 1)
        new = [(item, why) for item, why in made if known.get((item.row, item.digest)) not in KEPT]
        return Piece([item for item, why in new if not why], [(i, w) for i, w in new if w], len(made) - len(new))

    def _item(self, row: int, values: Mapping[str, Any]) -> tuple[Item, str]:
        item, why = item_of(row, values, self._common, self._sizes)
        return (replace(item, source=dict(values)) if self._once else item), why


def item_of(row: int, values: Mapping[str, Any], common: Common, sizes: Sizes) -> tuple[Item, str]:
    """A row as it is asked, and why it cannot be; empty when it can."""
    try:
        prompt = common.template.fill(values)
    except Exception as error:  # noqa: BLE001  # the user's function may raise anything; the other rows go on
        return Item(row, "", common.digest(f"row {row}")), f"{type(error).__name__}: {error}"
    try:
        parts = attach(prompt, _images(values, common.images), (), sizes)
    except (ConfigError, OSError) as error:
        return Item(row, prompt, common.digest(prompt)), str(error)
    return Item(row, prompt, common.digest(prompt, parts), parts), ""


def broken_row(job_id: str, item: Item, why: str, model: str) -> JobRow:
    """A row that could not be asked."""
    return JobRow(
        job_id, item.row, item.digest, item.prompt, "failed", datetime.now(UTC), model, error=why, source=item.source
    )


def _images(values: Mapping[str, Any], column: str | None) -> list[Any]:
    if column is None:
        return []
    found = values.get(column)
    if found is None or (isinstance(found, float) and found != found):  # noqa: PLR0124  # how pandas says that there is none
        return []
    return [_image(one) for one in (found if isinstance(found, list | tuple) else [found])]


def _image(value: Any) -> Any:
    """A path, bytes, or whatever draws itself as PNG, such as a figure or a PIL image."""
    draw = getattr(value, "_repr_png_", None)
    drawn = draw() if callable(draw) else None
    return drawn if isinstance(drawn, bytes) else value


def _sorted(value: Mapping[str, Any] | None) -> str:
    return json.dumps(value, sort_keys=True, default=str) if value else ""
