"""A server made with the official SDK, that can do all a server can: for tests of what a client answers.

python capable.py
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import mcp_types as types
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.message import ServerMessageMetadata

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")

server = MCPServer("capable", version="7", instructions="Ask me anything.")


Asked = types.InputRequiredResult

FORM = types.ElicitRequestFormParams(
    message="Who are you?",
    requested_schema={
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name"],
    },
)
PAGE = types.ElicitRequestURLParams(message="Please sign in.", url="https://example.com/sign-in", elicitation_id="1")


async def ask(ctx: Context[Any, Any], request: Any, kind: Any) -> Any:
    """The client's reply; since 2026-07-28 what to return at first, to be called again with the reply."""
    if ctx.protocol_version == "2026-07-28":
        return (ctx.input_responses or {}).get("q") or types.InputRequiredResult(input_requests={"q": request})
    of_this_call = ServerMessageMetadata(related_request_id=ctx.request_id)
    return await ctx.session.send_request(request, kind, metadata=of_this_call)


@server.tool()
async def ask_name(ctx: Context[Any, Any]) -> str | Asked:
    """Asks for a name by a form."""
    found = await ask(ctx, types.ElicitRequest(params=FORM), types.ElicitResult)
    return found if isinstance(found, Asked) else f"{found.action}: {(found.content or {}).get('name', '')}"


@server.tool()
async def ask_visit(ctx: Context[Any, Any]) -> str | Asked:
    """Asks for a page to be visited."""
    found = await ask(ctx, types.ElicitRequest(params=PAGE), types.ElicitResult)
    return found if isinstance(found, Asked) else str(found.action)


@server.tool()
async def ask_model(question: str, ctx: Context[Any, Any]) -> str | Asked:
    """Has a model answer."""
    message = types.SamplingMessage(role="user", content=types.TextContent(text=question))
    params = types.CreateMessageRequestParams(messages=[message], max_tokens=10)
    found = await ask(ctx, types.CreateMessageRequest(params=params), types.CreateMessageResult)
    return found if isinstance(found, Asked) else f"{found.model} says {found.content.text}"


@server.tool()
async def ask_roots(ctx: Context[Any, Any]) -> str | Asked:
    """Tells the client's folders."""
    found = await ask(ctx, types.ListRootsRequest(), types.ListRootsResult)
    return found if isinstance(found, Asked) else " ".join(str(root.uri) for root in found.roots)


@server.tool(structured_output=False)
def everything() -> list[Any]:
    """Content of every kind."""
    return [
        types.TextContent(text="text"),
        types.ImageContent(data=base64.b64encode(PIXEL).decode(), mime_type="image/png"),
        types.AudioContent(data=base64.b64encode(b"RIFF").decode(), mime_type="audio/wav"),
        types.EmbeddedResource(
            resource=types.TextResourceContents(uri="note://a", text="a note", mime_type="text/plain")
        ),
        types.EmbeddedResource(
            resource=types.BlobResourceContents(uri="blob://b", blob=base64.b64encode(b"\0\1").decode())
        ),
        types.ResourceLink(uri="https://example.com/c", name="c", description="a link"),
    ]


@server.tool()
def add(a: int, b: int) -> int:
    """Structured."""
    return a + b


@server.tool()
async def grow(ctx: Context[Any, Any]) -> str:
    """Gets one tool more."""
    server.add_tool(lambda: "grown", name="grown", description="Only there after growing.")
    await ctx.notify_tools_changed()
    await ctx.session.send_tool_list_changed()
    return "done"


@server.tool()
async def grumble(ctx: Context[Any, Any]) -> str:
    """Logs."""
    await ctx.debug("too quiet to be heard")
    await ctx.warning("my back hurts")
    return "done"


@server.tool()
async def wait(seconds: float, ctx: Context[Any, Any]) -> str:
    """Waits, without a word."""
    await asyncio.sleep(seconds)
    return "waited"


@server.resource("note://first", mime_type="text/plain", description="The first note.")
def first() -> str:
    return "hello"


@server.resource("note://{name}/{page}")
def note(name: str, page: str) -> str:
    return f"{name}, page {page}"


@server.resource("file:///pixel.png", mime_type="image/png")
def pixel() -> bytes:
    return PIXEL


@server.prompt(title="Greet someone")
def greet(name: str, tone: str = "kind") -> str:
    return f"Greet {name} in a {tone} tone."


async def complete(ref: Any, argument: types.CompletionArgument, context: Any) -> types.Completion | None:
    names = ["Ada", "Alan", "Barbara"]
    return types.Completion(values=[name for name in names if name.startswith(argument.value)])


completion: Any = server.completion  # the SDK does not say its type
completion()(complete)


if __name__ == "__main__":
    server.run("stdio")
