"""The kinds of value a setting can have, beyond what pydantic has: money, sizes, addresses, time zones.

An invalid value raises a pydantic error of type `setting`, whose context may hold `fix` (what to
do), `write` (the value to write instead) and `key` (the key inside the setting that is meant).
"""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from decimal import Decimal, InvalidOperation
from importlib.metadata import entry_points
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, PlainSerializer, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from valechat.config.known import Kind
from valechat.config.names import nearest, parse_model
from valechat.errors import ConfigError

__all__ = [
    "PROVIDERS",
    "BaseUrl",
    "Header",
    "HeaderValue",
    "ModelName",
    "Money",
    "ProviderKind",
    "Size",
    "TimeZone",
    "is_local",
    "wrong",
]

PROVIDERS = "valechat.providers"
"""The entry points by which other packages bring kinds of providers."""

MOST_MONEY = Decimal(10) ** 12
MOST_PLACES = 14
"""Decimal places of an amount: a price per million tokens times tokens then fits the ledger's 20."""


def wrong(message: str, *, fix: str = "", write: str = "", key: str = "") -> PydanticCustomError:
    """The error of an invalid setting; see the module's docstring."""
    # The message is a parameter: pydantic would read braces in a template as places to fill in.
    context: dict[str, Any] = {"message": message, "fix": fix, "write": write, "key": key}
    return PydanticCustomError("setting", "{message}", context)


def _money(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, float):
        raise wrong(
            f"is the inexact number {value}; money is written as text, so that every digit counts",
            write=f'"{value}"' if value == value and abs(value) < 1e12 else '"5.00"',  # noqa: PLR0124 - true unless NaN
        )
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= MOST_MONEY:
            raise wrong("is too large an amount of money")
        amount = Decimal(value)
    elif isinstance(value, str):
        try:
            amount = Decimal(value) if re.fullmatch(r"\s*-?[0-9]{1,40}(\.[0-9]{1,40})?\s*", value) else Decimal("NaN")
        except InvalidOperation:  # an ambient decimal context may trap what is no number
            amount = Decimal("NaN")
    else:
        raise wrong("is not an amount of money", write='"5.00"')
    if not amount.is_finite():
        raise wrong("is not an amount of US dollars", write='"5.00"')
    if amount < 0:
        raise wrong("is below zero; an amount of money is zero or more")
    if amount >= MOST_MONEY:
        raise wrong("is too large an amount of money")
    if -int(amount.as_tuple().exponent) > MOST_PLACES:
        raise wrong(f"has more than {MOST_PLACES} decimal places")
    return amount


Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,14})?$", "description": "US dollars"}),
]
"""An amount of US dollars, or of US dollars per million tokens: zero or more, exact."""


def _size(value: Any) -> Any:
    if isinstance(value, bool | float) or not isinstance(value, int | str):
        raise wrong("is not a size", write='"50 KB"')
    return value


def _bounded(value: ByteSize) -> ByteSize:
    if not 0 < value <= 10**12:
        raise wrong("is not a size between 1 byte and 1 TB", write='"50 KB"')
    return value


Size = Annotated[ByteSize, BeforeValidator(_size), AfterValidator(_bounded)]
"""A number of bytes, or text such as `50 KB` (50,000) or `50 KiB` (51,200)."""


def _model_name(value: str) -> str:
    try:
        provider, model = parse_model(value)
    except ConfigError as error:
        raise wrong(f"is {value!r}, which does not name a model", fix=error.fix) from None
    return f"{provider}/{model}"


ModelName = Annotated[str, Field(strict=True), AfterValidator(_model_name)]
"""`provider/model`; `provider:model` is read as the same."""


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(value, zoneinfo.available_timezones())
        raise wrong(
            f"is {value!r}, which is not a time zone",
            fix="" if near else "Leave it out for the system's own.",
            write=f'"{near}"' if near else "",
        ) from None
    return value


TimeZone = Annotated[str, Field(strict=True), AfterValidator(_time_zone)]
"""An IANA time zone, such as `Europe/Amsterdam`."""


def is_local(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _provider_kind(value: str) -> str:
    if value in get_args(Kind) or value in (kinds := {entry.name for entry in entry_points(group=PROVIDERS)}):
        return value
    near = nearest(value, [*get_args(Kind), *kinds])
    raise wrong(
        f"has an unknown value: {value!r} is no kind of provider",
        fix=f"Use one of {', '.join(get_args(Kind))}, or install the package that brings it.",
        write=f"{near!r}" if near else "",
    )


ProviderKind = Annotated[str, Field(strict=True), AfterValidator(_provider_kind)]
"""The wire a provider speaks: one of ValeChat's own, or of another package's."""


def _base_url(value: str) -> str:
    text = value.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise wrong("is not an address", write='"https://example.com/v1"') from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isascii() or not text.isprintable():
        raise wrong("is not an http or https address", write='"https://example.com/v1"')
    if parts.username is not None or parts.password is not None:
        raise wrong("has a user name or password in it", fix="Put the secret into api_key or headers, as ${VAR}.")
    if parts.query or parts.fragment or " " in text:
        raise wrong("has more than scheme, host, port and path", fix="Leave out everything from ? or # on.")
    return text


BaseUrl = Annotated[str, Field(strict=True), AfterValidator(_base_url)]
"""An http or https address without a trailing slash, a secret or a query."""


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", value, re.ASCII):
        raise wrong("is not a name an HTTP header can have")
    return value


Header = Annotated[str, Field(strict=True), AfterValidator(_header)]
"""An HTTP header's name, RFC 9110 §5.1."""


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable():
        raise wrong("has characters that cannot be sent in an HTTP header", fix="Use printable ASCII characters only.")
    return value


HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
"""An HTTP header's value, hidden because it may be a secret."""
