"""Files to and from a provider's server: an upload as a form, a download line by line."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from typing import Any

import orjson

from valechat.errors import StreamBroken
from valechat.providers._http import FOREIGN, foreign_error, read_body
from valechat.providers._service import MOST_JSON_BYTES, HttpService
from valechat.providers._sse import ServerEvent

__all__ = ["json_lines", "upload"]


async def upload(http: HttpService, path: str, name: str, content: bytes, **fields: str) -> Any:
    """POST a file with some fields as `multipart/form-data` (RFC 7578); the JSON answer.

    Raises:
        ProviderError: No answer, a refusal, or not JSON.
        MissingKey: No key was found and one is needed.
    """
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts += [f"{head}Content-Type: application/jsonl\r\n\r\n".encode(), content, f"\r\n--{boundary}--\r\n".encode()]
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    sent = await http.send("POST", path, b"".join(parts), headers, http.timeout)
    try:
        async with asyncio.timeout(http.timeout):
            data = await read_body(sent.response, MOST_JSON_BYTES)
    except TimeoutError:
        raise http.silent(http.timeout) from None
    except FOREIGN as error:
        raise foreign_error(http.provider, http.base_url, error, answering=True) from None
    finally:
        await sent.response.aclose()
    return sent.decode(ServerEvent(data))


async def json_lines(http: HttpService, path: str) -> AsyncGenerator[Any, None]:
    """GET a file of JSON lines, a value at a time.

    Raises:
        ProviderError: As for `upload`; `StreamBroken` when it ends in the middle of a line.
    """
    sent = await http.send("GET", path, None, {}, http.timeout)
    rest = b""
    try:
        async for piece in sent.response.aiter_bytes():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.strip():
                    yield sent.decode(ServerEvent(line))
        if rest.strip():
            yield orjson.loads(rest)
    except orjson.JSONDecodeError:
        raise StreamBroken(f"A file of {http.provider} ended in the middle.", provider=http.provider) from None
    except FOREIGN as error:
        raise foreign_error(http.provider, http.base_url, error, answering=True) from None
    finally:
        await sent.response.aclose()
