"""The batches that a provider lists, made near a moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from valechat.providers._service import HttpService

__all__ = ["NEAR", "made_near", "moment_of"]

NEAR = timedelta(hours=1)
"""Two machines' clocks agree to this, with the time that a hand-over takes."""

_PAGE = 100
"""What OpenAI's listing gives at most at a time; Anthropic's gives up to 1,000."""


async def made_near(
    http: HttpService, path: str, at: datetime, *, cursor: str
) -> AsyncGenerator[Mapping[str, Any], None]:
    """The batches at `path` made within `NEAR` of a moment, or at a time unknown.

    They are listed newest first, so the pages end where they are older. `cursor` names the parameter that takes a
    page's last id; a server that does not know it sends the same page again, which ends the pages too.
    """
    seen: set[str] = set()
    after = ""
    while True:
        listed = await http.get_json(f"{path}?limit={_PAGE}{after}")
        page = [batch for batch in listed.get("data") or () if str(batch["id"]) not in seen]
        for batch in page:
            seen.add(str(batch["id"]))
            made = moment_of(batch.get("created_at"))
            if made is None or abs(made - at) <= NEAR:
                yield batch
        oldest = moment_of(page[-1].get("created_at")) if page else None
        if not page or not listed.get("has_more") or (oldest is not None and oldest < at - NEAR):
            return
        after = f"&{cursor}={quote(str(page[-1]['id']), safe='')}"


def moment_of(value: object) -> datetime | None:
    """A moment as OpenAI writes it (Unix seconds) or as Anthropic does (RFC 3339)."""
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        made = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return made if made is None or made.tzinfo is not None else made.replace(tzinfo=UTC)
