from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from valechat.errors import ConfigError
from valechat.paths import user_paths
from valechat.plugins.config import BearerAuth, CloudService, Definition, LocalServer, OAuth
from valechat.plugins.file import PluginsFile
from valechat.plugins.foreign import ForeignFile, found, import_into, pasted, read_foreign
from valechat.plugins.programs import candidates

CANARY = "ghp_canary0123456789abcdefghijklmnopqr"

CLAUDE_DESKTOP = """
{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/Users/me/Desktop"]
    },
    "My GitHub!": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-github"],
      "env": {"GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_canary0123456789abcdefghijklmnopqr"}
    }
  }
}
"""

CLAUDE_CODE = {
    "numStartups": 12,
    "mcpServers": {
        "sentry": {"type": "http", "url": "https://mcp.sentry.dev/mcp"},
        "old": {"type": "sse", "url": "https://example.com/events", "headers": {"X-Api-Key": "${KEY:-none}"}},
    },
    "projects": {"/elsewhere": {"mcpServers": {"not-mine": {"command": "x"}}}},
}

VS_CODE = """
{
  // Asked once and kept by VS Code.
  "inputs": [
    {"type": "promptString", "id": "github-token", "description": "A personal access token", "password": true},
    {"type": "promptString", "id": "region", "default": "eu", "description": "Region"},
  ],
  "servers": {
    "github": {
      "type": "http",
      "url": "https://api.githubcopilot.com/mcp/",
      "headers": {"Authorization": "Bearer ${input:github-token}"}
    },
    "local": {
      "type": "stdio",
      "command": "${workspaceFolder}/bin/server",
      "args": ["--root", "${workspaceFolder}", "--user", "${env:USER}", "--region", "${input:region}"],
      "envFile": "${workspaceFolder}/.env"
    },
    "signed": {"url": "https://example.com/mcp", "oauth": {"clientId": "abc"}}
  }
}
"""

VS_CODE_SETTINGS = (
    '{"editor.fontSize": 12, "mcp": {"inputs": [], "servers": {"time": {"command": "uvx", "args": ["t"]}}}}'
)

CURSOR = {
    "mcpServers": {
        "docs": {"url": "https://example.com/mcp", "headers": {"Authorization": "Bearer ${env:DOCS_TOKEN}"}},
        "db": {"command": "docker", "args": ["run", "-i", "--rm", "-p", 5432], "env": {"PORT": 5432, "TLS": True}},
    }
}

WINDSURF = {
    "mcpServers": {
        "zapier": {"serverUrl": "https://example.com/abc/sse", "disabledTools": ["send_mail"]},
        "git": {"command": "uvx", "args": ["mcp-server-git"], "disabled": True},
    }
}

JUPYTER_AI = {
    "mcp_servers": [
        {"name": "files", "command": "npx", "args": ["x"], "env": [{"name": "A", "value": "1"}]},
        {"name": "web", "type": "http", "url": "http://localhost:8080/mcp", "headers": [{"name": "X", "value": "y"}]},
    ]
}

NOTEBOOK_INTELLIGENCE = {"mcpServers": {"remote": {"url": "http://127.0.0.1:8080/mcp", "disabled": True}}}

CLINE = {
    "mcpServers": {
        "tools": {
            "type": "streamableHttp",
            "url": "http://localhost:8082/mcp",
            "timeout": 90,
            "autoApprove": ["delete_everything"],
        }
    }
}

CODEX = """
model = "gpt-5"
[mcp_servers.context7]
command = "npx"
args = ["-y", "@upstash/context7-mcp"]
[mcp_servers.context7.env]
LOCAL = "1"
[mcp_servers.figma]
url = "https://mcp.figma.com/mcp"
bearer_token_env_var = "FIGMA_TOKEN"
"""

ZED = {"context_servers": {"a": {"command": {"path": "node", "args": ["s.js"], "env": {"B": "2"}}, "settings": {}}}}


@pytest.fixture
def user(tmp_path: Path) -> Path:
    folder = tmp_path / "user"
    folder.mkdir()
    return folder


def put(path: Path, content: str | dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def local(definition: Definition) -> LocalServer:
    assert isinstance(definition, LocalServer)
    return definition


def cloud(definition: Definition) -> CloudService:
    assert isinstance(definition, CloudService)
    return definition


def programs(files: list[ForeignFile]) -> list[str]:
    return [file.program for file in files]


@pytest.mark.parametrize(
    ("platform", "folder", "environ"),
    [
        ("linux", ".config", {}),
        ("linux", "elsewhere", {"XDG_CONFIG_HOME": "{home}/elsewhere"}),
        ("darwin", "Library/Application Support", {}),
        ("win32", "AppData/Roaming", {}),
        ("win32", "roams", {"APPDATA": "{home}/roams"}),
    ],
)
def test_desktop_programs_are_found_where_the_system_keeps_their_settings(
    user: Path, platform: str, folder: str, environ: dict[str, str]
) -> None:
    put(user / folder / "Claude" / "claude_desktop_config.json", CLAUDE_DESKTOP)
    put(user / folder / "Code" / "User" / "mcp.json", VS_CODE)
    put(user / folder / "Code - Insiders" / "User" / "settings.json", VS_CODE_SETTINGS)
    environ = {name: value.format(home=user) for name, value in environ.items()}
    files = found(home=user, platform=platform, environ=environ)
    assert programs(files) == ["Claude Desktop", "VS Code", "VS Code Insiders"]
    assert not any(file.project for file in files)


def test_programs_that_keep_theirs_at_home_are_found(user: Path) -> None:
    put(user / ".claude.json", CLAUDE_CODE)
    put(user / ".cursor" / "mcp.json", CURSOR)
    put(user / ".codeium" / "windsurf" / "mcp_config.json", WINDSURF)
    put(user / ".codex" / "config.toml", CODEX)
    put(user / ".jupyter" / "mcp_settings.json", JUPYTER_AI)
    put(user / ".jupyter" / "nbi" / "mcp.json", NOTEBOOK_INTELLIGENCE)
    files = found(home=user, environ={})
    assert programs(files) == ["Claude Code", "Cursor", "Windsurf", "Codex", "Jupyter AI", "Notebook Intelligence"]
    assert [list(file.servers) for file in files] == [
        ["sentry", "old"],
        ["docs", "db"],
        ["zapier", "git"],
        ["context7", "figma"],
        ["files", "web"],
        ["remote"],
    ]


def test_a_projects_files_are_found_from_the_folders_below_and_marked_as_such(user: Path) -> None:
    project = user / "work" / "project"
    put(project / ".mcp.json", {"mcpServers": {"a": {"command": "x"}}})
    put(project / ".vscode" / "mcp.json", VS_CODE)
    files = found(project / "notebooks" / "deep", home=user, environ={})
    assert [(file.program, file.project) for file in files] == [("Claude Code", True), ("VS Code", True)]
    assert local(files[1].servers["local"]).args[1] == str(project)


def test_files_without_servers_are_not_listed_and_broken_ones_are(user: Path) -> None:
    put(user / ".claude.json", {"numStartups": 1})
    put(user / ".cursor" / "mcp.json", '{"mcpServers": {')
    (file,) = found(home=user, environ={})
    assert (file.program, file.servers) == ("Cursor", {})
    assert "line 1, column 17" in str(file.problems[0])


def test_no_candidate_is_looked_at_twice(user: Path) -> None:
    paths = [candidate.path for candidate in candidates(user / "a" / "b", home=user, environ={})]
    assert len(paths) == len(set(paths))


def test_claude_desktops_file_is_understood(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / "c.json", CLAUDE_DESKTOP))
    files, github = map(local, file.servers.values())
    assert (files.id, files.command, files.args[-1]) == ("filesystem", "npx", "/Users/me/Desktop")
    assert (github.id, github.name) == ("My-GitHub", "My GitHub!")


def test_what_is_taken_over_is_switched_off(tmp_path: Path) -> None:
    for content in (CLAUDE_DESKTOP, VS_CODE, WINDSURF, JUPYTER_AI):
        file = read_foreign(put(tmp_path / "c.json", content))
        assert not any(server.enabled for server in file.servers.values())


def test_a_secret_is_taken_over_as_it_is_and_pointed_out(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / "c.json", CLAUDE_DESKTOP))
    assert local(file.servers["My-GitHub"]).env == {"GITHUB_PERSONAL_ACCESS_TOKEN": CANARY}
    (note,) = file.notes["My-GitHub"]
    assert "valechat keys set GITHUB_PERSONAL_ACCESS_TOKEN" in note
    assert CANARY not in f"{file}"


def test_claude_codes_file_is_understood(user: Path) -> None:
    path = put(user / ".claude.json", CLAUDE_CODE)
    sentry, old = map(cloud, read_foreign(path, project=user).servers.values())
    assert (sentry.transport, old.transport) == ("http", "sse")
    assert old.headers == {"X-Api-Key": "${KEY:-none}"}


def test_claude_codes_servers_of_this_project_count_and_others_do_not(user: Path) -> None:
    project = user / "project"
    mine = {
        str(project): {"mcpServers": {"p": {"command": "x"}}},
        "/elsewhere": {"mcpServers": {"q": {"command": "x"}}},
    }
    content = {**CLAUDE_CODE, "projects": mine}
    file = read_foreign(put(user / ".claude.json", content), project=project / "notebooks")
    assert list(file.servers) == ["sentry", "old", "p"]


def test_vs_codes_file_is_understood_with_comments_and_questions(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / ".vscode" / "mcp.json", VS_CODE), project=tmp_path)
    assert cloud(file.servers["github"]).headers == {"Authorization": "Bearer ${GITHUB_TOKEN}"}
    assert file.notes["github"] == (
        "It asks for github-token (A personal access token): set GITHUB_TOKEN, or run: valechat keys set GITHUB_TOKEN",
    )
    server = local(file.servers["local"])
    assert server.command == f"{tmp_path}/bin/server"
    assert server.args == ["--root", str(tmp_path), "--user", "${USER}", "--region", "${REGION:-eu}"]
    assert any("/.env are not read" in note for note in file.notes["local"])
    signed = cloud(file.servers["signed"])
    assert isinstance(signed.auth, OAuth)
    assert signed.auth.client_id == "abc"


def test_vs_codes_older_settings_are_understood(tmp_path: Path) -> None:
    assert list(read_foreign(put(tmp_path / "settings.json", VS_CODE_SETTINGS)).servers) == ["time"]


def test_cursors_file_is_understood(tmp_path: Path) -> None:
    docs, db = read_foreign(put(tmp_path / "mcp.json", CURSOR)).servers.values()
    assert cloud(docs).headers == {"Authorization": "Bearer ${DOCS_TOKEN}"}
    assert local(db).args[-1] == "5432"
    assert local(db).env == {"PORT": "5432", "TLS": "true"}


def test_windsurfs_file_is_understood(tmp_path: Path) -> None:
    zapier, git = read_foreign(put(tmp_path / "mcp_config.json", WINDSURF)).servers.values()
    assert (cloud(zapier).url, cloud(zapier).transport) == ("https://example.com/abc/sse", "sse")
    assert (zapier.tools_off, local(git).command) == (["send_mail"], "uvx")


def test_jupyter_ais_file_is_understood(tmp_path: Path) -> None:
    files, web = read_foreign(put(tmp_path / "mcp_settings.json", JUPYTER_AI)).servers.values()
    assert local(files).env == {"A": "1"}
    assert cloud(web).headers == {"X": "y"}


def test_clines_file_is_understood_but_what_it_may_do_unasked_is_not_taken_over(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / "cline_mcp_settings.json", CLINE))
    tools = cloud(file.servers["tools"])
    assert (tools.transport, tools.call_timeout) == ("http", 90)
    assert "without asking is not taken over" in file.notes["tools"][0]
    assert "delete_everything" not in json.dumps(tools.model_dump(mode="json"))


def test_codexs_toml_is_understood(tmp_path: Path) -> None:
    context7, figma = read_foreign(put(tmp_path / "config.toml", CODEX)).servers.values()
    assert local(context7).env == {"LOCAL": "1"}
    auth = cloud(figma).auth
    assert isinstance(auth, BearerAuth)
    assert auth.token == "${FIGMA_TOKEN}"


def test_zeds_settings_are_understood(tmp_path: Path) -> None:
    (server,) = map(local, read_foreign(put(tmp_path / "settings.json", ZED)).servers.values())
    assert (server.command, server.args, server.env) == ("node", ["s.js"], {"B": "2"})


def test_our_own_file_can_be_read_as_well(tmp_path: Path) -> None:
    ours = {"mcp_plugins": {"local_servers": [{"id": "a", "command": "x"}, {"id": "b"}]}}
    file = read_foreign(put(tmp_path / "mine.json", ours))
    assert (list(file.servers), file.servers["a"].enabled, len(file.problems)) == (["a"], False, 1)


def test_one_that_cannot_be_understood_loses_none_of_the_others(tmp_path: Path) -> None:
    servers = {
        "a": {"command": "x"},
        "b": {"comand": "x"},
        "c": 3,
        "d": {"url": "http://example.com"},
        "e": {"command": ""},
    }
    file = read_foreign(put(tmp_path / "c.json", {"mcpServers": servers}))
    assert list(file.servers) == ["a"]
    assert [getattr(problem, "plugin", "") for problem in file.problems] == ["b", "c", "d", "e"]


def test_fields_that_are_not_known_are_named(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / "c.json", {"mcpServers": {"a": {"command": "x", "sandbox": True, "icon": "y"}}}))
    assert file.notes["a"] == ("Not taken over: sandbox.",)


def test_two_names_that_give_the_same_id_are_told_apart(tmp_path: Path) -> None:
    servers = {"a b": {"command": "x"}, "a.b": {"command": "y"}, "日本": {"command": "z"}}
    file = read_foreign(put(tmp_path / "c.json", {"mcpServers": servers}))
    assert [(server.id, server.name) for server in file.servers.values()] == [
        ("a-b", "a b"),
        ("a-b-2", "a.b"),
        ("plugin", "日本"),
    ]


def test_a_time_in_milliseconds_becomes_seconds(tmp_path: Path) -> None:
    file = read_foreign(put(tmp_path / "c.json", {"mcpServers": {"a": {"command": "x", "timeout": 600000}}}))
    assert file.servers["a"].call_timeout == 600


@pytest.mark.parametrize("name", ["none.json", "none.toml", "folder"])
def test_a_file_that_is_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_foreign(tmp_path / name)


def test_no_error_shows_what_is_in_a_broken_file(tmp_path: Path) -> None:
    for name, content in (("c.json", f'{{"a": "{CANARY}'), ("c.toml", f'a = "{CANARY}')):
        with pytest.raises(ConfigError) as caught:
            read_foreign(put(tmp_path / name, content))
        assert CANARY not in f"{caught.value} {caught.value.__context__}"


PASTED = {
    "a whole file": ('{"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time"]}}}', "time"),
    "the servers' table": ('{"time": {"command": "uvx", "args": ["mcp-server-time"]}}', "time"),
    "one member without braces": ('"time": {"command": "uvx", "args": ["mcp-server-time"]},', "time"),
    "a bare entry": ('{"command": "uvx", "args": ["mcp-server-time"]}', "time"),
    "a bare entry with a name": ('{"name": "clock", "command": "uvx", "args": ["mcp-server-time"]}', "clock"),
    "a block of Markdown": (
        '```json\n{"mcpServers": {"time": {"command": "uvx", "args": ["mcp-server-time"]}}}\n```',
        "time",
    ),
    "comments": ('{"mcpServers": {\n// the time\n"time": {"command": "uvx", "args": ["mcp-server-time"],}}}', "time"),
    "a command line": ("uvx mcp-server-time", "time"),
    "VS Code's form": (
        '{"servers": {"time": {"type": "stdio", "command": "uvx", "args": ["mcp-server-time"]}}}',
        "time",
    ),
    "a list": ('[{"name": "time", "command": "uvx", "args": ["mcp-server-time"]}]', "time"),
    "our own form": (
        '{"mcp_plugins": {"local_servers": [{"id": "time", "command": "uvx", "args": ["mcp-server-time"]}]}}',
        "time",
    ),
}


@pytest.mark.parametrize("form", PASTED)
def test_a_local_server_can_be_pasted_as(form: str) -> None:
    text, name = PASTED[form]
    (server,) = map(local, pasted(text).servers.values())
    assert (server.id, server.command, server.args) == (name, "uvx", ["mcp-server-time"])


@pytest.mark.parametrize(
    ("text", "name", "transport"),
    [
        ("https://mcp.deepwiki.com/mcp", "deepwiki", "http"),
        ("https://example.com/sse", "example", "sse"),
        ("wss://example.com/mcp", "example", "websocket"),
        ('{"url": "https://mcp.linear.app/mcp"}', "linear", "http"),
        ('{"linear": {"url": "https://mcp.linear.app/mcp", "type": "streamable-http"}}', "linear", "http"),
        ('"linear": {"httpUrl": "https://mcp.linear.app/sse"}', "linear", "http"),
    ],
)
def test_a_cloud_service_can_be_pasted(text: str, name: str, transport: str) -> None:
    (service,) = map(cloud, pasted(text).servers.values())
    assert (service.id, service.transport) == (name, transport)


def test_a_command_line_keeps_its_quotes_and_options() -> None:
    (server,) = map(local, pasted("npx -y @modelcontextprotocol/server-filesystem '/my folder'").servers.values())
    assert (server.id, server.args) == (
        "filesystem",
        ["-y", "@modelcontextprotocol/server-filesystem", "/my folder"],
    )


@pytest.mark.parametrize("text", ["", "hello", "{}", "[]", "3", '{"a": 1}', '{"a": {"b": 1}}', "```\n```", "npx"])
def test_a_text_without_a_server_is_refused_with_what_to_paste(text: str) -> None:
    with pytest.raises(ConfigError):
        pasted(text)


def test_a_broken_paste_says_where_it_breaks() -> None:
    with pytest.raises(ConfigError, match="line 2, column 3"):
        pasted('{"mcpServers":\n  oops}')


@pytest.fixture
def file(home: Path) -> PluginsFile:
    return PluginsFile(user_paths().plugins_file)


def test_importing_adds_to_the_users_file_switched_off(file: PluginsFile) -> None:
    added = import_into(file, pasted(CLAUDE_DESKTOP).servers.values())
    assert [server.id for server in added] == ["filesystem", "My-GitHub"]
    assert [server.enabled for server in file.read().values()] == [False, False]
    assert file.problems == ()


def test_importing_can_switch_on_at_once(file: PluginsFile) -> None:
    import_into(file, pasted("uvx mcp-server-time").servers.values(), enabled=True)
    assert file.read()["time"].enabled is True


def test_an_id_that_is_taken_gets_a_number_and_the_same_server_is_not_added_twice(file: PluginsFile) -> None:
    file.add({"id": "time", "command": "uvx", "args": ["another"]})
    text = '{"time": {"command": "uvx", "args": ["mcp-server-time"]}}'
    (added,) = import_into(file, pasted(text).servers.values())
    assert (added.id, added.name) == ("time-2", "time")
    assert import_into(file, pasted(text).servers.values()) == []
    file.remove("time")
    file.change("time-2", id="time")
    assert import_into(file, pasted(text).servers.values()) == []
    assert list(file.read()) == ["time"]


ENTRY_KEYS = [
    *(
        "command",
        "args",
        "env",
        "url",
        "serverUrl",
        "httpUrl",
        "type",
        "transport",
        "headers",
        "cwd",
        "timeout",
        "auth",
    ),
    *("oauth", "disabledTools", "disabled", "envFile", "description", "name", "id", "bearer_token_env_var", "clientId"),
    *("mcpServers", "servers", "mcp_servers", "mcp", "mcp.servers", "projects", "inputs", "context_servers", "path"),
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        [
            "npx",
            "https://[",
            "https://x/sse",
            "http://x:y",
            "${input:a}",
            "${workspaceFolder}",
            "${config:x}",
            "sse",
            "\0",
        ]
    )
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(ENTRY_KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(trees)
@example({"mcpServers": {"a": {"url": "https://["}}})
@example({"command": "npx", "args": [{"a": 1}]})
@example({"projects": {"\0": {"mcpServers": {}}}})
@settings(max_examples=100, deadline=None)
def test_any_json_that_is_pasted_is_understood_or_refused(document: Any) -> None:
    with contextlib.suppress(ConfigError):
        for server in pasted(json.dumps(document)).servers.values():
            assert not server.enabled


@given(st.text() | st.sampled_from(ENTRY_KEYS).map(lambda key: f"npx {key} '"))
@example("https://[")
@example("```json\n```")
@settings(max_examples=60, deadline=None)
def test_any_text_that_is_pasted_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        pasted(text)
