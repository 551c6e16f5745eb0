"""What a server's refusal means: from status, headers and body to one of our errors.

Bodies come in the form of any provider, as a web page or empty; what the server said is kept, in
one sentence, without the key.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson

from valechat.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
)

__all__ = ["retry_after", "said", "scrubbed", "status_error", "stream_error"]

_MOST_SAID = 400
_MOST_DEPTH = 6
_MOST_PAGE = 8 * 1024

_BY_STATUS: dict[int, type[ProviderError]] = {
    401: AuthenticationFailed,
    402: RateLimited,
    403: AuthenticationFailed,
    404: ModelNotFound,
    408: TimedOut,
    409: ServerFailed,
    425: ServerFailed,
    429: RateLimited,
}

# Words in an error's code, type, status or message that say more than the HTTP status does: first match wins.
_BY_WORD: tuple[tuple[str, type[ProviderError]], ...] = (
    ("context_length_exceeded", RequestRejected),
    ("model_not_found", ModelNotFound),
    ("invalid_model", ModelNotFound),
    ("model not exist", ModelNotFound),
    ("api_key_invalid", AuthenticationFailed),
    ("api key not valid", AuthenticationFailed),
    ("invalid_api_key", AuthenticationFailed),
    ("insufficient_quota", RateLimited),
    ("credit balance", RateLimited),
    ("resource_exhausted", RateLimited),
    ("rate_limit", RateLimited),
    ("overloaded", ServerFailed),
    ("authentication_error", AuthenticationFailed),
    ("permission_error", AuthenticationFailed),
    ("invalid_request", RequestRejected),
    ("not_found_error", ModelNotFound),
)

_NO_CREDIT = ("insufficient_quota", "credit balance", "insufficient balance", "billing_hard_limit")

_FIXES: dict[type[ProviderError], str] = {
    AuthenticationFailed: "Check the key: `valechat keys set {provider}`.",
    ModelNotFound: "Check the model's name and the provider's `base_url`; `valechat models` lists what there is.",
    RateLimited: "Wait a little, or choose another model.",
    ServerFailed: "Try again, or choose another model.",
}


def status_error(
    provider: str, status: int, headers: Mapping[str, str], body: bytes, *, key: str | None = None
) -> ProviderError:
    """The error for a response that is none of 2xx.

    Args:
        provider: Name of the provider.
        status: HTTP status.
        headers: The response's headers, names in lower case.
        body: What could be read of the body.
        key: The key that was sent, to be taken out of what the server said.
    """
    if 300 <= status < 400:
        target = scrubbed(headers.get("location", "elsewhere"), key)
        return RequestRejected(
            f"{provider} answered with a redirect ({status}) to {target}, which is not followed, "
            "so that the key goes nowhere else.",
            provider=provider,
            status=status,
            fix=f"Set `base_url` in [providers.{provider}] to the address that answers itself.",
        )
    value = _json(body)
    words = _words(value)
    kind = RequestRejected if _moderated(value) else _BY_STATUS.get(status)
    if kind is None or status == 404:
        by_word = _by_word(words) if status < 500 else None
        kind = by_word or kind or (ServerFailed if status >= 500 else RequestRejected)
    no_credit = status == 402 or any(word in words for word in _NO_CREDIT)
    should_retry = {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())
    return kind(
        f"{provider} refused ({status}): {scrubbed(said(body) or _phrase(status), key)}",
        provider=provider,
        status=status,
        retry_after=_first(retry_after(headers), _retry_delay(value)),
        should_retry=False if no_credit else should_retry,
        fix="Add credit to the account, or choose another model."
        if no_credit
        else _FIXES.get(kind, "").format(provider=provider),
    )


def stream_error(provider: str, value: Any, *, key: str | None = None) -> ProviderError:
    """The error for one that arrives as JSON inside a stream, or as the whole body of a 200."""
    error = value.get("error", value) if isinstance(value, Mapping) else value
    code = error.get("code") if isinstance(error, Mapping) else None
    words = _words(value)
    kind = _by_word(words)
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    if status is not None:
        kind = _BY_STATUS.get(status) or kind or (ServerFailed if status >= 500 else RequestRejected)
    kind = kind or ServerFailed
    return kind(
        f"{provider} reported an error: {scrubbed(_find(value) or 'it did not say which', key)}",
        provider=provider,
        status=status,
        should_retry=False if any(word in words for word in _NO_CREDIT) else None,
        fix=_FIXES.get(kind, "").format(provider=provider),
    )


def said(body: bytes) -> str:
    """What an error's body says, in one line of at most 400 characters; empty for an empty body."""
    value = _json(body)
    if value is not None:
        found = _find(value)
        return _line(found or json.dumps(value, ensure_ascii=False))
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        return _page(text[:_MOST_PAGE])
    return _line(text)


def scrubbed(text: str, key: str | None) -> str:
    """The text with the key taken out, as it is and as it looks in a URL or in JSON."""
    if not key:
        return text
    for form in {key, quote(key, safe=""), json.dumps(key)[1:-1]}:
        text = text.replace(form, "[key]")
    return text


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds the server asks to wait: `retry-after-ms`, else `retry-after`, seconds or a date (RFC 9110, 10.2.3)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is not None or value is None:
        return seconds
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def _retry_delay(value: Any) -> float | None:
    """Seconds to wait as Google says them: `error.details[].retryDelay`, "27s" (google.rpc.RetryInfo)."""
    error = value.get("error") if isinstance(value, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    delays = (
        [item.get("retryDelay") for item in details if isinstance(item, Mapping)] if isinstance(details, list) else []
    )
    return next((_number(delay.removesuffix("s")) for delay in delays if isinstance(delay, str)), None)


def _moderated(value: Any) -> bool:
    """Whether the question itself was refused: OpenRouter's 403 with `error.metadata.reasons`."""
    error = value.get("error") if isinstance(value, Mapping) else None
    metadata = error.get("metadata") if isinstance(error, Mapping) else None
    return isinstance(metadata, Mapping) and bool(metadata.get("reasons"))


def _first(one: float | None, other: float | None) -> float | None:
    return other if one is None else one


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d{1,9}(\.\d+)?\s*", text):
        return None
    return float(text)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _find(value: Any, depth: int = 0) -> str:
    """The human words of an error value, wherever its provider puts them."""
    if isinstance(value, str):
        return value
    if depth > _MOST_DEPTH:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_find(item, depth + 1) for item in value[:3])))
    if not isinstance(value, Mapping):
        return ""
    for name in ("error", "errors", "message", "msg", "detail", "details", "error_description", "title"):
        found = _find(value.get(name), depth + 1)
        if found:
            raw = _find(_inner(value.get("metadata")), depth + 1)
            return f"{found} ({raw})" if raw and raw not in found else found
    return str(value.get("type") or value.get("code") or "")


def _inner(metadata: Any) -> Any:
    """What the provider behind a router said, where the router passes it on (`metadata.raw`)."""
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    if not isinstance(raw, str):
        return raw
    parsed = _json(raw.encode("utf-8", "replace"))
    return raw if parsed is None else parsed


def _words(value: Any) -> str:
    """Code, type, status, reason and message of an error value, in lower case."""
    return " ".join(_texts(value)).lower()


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    items: Iterable[Any] = ()
    if isinstance(value, Mapping):
        for name in ("code", "type", "status", "reason", "message"):
            if isinstance(value.get(name), str):
                yield value[name]
        items = (value.get("error"), value.get("details"))
    elif isinstance(value, list):
        items = value
    if depth < _MOST_DEPTH:
        for item in items:
            yield from _texts(item, depth + 1)


def _by_word(words: str) -> type[ProviderError] | None:
    return next((kind for word, kind in _BY_WORD if word in words), None)


def _page(text: str) -> str:
    """The title or first heading of a web page, or the beginning of its text."""
    for pattern in (r"<title[^>]*>(.*?)</title>", r"<h1[^>]*>(.*?)</h1>"):
        match = re.search(pattern, text, re.IGNORECASE | re.DOTALL)
        if match and (found := _line(_plain(match[1]))):
            return f"a web page, “{found}”"
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.IGNORECASE | re.DOTALL)
    return f"a web page, “{_line(_plain(plain))}”"


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^<>]*>", " ", markup))


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SAID else line[: _MOST_SAID - 1] + "…"


def _phrase(status: int) -> str:
    if status == 529:
        return "Overloaded"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
