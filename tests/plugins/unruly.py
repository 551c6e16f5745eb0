"""An MCP server over stdio that misbehaves as its arguments say. Standard library only, so that it starts at once.

    python -I unruly.py [--die-at-start 3] [--children plain,setsid,double] [--stubborn] …

It offers the tools of `TOOLS`; see there, and `--help` for the misbehaviour. `command(...)` gives the
command line for tests.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
CHILD = "import signal, sys, time; {ignoring}; print('up', flush=True); time.sleep(600)"
IGNORING = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
KINDS = ("plain", "setsid", "double")


def command(*options: str) -> list[str]:
    """The command line of an unruly server."""
    return [sys.executable, "-I", "-S", __file__, *options]


def tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": properties},
    }


TOOLS = [
    tool("echo", "Says the text back.", text={"type": "string"}),
    tool(
        "sleep",
        "Answers after so many seconds, unless cancelled. Creates the file `begun` when it begins.",
        seconds={"type": "number"},
        begun={"type": "string"},
    ),
    tool("progress", "Answers after so many notifications of progress.", steps={"type": "integer"}),
    tool("big", "Answers with so many bytes of text.", bytes={"type": "integer"}),
    tool("die", "Ends the server in the middle of the call.", code={"type": "integer"}, signal={"type": "integer"}),
    tool("never", "Does not answer."),
    tool("fail", "Reports a failure of its own."),
    tool("refuse", "Answers with a JSON-RPC error."),
    tool("change", "Adds a tool named `extra`, or takes it away, and tells the client."),
    tool("cancelled", "Ids of the requests that the client cancelled."),
    tool("environment", "The environment, open descriptors, limits and ids of the server's process, as JSON."),
    tool("spawn", "Starts a child: plain, setsid or double. Answers with its pid.", kind={"enum": list(KINDS)}),
    tool("say", "Writes to stderr, then answers.", text={"type": "string"}),
]

# `"type": "objekt"` is no type of JSON Schema.
BAD = {"name": "crooked", "description": "Has no usable schema.", "inputSchema": {"type": "objekt", "properties": 7}}
EXTRA = tool("extra", "Only there after a change.")


class Server:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.tools = [*TOOLS, *(tool(f"tool_{number}", f"Tool number {number}.") for number in range(options.tools))]
        if options.bad_schema:
            self.tools.insert(1, BAD)
        self.writing = threading.Lock()
        self.cancelling: dict[Any, threading.Event] = {}
        self.cancelled: list[Any] = []

    def serve(self) -> None:
        for line in sys.stdin.buffer:
            if not line.strip() or self.options.silent:
                continue
            message = json.loads(line)
            if message.get("method") == "notifications/cancelled":
                self.cancel(message["params"]["requestId"])
            elif message.get("method") == "tools/call":
                self.cancelling[message["id"]] = threading.Event()
                threading.Thread(target=self.call, args=(message,), daemon=True).start()
            elif "method" in message and "id" in message:
                self.request(message)
            if message.get("method") == "notifications/initialized":
                self.greeted()

    def greeted(self) -> None:
        options = self.options
        if options.die_after is not None:
            later(options.die_after, lambda: end(options.code, options.signal))
        if options.deaf:
            time.sleep(600)

    def request(self, message: Mapping[str, Any]) -> None:
        params = message.get("params") or {}
        match message["method"]:
            case "initialize":
                time.sleep(self.options.slow_start)
                asked = params["protocolVersion"]
                self.answer(
                    message["id"],
                    {
                        "protocolVersion": asked if asked in VERSIONS else VERSIONS[-1],
                        "capabilities": {"tools": {"listChanged": True}, "logging": {}},
                        "serverInfo": {"name": "unruly", "version": "1"},
                        "instructions": "Expect the worst.",
                    },
                )
            case "ping" if not self.options.no_ping:
                self.answer(message["id"], {})
            case "logging/setLevel":
                self.answer(message["id"], {})
            case "tools/list":
                self.answer(message["id"], {"tools": self.tools})
            case _ if not self.options.ignore_unknown:
                self.refuse(message["id"], -32601, f"There is no method {message['method']}.")

    def call(self, message: Mapping[str, Any]) -> None:
        if self.options.die_in_call is not None:
            end(self.options.die_in_call, self.options.signal)
        name, arguments = message["params"]["name"], message["params"].get("arguments") or {}
        known = {entry["name"] for entry in self.tools}
        if name in known and hasattr(self, f"do_{name}"):
            getattr(self, f"do_{name}")(message, arguments)
        elif name in known:
            self.text(message, f"{name} was called with {json.dumps(arguments, sort_keys=True)}.")
        else:
            self.refuse(message["id"], -32602, f"There is no tool {name}.")

    def do_echo(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.text(message, arguments.get("text", ""))

    def do_sleep(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        if "begun" in arguments:
            Path(arguments["begun"]).touch()
        if not self.cancelling[message["id"]].wait(arguments["seconds"]):
            self.text(message, f"Slept {arguments['seconds']} s.")

    def do_progress(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        token = message["params"].get("_meta", {}).get("progressToken")
        steps = arguments["steps"]
        for step in range(steps):
            if token is not None:
                said = {"progress": step + 1, "total": steps, "message": f"Step {step + 1}"}
                self.notify("notifications/progress", {"progressToken": token, **said})
            if self.cancelling[message["id"]].wait(self.options.step_seconds):
                return
        self.text(message, f"{steps} steps done.")

    def do_big(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.text(message, "x" * arguments["bytes"])

    def do_die(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        end(arguments.get("code", 1), arguments.get("signal"))

    def do_never(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        pass

    def do_fail(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.answer(message["id"], {"content": [{"type": "text", "text": "It failed."}], "isError": True})

    def do_refuse(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.refuse(message["id"], -32602, "Not with these arguments.")

    def do_change(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.change()
        self.text(message, "Changed.")

    def do_cancelled(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.text(message, json.dumps(self.cancelled))

    def do_environment(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.text(message, json.dumps(surroundings()))

    def do_spawn(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self.text(message, str(spawn(arguments.get("kind", "plain"), stubborn=self.options.stubborn)))

    def do_say(self, message: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        complain(arguments["text"])
        self.text(message, "Said.")

    def change(self) -> None:
        self.tools = [known for known in self.tools if known is not EXTRA] + ([] if EXTRA in self.tools else [EXTRA])
        self.notify("notifications/tools/list_changed", {})

    def cancel(self, request: Any) -> None:
        self.cancelled.append(request)
        if request in self.cancelling:
            self.cancelling[request].set()

    def text(self, message: Mapping[str, Any], text: str) -> None:
        self.answer(message["id"], {"content": [{"type": "text", "text": text}]})

    def answer(self, request: Any, result: Any) -> None:
        self.write({"jsonrpc": "2.0", "id": request, "result": result})

    def refuse(self, request: Any, code: int, reason: str) -> None:
        self.write({"jsonrpc": "2.0", "id": request, "error": {"code": code, "message": reason}})

    def notify(self, method: str, params: Any) -> None:
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def write(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode()
        with self.writing:
            if self.options.garbage:
                sys.stdout.buffer.write(b'Server ready!\n\n{"half": \n\xff\xfe\x00 not UTF-8 \xc3\x28\n[1, 2]\n')
            if self.options.bad_utf8:
                line = line.replace(b"Z", b"\xff\xc3")
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()


def end(code: int, number: int | None) -> None:
    """Ends the process at once, by a signal if one is named."""
    if number:
        os.kill(os.getpid(), number)
        time.sleep(600)  # another thread may take the signal, a moment later
    os._exit(code)


def spawn(kind: str, *, stubborn: bool) -> int:
    """Starts a process that outlives its parent unless somebody ends it. Waits until it is up."""
    child = [sys.executable, "-I", "-S", "-c", CHILD.format(ignoring=IGNORING if stubborn else "pass")]
    if kind == "double":
        between = (
            "import subprocess, sys\n"
            f"child = subprocess.Popen({child!r}, stdin=subprocess.DEVNULL, start_new_session=True)\n"
            "print(child.pid, flush=True)"
        )
        starting = subprocess.Popen([sys.executable, "-I", "-S", "-c", between], stdout=subprocess.PIPE)
    else:
        starting = subprocess.Popen(child, stdout=subprocess.PIPE, start_new_session=kind == "setsid")
    assert starting.stdout is not None
    lines = sorted(starting.stdout.readline() for _ in range(2 if kind == "double" else 1))
    return int(lines[0]) if kind == "double" else starting.pid


def surroundings() -> dict[str, Any]:
    """What the process was given."""
    found: dict[str, Any] = {"pid": os.getpid(), "environment": dict(os.environ), "cwd": str(Path.cwd())}
    if sys.platform != "win32":
        import resource

        found |= {
            "descriptors": {int(entry.name): target(entry) for entry in Path("/dev/fd").iterdir()},
            "group": os.getpgrp(),
            "session": os.getsid(0),
            "parent": os.getppid(),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
            "core": resource.getrlimit(resource.RLIMIT_CORE),
            "data": resource.getrlimit(resource.RLIMIT_DATA),
        }
    return found


def target(descriptor: Path) -> str:
    """What an open descriptor is; empty for the one that listed them."""
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def complain(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def flood(size: int) -> None:
    """Writes so many bytes to stderr, without end when `size` is negative."""
    piece = (b"The same complaint, again and again. " * 27 + b"\n") * 64
    written = 0
    while size < 0 or written < size:
        written += os.write(2, piece)


def later(seconds: float, act: Callable[[], object]) -> None:
    waiting = threading.Timer(seconds, act)
    waiting.daemon = True
    waiting.start()


def main() -> None:
    parser = argparse.ArgumentParser(description="An MCP server that misbehaves.")
    value, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    value("--die-at-start", type=int, metavar="CODE", help="exit before reading anything")
    value("--die-after", type=float, metavar="SECONDS", help="exit so long after the handshake")
    value("--die-in-call", type=int, metavar="CODE", help="exit when any tool is called")
    value("--code", type=int, default=1, help="exit code of --die-after")
    value("--signal", type=int, help="die by this signal instead of an exit code")
    value("--slow-start", type=float, default=0, metavar="SECONDS", help="answer initialize so late")
    flag("--silent", help="read, but never answer anything")
    flag("--deaf", help="stop reading after the handshake")
    flag("--no-ping", help="do not answer pings")
    flag("--ignore-unknown", help="do not answer unknown methods")
    flag("--garbage", help="put lines that are no messages before each message")
    flag("--bad-utf8", help="write each Z of an answer as bytes that are not UTF-8")
    value("--flood", type=int, metavar="BYTES", help="write so much to stderr at start; -1: without end")
    value("--last-words", default="", help="write this to stderr at start")
    flag("--stubborn", help="ignore SIGTERM and the end of stdin; so do the children")
    value("--children", default="", help="start some of plain,setsid,double")
    flag("--bad-schema", help="offer a tool whose schema is none")
    value("--tools", type=int, default=0, help="offer so many tools more")
    value("--change-after", type=float, metavar="SECONDS", help="change the tools by itself")
    value("--step-seconds", type=float, default=0.01, help="time between two notifications of progress")
    value("--report", type=Path, help="write surroundings and children's pids to this file as JSON")
    options = parser.parse_args()

    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    children = [spawn(kind, stubborn=options.stubborn) for kind in options.children.split(",") if kind]
    if options.report:
        draft = options.report.with_suffix(".draft")
        draft.write_text(json.dumps({**surroundings(), "children": children}))
        draft.replace(options.report)
    if options.last_words:
        complain(options.last_words)
    if options.die_at_start is not None:
        end(options.die_at_start, options.signal)
    if options.flood is not None:
        threading.Thread(target=flood, args=(options.flood,), daemon=True).start()
    server = Server(options)
    if options.change_after is not None:
        later(options.change_after, server.change)
    server.serve()
    if options.stubborn:
        time.sleep(600)


if __name__ == "__main__":
    main()
