"""The official servers, started as the catalogue says, through the manager.

npx and uvx download them at their first start, into caches of their own, which the tests share.
"""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.managing import Managed, managed
from tests.plugins.support import MARKER, eventually, marked
from valechat.config import Settings
from valechat.errors import PluginError
from valechat.keys import KeyRing
from valechat.paths import user_paths
from valechat.plugins.base import PluginInfo
from valechat.plugins.catalogue import install, load_catalogue
from valechat.plugins.config import LocalServer
from valechat.sandbox import bubblewrap

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DOWNLOAD = 200.0
"""Seconds a server may take to start: its packages may have to be downloaded first."""


@asynccontextmanager
async def running(
    name: str, given: dict[str, Any] | None = None, *, limited: bool = False, **fields: Any
) -> AsyncIterator[tuple[Managed, PluginInfo]]:
    """The catalogue's server, started by the manager; all its processes are gone after it was switched off."""
    async with managed() as plugins:
        definition = await install(
            load_catalogue().entries[name], given or {}, KeyRing(user_paths(), Settings), limited=limited
        )
        assert isinstance(definition, LocalServer)
        env = {**definition.env, MARKER: plugins.marker}
        changed = definition.model_copy(update={"env": env, "timeout": DOWNLOAD, **fields})
        info = await plugins.manager.add(changed)
        assert info.state == "running", info.problem
        yield plugins, info
        stopped = await plugins.manager.disable(info.id)
        assert stopped.state == "stopped"
        await eventually(lambda: marked(plugins.marker) == [], within=2)


def tools(info: PluginInfo) -> set[str]:
    assert [(tool.name, tool.problem) for tool in info.tools if tool.problem] == []
    return {tool.name for tool in info.tools}


async def test_filesystem_reads_and_writes_where_it_may_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "note.txt").write_text("tulips")
    (tmp_path / "secret.txt").write_text("not yours")
    async with running("filesystem", {"folders": [str(folder)]}) as (plugins, info):
        assert tools(info) >= {"read_text_file", "write_file", "list_directory", "search_files"}
        call = plugins.manager.call_tool
        assert "tulips" in (await call("filesystem", "read_text_file", {"path": str(folder / "note.txt")})).text
        await call("filesystem", "write_file", {"path": str(folder / "new.txt"), "content": "written"})
        assert (folder / "new.txt").read_text() == "written"
        refused = await call("filesystem", "read_text_file", {"path": str(tmp_path / "secret.txt")})
        assert refused.is_error
        assert "not yours" not in refused.text


async def test_everything_answers_with_every_kind_of_content(tmp_path: Path) -> None:
    async with running("everything") as (plugins, info):
        assert tools(info) >= {"echo", "get-sum"}
        assert info.capabilities >= {"tools", "resources", "prompts"}
        assert "tulips" in (await plugins.manager.call_tool("everything", "echo", {"message": "tulips"})).text
        image = await plugins.manager.call_tool("everything", "get-tiny-image", {})
        assert [piece.media_type for piece in image.content if piece.kind == "image"] == ["image/png"]
        assert await plugins.manager.prompts("everything")
        assert await plugins.manager.resources("everything")


async def test_memory_remembers_after_a_restart(home: Path) -> None:
    async with running("memory") as (plugins, info):
        assert tools(info) >= {"create_entities", "search_nodes", "read_graph"}
        tulip = {"name": "tulip", "entityType": "flower", "observations": ["came from Anatolia"]}
        await plugins.manager.call_tool("memory", "create_entities", {"entities": [tulip]})
        assert (await plugins.manager.restart("memory")).state == "running"
        found = await plugins.manager.call_tool("memory", "search_nodes", {"query": "tulip"})
        assert "Anatolia" in found.text
    assert "Anatolia" in (home / "memory" / "memory.jsonl").read_text()


async def test_sequential_thinking_takes_a_thought() -> None:
    async with running("sequential-thinking") as (plugins, info):
        assert tools(info) == {"sequentialthinking"}
        thought = {"thought": "First.", "nextThoughtNeeded": True, "thoughtNumber": 1, "totalThoughts": 2}
        answer = await plugins.manager.call_tool("sequential-thinking", "sequentialthinking", thought)
        assert json.loads(answer.text)["thoughtNumber"] == 1


async def test_github_lists_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_PERSONAL_ACCESS_TOKEN", "none-is-needed-to-list")
    async with running("github-local", {"token": "none-is-needed-to-list"}) as (_, info):
        assert tools(info) >= {"search_repositories", "create_issue", "create_pull_request", "get_file_contents"}


async def test_github_without_its_token_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_PERSONAL_ACCESS_TOKEN", raising=False)
    async with managed() as plugins:
        definition = load_catalogue().entries["github-local"].definition({"token": "not written into the definition"})
        info = await plugins.manager.add(definition)
        assert (info.state, info.problem and info.problem.message) == (
            "error",
            'Plugin "github-local" needs GITHUB_PERSONAL_ACCESS_TOKEN, which is not set.',
        )
        assert info.problem is not None
        assert "valechat keys set GITHUB_PERSONAL_ACCESS_TOKEN" in info.problem.fix


async def test_git_looks_at_a_repository(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.com"]
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    (repository / "a.txt").write_text("tulips\n")
    subprocess.run(["git", "-C", str(repository), "add", "a.txt"], check=True)
    subprocess.run(["git", "-C", str(repository), *identity, "commit", "-q", "-m", "Plant tulips"], check=True)
    async with running("git", {"repository": str(repository)}) as (plugins, info):
        assert tools(info) >= {"git_status", "git_log", "git_diff_unstaged", "git_commit"}
        log = await plugins.manager.call_tool("git", "git_log", {"repo_path": str(repository)})
        assert "Plant tulips" in log.text


@contextmanager
def website() -> Iterator[str]:
    """A page on loopback; its address."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body><article><h1>Tulips</h1><p>They came from <b>Anatolia</b>.</p></article></body></html>"
            self.send_response(404 if self.path == "/robots.txt" else 200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body if self.path != "/robots.txt" else b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tulips"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_fetch_gives_a_page_as_markdown() -> None:
    entry = load_catalogue().entries["fetch"].definition()
    assert isinstance(entry, LocalServer)
    with website() as address:
        # It refuses addresses of this machine unless it is told otherwise.
        async with running("fetch", args=[*entry.args, "--allow-private-ips"]) as (plugins, info):
            assert tools(info) == {"fetch"}
            answer = await plugins.manager.call_tool("fetch", "fetch", {"url": address})
            assert "Anatolia" in answer.text
            assert "<p>" not in answer.text


async def test_time_converts_between_time_zones() -> None:
    async with running("time", {"timezone": "Europe/Amsterdam"}) as (plugins, info):
        assert tools(info) == {"get_current_time", "convert_time"}
        asked = {"source_timezone": "Europe/Amsterdam", "time": "12:00", "target_timezone": "Asia/Tokyo"}
        answer = await plugins.manager.call_tool("time", "convert_time", asked)
        assert "Asia/Tokyo" in answer.text


async def test_sqlite_makes_a_table_and_queries_it(tmp_path: Path) -> None:
    database = tmp_path / "garden.db"
    async with running("sqlite", {"database": str(database)}) as (plugins, info):
        assert tools(info) >= {"read_query", "write_query", "create_table", "list_tables"}
        call = plugins.manager.call_tool
        await call("sqlite", "create_table", {"query": "CREATE TABLE flowers (name TEXT)"})
        await call("sqlite", "write_query", {"query": "INSERT INTO flowers VALUES ('tulip')"})
        assert "tulip" in (await call("sqlite", "read_query", {"query": "SELECT name FROM flowers"})).text
    assert database.exists()


CONFINED: dict[str, tuple[str, dict[str, Any]]] = {
    "filesystem": ("write_file", {"path": "{tmp}/data/kept.txt", "content": "tulips"}),
    "git": ("git_status", {"repo_path": "{tmp}/repository"}),
    "sqlite": ("create_table", {"query": "CREATE TABLE tulips (name TEXT)"}),
    "memory": ("create_entities", {"entities": [{"name": "tulips", "entityType": "x", "observations": ["y"]}]}),
    "time": ("get_current_time", {"timezone": "UTC"}),
    "everything": ("echo", {"message": "tulips"}),
    "sequential-thinking": (
        "sequentialthinking",
        {"thought": "tulips", "nextThoughtNeeded": False, "thoughtNumber": 1, "totalThoughts": 1},
    ),
}


@pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())
@pytest.mark.parametrize("name", CONFINED)
async def test_with_the_permissions_the_catalogue_names_it_does_its_work(name: str, tmp_path: Path, home: Path) -> None:
    (tmp_path / "data").mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path / "repository")], check=True)
    given: dict[str, dict[str, Any]] = {
        "filesystem": {"folders": [str(tmp_path / "data")]},
        "git": {"repository": str(tmp_path / "repository")},
        "sqlite": {"database": str(tmp_path / "data" / "kept.db")},
    }
    tool, arguments = CONFINED[name]
    arguments = json.loads(json.dumps(arguments).replace("{tmp}", str(tmp_path)))
    async with running(name, given.get(name), limited=True) as (plugins, info):
        assert (info.sandbox["files"], info.sandbox["network"]) == ("enforced", "enforced")
        answer = await plugins.manager.call_tool(name, tool, arguments)
        assert not answer.is_error, answer.text
    kept = {"filesystem": tmp_path / "data" / "kept.txt", "memory": home / "memory" / "memory.jsonl"}
    if name in kept:
        assert "tulips" in kept[name].read_text()
    if name == "sqlite":
        assert b"tulips" in (tmp_path / "data" / "kept.db").read_bytes()


async def test_all_of_them_run_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_PERSONAL_ACCESS_TOKEN", "none-is-needed-to-list")
    subprocess.run(["git", "init", "-q", str(tmp_path / "repository")], check=True)
    given: dict[str, dict[str, Any]] = {
        "filesystem": {"folders": [str(tmp_path)]},
        "git": {"repository": str(tmp_path / "repository")},
        "sqlite": {"database": str(tmp_path / "x.db")},
        "github-local": {"token": "none-is-needed-to-list"},
    }
    async with managed() as plugins:
        for entry in load_catalogue().entries.values():
            definition = entry.definition(given.get(entry.id), known=("GITHUB_PERSONAL_ACCESS_TOKEN",))
            if isinstance(definition, LocalServer):
                env = {**definition.env, MARKER: plugins.marker}
                off = definition.model_copy(update={"env": env, "timeout": DOWNLOAD, "enabled": False})
                await plugins.manager.add(off)
        names = [info.id for info in plugins.manager.list()]
        await plugins.manager.ensure(names)
        assert {info.id: info.state for info in plugins.manager.list()} == dict.fromkeys(names, "running")
        public = [tool.public_name for tool in plugins.manager.tools()]
        assert len(public) == len(set(public)) > 60
        with pytest.raises(PluginError):
            plugins.manager.status("none")
