"""Each example package does what the page on extending says, in a process that knows it only by its entry point."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import Run

pytestmark = pytest.mark.slow

CAPABLE = Path(__file__).parents[1] / "plugins" / "capable.py"


class Tgi(BaseHTTPRequestHandler):
    """`/info` and `/generate_stream` as text-generation-inference answers them."""

    asked: dict[str, Any]

    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"model_id": "lab/seven", "max_total_tokens": 4096}))

    def do_POST(self) -> None:
        type(self).asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tokens = [{"id": n, "text": text, "logprob": 0.0, "special": False} for n, text in enumerate(("Good", " day"))]
        last = {"token": {"id": 2, "text": "</s>", "special": True}, "generated_text": "Good day"}
        last["details"] = {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 12, "seed": None}
        events = [*({"token": token, "generated_text": None, "details": None} for token in tokens), last]
        self._send("text/event-stream", "".join(f"data:{json.dumps(event)}\n\n" for event in events))

    def _send(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def tgi() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tgi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_provider_is_a_kind_in_the_settings_and_its_models_are_asked_and_billed(
    run: Run, home: Path, tgi: str
) -> None:
    settings = (
        f'[providers.lab]\nkind = "tgi"\nbase_url = "{tgi}"\n[prices."lab/lab/seven"]\ninput = "1"\noutput = "2"\n'
    )
    (home / "config.toml").write_text(settings)
    program = """
import valechat
print([model.name for model in valechat.models() if model.name.startswith("lab/")])
reply = valechat.Chat("lab/lab/seven", system="Be kind.", max_tokens=50).ask_sync("Hello")
print(reply.text, reply.status, reply.usage.input_tokens, reply.usage.output_tokens, reply.cost)
"""
    assert run(program).splitlines() == ["['lab/seven']", "Good day complete 12 3 0.000018"]
    assert Tgi.asked["inputs"] == "Be kind.\nuser: Hello\nassistant:"
    assert Tgi.asked["parameters"]["max_new_tokens"] == 50


SERVER = """
import anyio, sys
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
sys.path.insert(0, {tests!r})
from tests.plugins.capable import server

async def serve(stream):
    low = server._lowlevel_server
    inbox, to_server = anyio.create_memory_object_stream(10)[::-1]
    from_server_in, from_server = anyio.create_memory_object_stream(10)
    async def receive():
        rest = b""
        async for data in stream:
            *lines, rest = (rest + data).split(b"\\n")
            for line in lines:
                await to_server.send(SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False)))
        await to_server.aclose()
    async def send():
        async for item in from_server:
            await stream.send(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\\n")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        tasks.start_soon(send)
        await low.run(inbox, from_server_in, low.create_initialization_options())
        tasks.cancel_scope.cancel()

async def main():
    listener = await anyio.create_unix_listener({path!r})
    print("ready", flush=True)
    await listener.serve(serve)

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
def test_a_transport_reaches_a_server_by_an_address_of_its_own(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mcp.sock"
    tests = str(Path(__file__).parents[2])
    program = f"""
import subprocess, sys
import valechat
code = {SERVER.format(path=str(path), tests=tests)!r}
server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
try:
    server.stdout.readline()
    print(valechat.plugins.add(id="shared", url="unix://{path}", transport="unix").state)
    print(bool(valechat.plugins.tools("shared")))
    server.terminate()
    server.wait()
finally:
    server.kill()
    valechat.plugins.shutdown()
"""
    assert run(program).split() == ["running", "True"]


def test_a_key_storage_is_asked_after_the_environment_and_before_the_keychain(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    (folder / "openai").write_text("sk-mounted\n")
    (folder / "groq").write_text("gsk-mounted")
    program = """
import asyncio
from valechat.services import services
async def main():
    keys = services().keys
    for name in ("openai", "groq", "anthropic"):
        try:
            key = await keys.get(name)
        except Exception as error:
            print(type(error).__name__)
        else:
            print(key and (key.source, key.reveal()))
    print([(row.provider, row.source, row.note) for row in keys.list()])
asyncio.run(main())
"""
    told = run(program, VALECHAT_MOUNTED_KEYS=str(folder), GROQ_API_KEY="gsk-environment").splitlines()
    assert told[:2] == ["('mounted', 'sk-mounted')", "('environment GROQ_API_KEY', 'gsk-environment')"]
    assert "('groq', 'mounted', 'not used: environment GROQ_API_KEY comes first')" in told[3]
    assert "sk-mounted" not in told[3]


def test_a_tool_pack_is_offered_by_name_and_is_its_own_in_the_ledger(run: Run) -> None:
    program = """
import valechat
chat = valechat.Chat("demo/echo", tools=["workdays"])
print([spec.name for spec in chat.offered()])
chat = valechat.Chat("demo/echo", tools=["workdays/workdays_between"])
question = 'Use the tool workdays_between with {"first": "2026-11-20", "last": "2026-11-24"}'
print([(result.name, result.value) for result in chat.ask_sync(question).tool_results])
print(valechat.sql("SELECT plugin, tool, status FROM tool_calls").fetchall())
"""
    assert run(program).splitlines() == [
        "['workdays_between', 'add_workdays']",
        "[('workdays_between', 3)]",
        "[('workdays', 'workdays_between', 'ok')]",
    ]


def test_a_pack_or_tool_that_is_not_there_is_named_with_those_that_are(run: Run) -> None:
    program = """
import valechat
import valechat.errors
for name in ("workdays/holidays", "holidays"):
    try:
        valechat.Chat(tools=[name])
    except valechat.errors.ConfigError as error:
        print(error)
"""
    first, second = run(program).splitlines()
    assert "workdays_between, add_workdays" in first
    assert "notebook/run_code, workdays" in second
