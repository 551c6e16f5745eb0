"""After a full tour with keys in every place that can hold one, none is found in what the tour left behind."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.notebook.chatserver import ChatServer
from tests.notebook.kernels import Kernel
from tests.plugins import needy
from valechat.config import SettingsFile
from valechat.keys import KeyRing
from valechat.ledger import open_ledger
from valechat.paths import Paths

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

IN_ENVIRONMENT = "sk-canary-environment-4f1d8c02"
IN_SETTINGS = "sk-canary-settings-9a7be431"
IN_KEY_FILE = "sk-canary-keyfile-c05d66e8"
PASSPHRASE = "canary correct horse battery"
BEARER = "bearer-canary-5b1f77d09ae2"
IN_PLUGIN = "plugin-canary-77e0c14f3bd8"
IN_PLUGINS_FILE = "plainly-canary-0d9f3e6642aa"
SECRETS = (IN_ENVIRONMENT, IN_SETTINGS, IN_KEY_FILE, PASSPHRASE, BEARER, IN_PLUGIN, IN_PLUGINS_FILE)

PROVIDER = """
[providers.{name}]
kind = "openai-compatible"
base_url = "{url}"
timeout = 1
{key}
[prices."{name}/one"]
input = "1"
output = "2"
"""

CRASH_REPORT = """
import sys, traceback
''.join(traceback.TracebackException.from_exception(sys.last_value, capture_locals=True).format())
"""

PLUGINS_TOUR = (
    "local = valechat.plugins.enable('local'); local, vars(valechat.plugins) and None",
    "valechat.plugins.call_tool('local', 'read', {'at': '/nowhere/at/all'})",
    "valechat.plugins.call_tool('local', 'complain', {'at': 'hello'})",
    "valechat.plugins.call_tool('local', 'no_such_tool')",
    CRASH_REPORT,
    "valechat.plugins.enable('cloud')",
    "valechat.plugins.call_tool('cloud', 'look')",
    CRASH_REPORT,
    "%valechat plugins",
    "%valechat plugins status local",
    "%valechat plugins logs local",
    "%valechat plugins logs cloud",
    "manager = services().plugins; [(repr(one), repr(manager.definition(one.id))) for one in manager.list()]",
    "[(one.resolved if hasattr(one, 'resolved') else None, vars(one)) for one in manager._hub.owners.values()]",
    "board = valechat.plugin_manager(); board",
    "json.dumps(ipywidgets.Widget.get_manager_state(), default=str)",
    "valechat.plugins.shutdown() and None",
)

TOUR = (
    "%xmode Verbose",
    "import logging; logging.basicConfig(level=logging.DEBUG, filename='debug.log', force=True)",
    "%load_ext valechat",
    "import valechat; from valechat.services import services",
    *(f"%%valechat {provider}/one\nHello" for provider in ("environment", "settings", "keyfile")),
    *(f"await valechat.Chat('{provider}/refused').ask('Hello')" for provider in ("environment", "settings", "keyfile")),
    CRASH_REPORT,
    "valechat.Chat('settings/silent').ask_sync('Hello')",
    CRASH_REPORT,
    "%%valechat settings/refused\nHello",
    "%valechat fix",
    "%valechat keys",
    "%valechat doctor",
    "%valechat list",
    "%valechat cost",
    "chat = valechat.Chat('settings/one'); chat",
    "valechat.spend()",
    "repr(chat), vars(chat), repr(services()), vars(services()), repr(services().keys), repr(services().settings)",
    "provider = services().provider('settings'); repr(provider), vars(provider)",
    "str(services().settings.model_dump()), services().settings.model_dump_json()",
    "%valechat export conversations.json",
    "%valechat export conversations.md",
    "%valechat backup copy",
    "import ipywidgets, json; json.dumps(ipywidgets.Widget.get_manager_state(), default=str)",
    "valechat.sql('select * from key_access').fetchall()",
    "import ipywidgets, json",
    *PLUGINS_TOUR,
    "import faulthandler; faulthandler.dump_traceback(open('crash.txt', 'w'))",
)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    server = ChatServer()
    yield server
    server.close()


class Telltale(BaseHTTPRequestHandler):
    """A service that refuses everything and puts what it was sent into its refusal."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        body = json.dumps({"error": "forbidden", "message": f"bad token {self.headers['Authorization']}"}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815  # the library's name

    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


@pytest.fixture
def telltale() -> Iterator[str]:
    service = ThreadingHTTPServer(("127.0.0.1", 0), Telltale)
    thread = threading.Thread(target=service.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{service.server_port}"
    service.shutdown()
    service.server_close()
    thread.join()


def hidden_forms(secret: str) -> list[bytes]:
    """How a secret could stand in a file. Base64 has three forms, by what stands before it."""
    encoded = [base64.b64encode(b" " * before + secret.encode())[4 if before else 0 : -4] for before in range(3)]
    return [
        secret.encode(),
        secret.encode("utf-16-le"),
        urllib.parse.quote(secret).encode(),
        secret[::-1].encode(),
        *encoded,
    ]


def leaks(content: bytes) -> list[str]:
    """The secrets found in some bytes."""
    return [secret for secret in SECRETS if any(form in content for form in hidden_forms(secret))]


def configured(home: Path, server: ChatServer, service: str) -> None:
    keys = {"environment": 'api_key = "${ENVIRONMENT_KEY}"', "settings": f'api_key = "{IN_SETTINGS}"', "keyfile": ""}
    settings = "".join(PROVIDER.format(name=name, url=server.url, key=key) for name, key in keys.items())
    (home / "config.toml").write_text(settings)
    paths = Paths(config=home, data=home, state=home / "state")
    ring = KeyRing(paths, SettingsFile(paths).current, environ={"VALECHAT_PASSPHRASE": PASSPHRASE})
    asyncio.run(ring.store("keyfile", IN_KEY_FILE, place="file"))
    asyncio.run(ring.store("PLUGIN_SECRET", IN_PLUGIN, place="file"))
    program, *arguments = needy.command()
    env = {"OWN": "${PLUGIN_SECRET}", "PLAIN_TOKEN": IN_PLUGINS_FILE}
    local = {"id": "local", "command": program, "args": arguments, "env": env}
    auth = {"type": "bearer", "token": "${CLOUD_TOKEN}"}
    cloud = {"id": "cloud", "url": f"{service}/mcp", "auth": auth, "timeout": 10.0}
    entries = {"local_servers": [local], "cloud_services": [cloud]}
    (home / "mcp_plugins.json").write_text(json.dumps({"mcp_plugins": entries}))


def test_the_scan_finds_a_secret_in_any_form() -> None:
    for form in hidden_forms(IN_SETTINGS):
        assert leaks(b"before " + form + b" after") == [IN_SETTINGS]


def test_no_key_is_left_anywhere_after_a_full_tour(
    tmp_path: Path, server: ChatServer, telltale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENVIRONMENT_KEY", IN_ENVIRONMENT)
    monkeypatch.setenv("VALECHAT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CLOUD_TOKEN", BEARER)
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    configured(home, server, telltale)
    kernel = Kernel(folder, home)
    try:
        ran = [(cell, kernel.run(cell)) for cell in TOUR]
        history = kernel.run("%history").text
    finally:
        kernel.shut_down()

    assert {request["model"] for request in server.requests} >= {"one", "refused", "silent"}
    assert {cell: found for cell, shown in ran if (found := leaks(f"{shown.outputs} {shown.traceback}".encode()))} == {}
    assert leaks(history.encode()) == []
    shown = dict(ran)
    assert "valechat/providers/" in "".join(outcome.text for cell, outcome in ran if cell == CRASH_REPORT)
    assert "running" in shown[PLUGINS_TOUR[0]].text
    # What the user wrote into these two stays there, and nothing else of ours takes it over.
    own = {"config.toml", "mcp_plugins.json"}
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file.name not in own]
    assert {"debug.log", "crash.txt", "conversations.json"} <= {file.name for file in written}
    assert [(file.name, leaks(file.read_bytes())) for file in written if leaks(file.read_bytes())] == []
    ledger = open_ledger(Paths(config=home, data=home, state=home / "state"))
    with ledger.connect() as database:
        views = [name for (name,) in database.sql("select view_name from duckdb_views() where not internal").fetchall()]
        assert "usage" in views
        assert [view for view in views if leaks(str(database.sql(f'from "{view}"').fetchall()).encode())] == []
    ledger.close()
