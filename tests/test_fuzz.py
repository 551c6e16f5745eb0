"""Whatever comes in from outside: no crash, no hang, and only errors of ours.

A few seconds by default; `VALECHAT_FUZZ=20000` has each test try so many examples.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jupyter_client.session import json_packer
from mcp.shared.auth import OAuthMetadata, OAuthToken, ProtectedResourceMetadata

import valechat
import valechat.errors
from valechat.engine import engine
from valechat.errors import ConfigError, LedgerError, PluginError, ValeChatError
from valechat.exports.reading import read
from valechat.ledger import open_ledger
from valechat.ledger.backup import restore
from valechat.ledger.base import Ledger
from valechat.notebook.conversation import PanelConversation
from valechat.notebook.outbox import Outbox
from valechat.notebook.plugins.board import PluginBoard
from valechat.notebook.plugins.protocol import FromWidget
from valechat.notebook.protocol import FromPanel
from valechat.paths import user_paths
from valechat.plugins.config import LocalServer, parse
from valechat.plugins.contents import Contents
from valechat.plugins.hidden import Hidden
from valechat.plugins.oauth.callback import Foreign, read_ending
from valechat.plugins.oauth.discovery import discover
from valechat.plugins.oauth.grants import renewed
from valechat.plugins.oauth.values import Challenge, Client, TokenSet
from valechat.plugins.oauth.wire import Reply, Wire
from valechat.services import services

SECONDS = 20
"""How long one example may take; a hang takes longer."""


def tries(count: int) -> settings:
    return settings(
        max_examples=int(os.environ.get("VALECHAT_FUZZ", count)), deadline=None, suppress_health_check=list(HealthCheck)
    )


OURS = {name for name, found in vars(valechat.errors).items() if isinstance(found, type)}

texts = st.text(st.characters(), max_size=20) | st.sampled_from(["\ud800", "\0", "demo/echo", "../..", "a" * 60_000])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


def messages(of: UnionType) -> st.SearchStrategy[Any]:
    """Messages as they should be, and with a field of another kind or missing."""
    whole = st.one_of([st.from_type(one) for one in get_args(of)])

    def bent(message: dict[str, Any]) -> st.SearchStrategy[Any]:
        names = st.sampled_from(sorted(message))
        return st.builds(lambda name, value: {**message, name: value}, names, trees) | st.builds(
            lambda name: {key: value for key, value in message.items() if key != name}, names
        )

    return whole | whole.flatmap(bent) | trees


@pytest.fixture
def closed_engine() -> Iterator[None]:
    yield
    engine().close()


def foreign(sent: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Messages that tell the user of an error that is none of ours."""
    return [one for one in sent if isinstance(one.get("error"), dict) and one["error"].get("kind") not in OURS]


@pytest.mark.usefixtures("home", "closed_engine")
def test_no_message_of_a_panel_breaks_its_kernel_side() -> None:
    sent: list[Mapping[str, Any]] = []

    async def opened() -> PanelConversation:
        return PanelConversation(
            valechat.Chat("demo/echo"), Outbox(lambda message, _buffers=(): sent.append(message)), lambda _: None
        )

    conversation = engine().run(opened())

    async def deliver(message: Any, buffers: list[bytes]) -> None:
        conversation.receive(message, buffers)
        async with asyncio.timeout(SECONDS):
            while conversation._tasks:
                await asyncio.wait(conversation._tasks)

    @given(messages(FromPanel), st.lists(st.binary(max_size=50), max_size=3))
    @tries(100)
    def try_one(message: Any, buffers: list[bytes]) -> None:
        sent.clear()
        engine().run(deliver(message, buffers))
        assert foreign(sent) == []
        json_packer(sent)

    try_one()


@pytest.mark.usefixtures("home", "closed_engine")
def test_no_message_of_a_plugin_manager_breaks_its_kernel_side() -> None:
    sent: list[Mapping[str, Any]] = []

    async def opened() -> PluginBoard:
        board = PluginBoard(services(), sent.append)
        await board.open()
        return board

    board = engine().run(opened())

    async def deliver(message: Any) -> None:
        board.receive(message)
        async with asyncio.timeout(SECONDS):
            while tasks := [*board._tasks, *board._calls.values()]:
                for ended in (await asyncio.wait(tasks))[0]:
                    ended.result()

    @given(messages(FromWidget))
    @tries(20)
    def try_one(message: Any) -> None:
        sent.clear()
        engine().run(deliver(message))
        assert foreign(sent) == []

    try_one()
    engine().run(services().plugins.shutdown())


NAMES = st.sampled_from(["mcp_plugins", "local_servers", "cloud_services", *LocalServer.model_fields, "url", "auth"])
values = st.recursive(
    leaves, lambda i: st.lists(i, max_size=3) | st.dictionaries(NAMES | texts, i, max_size=4), max_leaves=10
)
entries = st.dictionaries(NAMES | texts, values, max_size=6)


@given(entries | entries.map(lambda entry: {"mcp_plugins": {"local_servers": [entry]}}) | st.text(max_size=200))
@example("[" * 100_000)
@example('{"mcp_plugins": ' * 50_000)
@tries(60)
def test_no_plugins_file_breaks_its_reader(content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    with contextlib.suppress(ConfigError):
        Contents(Path("mcp_plugins.json"), text).definitions()
    if isinstance(content, dict):
        with contextlib.suppress(ConfigError):
            parse(content)


@given(st.binary(max_size=200) | trees.map(lambda tree: json.dumps(tree).encode("utf-8", "surrogatepass")))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@tries(100)
def test_no_import_of_conversations_breaks_its_reader(data: bytes) -> None:
    with contextlib.suppress(ValeChatError):
        read(data)


def test_a_backup_with_changed_bytes_is_restored_whole_or_refused(home: Path, tmp_path: Path) -> None:
    del home
    ledger: Ledger = open_ledger(user_paths())
    backup = ledger.backup(tmp_path / "whole.sqlite3")
    whole = backup.read_bytes()
    bent = tmp_path / "bent.sqlite3"

    @given(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.binary(min_size=1, max_size=8)), max_size=4),
        st.booleans(),
    )
    @example([(47, b"\5")], False)
    @tries(25)
    def try_one(changes: list[tuple[int, bytes]], cut: bool) -> None:  # hypothesis gives it
        data = bytearray(whole)
        for at, change in changes:
            data[at : at + len(change)] = change
        bent.write_bytes(bytes(data[: changes[0][0]] if cut and changes else data))
        with contextlib.suppress(LedgerError):
            restore(bent, user_paths().data, datetime.now(UTC))
            assert ledger.conversations() is not None

    try_one()
    ledger.close()


class Answering(Wire):
    """An authorization server that answers everything alike."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(allow_http=False)
        self._reply = Reply(status, body)

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self._reply

    async def register(self, url: str, body: Mapping[str, Any]) -> Reply:
        return self._reply

    async def post(self, url: str, form: Mapping[str, str], client: Client) -> Reply:
        return self._reply


FIELDS = st.sampled_from(
    [*OAuthMetadata.model_fields, *ProtectedResourceMetadata.model_fields, *OAuthToken.model_fields, "error"]
)
ANSWERS = st.sampled_from(["https://mcp.example.com/mcp", "Bearer", "javascript:x", -1e308])
PLUGIN = parse({"id": "cloud", "url": "https://mcp.example.com/mcp", "auth": {"type": "oauth"}})
TOKENS = TokenSet("https://mcp.example.com", Client("id"), "https://as.example.com/token", refresh="r")


@given(
    st.sampled_from([200, 201, 400, 401, 404, 500]),
    st.dictionaries(FIELDS | texts, trees | ANSWERS),
)
@tries(60)
async def test_no_answer_of_an_authorization_server_breaks_a_sign_in(status: int, body: dict[str, Any]) -> None:
    wire = Answering(status, Hidden(body))
    with contextlib.suppress(PluginError):
        await discover(wire, PLUGIN, Challenge())
    with contextlib.suppress(PluginError):
        await renewed(wire, TOKENS)


@given(st.text(), st.text())
@example("http://127.0.0.1:1/callback?code=1&state=ä", "ä")
@example("http://[::1/callback?code=1", "")
@tries(100)
def test_no_address_breaks_the_end_of_a_sign_in(address: str, kept: str) -> None:
    with contextlib.suppress(Foreign):
        read_ending(address, "state")
    with contextlib.suppress(Foreign):
        read_ending(f"http://127.0.0.1/callback?{address}", kept)
    TokenSet.from_text(kept)
