"""The SDK's dispatcher, made tolerant: one bad entry of a list does not lose the whole list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from mcp import MCPError
from mcp.shared.dispatcher import CallOptions
from mcp.shared.inbound import find_invalid_x_mcp_header
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp.shared.transport_context import TransportContext
from mcp_types import RequestId
from mcp_types.methods import validate_server_result
from mcp_types.version import LATEST_HANDSHAKE_VERSION, MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

__all__ = ["REFUSED", "Wire"]

LISTS = {
    "tools/list": "tools",
    "resources/list": "resources",
    "resources/templates/list": "resourceTemplates",
    "prompts/list": "prompts",
}

REFUSED = "valechat/refused"
"""The key of a list's `_meta` under which the entries stand that were taken out, each with the reason."""


class Wire(JSONRPCDispatcher[TransportContext]):
    """Sends requests and takes in answers. The SDK rejects a list as a whole, so bad entries are taken out here.

    Attributes:
        version: The protocol's version as agreed; set after the handshake.
        ended: Set when nothing comes from the server any more.
        answers: How many requests were answered, be it with an error.
    """

    def __init__(self, read: Any, write: Any) -> None:
        super().__init__(read, write)
        self.version = LATEST_HANDSHAKE_VERSION
        self.ended = asyncio.Event()
        self.answers = 0

    async def run(self, *args: Any, **kwargs: Any) -> None:
        """Take in what comes, to the end."""
        try:
            await super().run(*args, **kwargs)
        finally:
            self.ended.set()

    async def send_raw_request(
        self,
        method: str,
        params: Mapping[str, Any] | None,
        opts: CallOptions | None = None,
        *,
        _related_request_id: RequestId | None = None,
    ) -> dict[str, Any]:
        """Send a request and wait for its result."""
        try:
            result = await super().send_raw_request(method, params, opts, _related_request_id=_related_request_id)
        except MCPError:
            self.answers += not self.ended.is_set()
            raise
        self.answers += 1
        key = LISTS.get(method, "")
        listed = result.get(key)
        if isinstance(listed, list) and (self._complaint(method, result) or any(map(self._bad_header, listed))):
            self._sift(method, key, result)
        return result

    def _sift(self, method: str, key: str, result: dict[str, Any]) -> None:
        kept, refused = [], []
        for entry in result[key]:
            complaint = self._complaint(method, {**result, key: [entry]}) or self._bad_header(entry)
            if complaint:
                refused.append({"entry": entry, "reason": complaint})
            else:
                kept.append(entry)
        result[key] = kept
        meta = result.get("_meta")
        result["_meta"] = {**(meta if isinstance(meta, dict) else {}), REFUSED: refused}

    def _bad_header(self, entry: Any) -> str:
        """Since 2026-07-28 a tool must be dropped whose arguments are to travel as impossible HTTP headers."""
        schema = entry.get("inputSchema") if isinstance(entry, Mapping) else None
        if self.version not in MODERN_PROTOCOL_VERSIONS or not isinstance(schema, dict):
            return ""
        return find_invalid_x_mcp_header(schema) or ""

    def _complaint(self, method: str, result: Mapping[str, Any]) -> str:
        try:
            validate_server_result(method, self.version, result)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            steps = [str(step) for step in first["loc"] if step not in (0, LISTS[method])]
            return f"{'.'.join(steps)}: {first['msg']}" if steps else first["msg"]
        return ""
