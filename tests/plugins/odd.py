"""An MCP server over stdio that is odd rather than broken, in what it lists and how it refuses. Standard library only.

python -I odd.py [--pages N] [--round-and-round] [--bad-entries] [--visit-first] [--own-code]
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

URL_REQUIRED, UNSUPPORTED, CLOSED, UNKNOWN = -32042, -32022, -32000, -32601
LATEST_BY_HANDSHAKE = "2025-11-25"
COMPLETE = {"resultType": "complete", "ttlMs": 0, "cacheScope": "public"}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **more}


BAD: dict[str, list[Any]] = {
    "tools/list": [
        tool("good", description="Fine."),
        {"name": "no_schema", "description": "Has none."},
        {"inputSchema": {"type": "object"}},
        tool("odd_hints", annotations={"readOnlyHint": "perhaps"}),
        "not even a table",
        tool("last"),
    ],
    "resources/list": [{"uri": "note://a", "name": "a"}, {"name": "no address"}, {"uri": "note://b", "name": "b"}],
    "prompts/list": [{"name": "p"}, {"name": 7}, {"name": "q", "arguments": "all"}],
}
KEYS = {"tools/list": "tools", "resources/list": "resources", "prompts/list": "prompts"}


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.calls = 0

    def serve(self) -> None:
        for line in sys.stdin:
            message = json.loads(line)
            if "id" in message and "method" in message:
                self.write({"id": message["id"], **self.answer(message["method"], message.get("params") or {})})

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        about: dict[str, Any] = {
            "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
            "serverInfo": {"name": "odd", "version": "1"},
        }
        newest = self.options.speaks > LATEST_BY_HANDSHAKE
        if method == "initialize" and not newest:
            return {"result": {"protocolVersion": self.options.speaks, **about}}
        if method == "initialize" and self.options.names_versions:
            said = {"supported": [self.options.speaks], "requested": params["protocolVersion"]}
            return {"error": {"code": UNSUPPORTED, "message": "Not that one", "data": said}}
        if method == "server/discover" and newest:
            return {"result": {"supportedVersions": [self.options.speaks], **about, **COMPLETE}}
        if method in ("initialize", "server/discover", "subscriptions/listen"):
            return {"error": {"code": UNKNOWN, "message": f"There is no method {method}."}}
        if method in KEYS:
            listed = self.listed(method, int(params.get("cursor") or 0))
            return {"result": {**listed, **COMPLETE} if newest else listed}
        if method == "tools/call":
            return self.called(params["name"])
        return {"result": {}}

    def listed(self, method: str, page: int) -> dict[str, Any]:
        key = KEYS[method]
        if self.options.bad_entries:
            return {key: BAD[method]}
        if self.options.round_and_round:
            return {key: [tool(f"t{page}")] if key == "tools" else [], "nextCursor": str((page + 1) % 3)}
        if page + 1 < self.options.pages and key == "tools":
            return {key: [tool(f"t{page}")], "nextCursor": str(page + 1)}
        return {key: [tool(f"t{page}")] if key == "tools" else []}

    def called(self, name: str) -> dict[str, Any]:
        self.calls += 1
        if self.options.visit_first and self.calls == 1:
            page = {"mode": "url", "message": "Sign in.", "url": "https://example.com/in", "elicitationId": "e1"}
            return {"error": {"code": URL_REQUIRED, "message": "Sign in first.", "data": {"elicitations": [page]}}}
        if self.options.own_code:
            return {"error": {"code": CLOSED, "message": "My own affair"}}
        return {"result": {"content": [{"type": "text", "text": f"{name}, call {self.calls}"}]}}

    def write(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="An odd MCP server.")
    parser.add_argument("--speaks", default=LATEST_BY_HANDSHAKE, help="the one version of the protocol it knows")
    parser.add_argument("--names-versions", action="store_true", help="say which version, where another is asked for")
    parser.add_argument("--pages", type=int, default=1, help="list so many pages of one tool each")
    parser.add_argument("--round-and-round", action="store_true", help="come back to the first page after the third")
    parser.add_argument("--bad-entries", action="store_true", help="list entries that the protocol does not allow")
    parser.add_argument("--visit-first", action="store_true", help="refuse the first call until a page was visited")
    parser.add_argument("--own-code", action="store_true", help="refuse calls with the code the SDK uses for itself")
    Server(parser.parse_args()).serve()


if __name__ == "__main__":
    main()
