from __future__ import annotations

import json
import traceback
from typing import Any

import pytest

from valechat.errors import (
    ConfigError,
    DuplicateId,
    InvalidCommand,
    InvalidPlugin,
    InvalidUrl,
    SchemaInvalid,
    UnresolvedVariable,
)
from valechat.plugins.config import BearerAuth, CloudService, LocalServer, OAuth, Permissions, parse, resolved

CANARY = "ghp_canary0123456789abcdefghijklmnopqr"

UNSET: dict[str, str] = {}

LOCAL = {"id": "a", "name": "A", "command": "npx"}
CLOUD = {"id": "a", "name": "A", "url": "https://example.com/mcp", "auth": {"type": "none"}}

SEED_SERVER = {
    "id": "github",
    "name": "GitHub Integration",
    "description": "Manage GitHub repositories, issues, and PRs",
    "command": "npx",
    "args": ["-y", "@modelcontextprotocol/server-github"],
    "env": {"GITHUB_TOKEN": "${GITHUB_TOKEN}"},
    "enabled": False,
    "timeout": 60,
}
SEED_SERVICE = {
    "id": "custom_service",
    "name": "Custom MCP Service",
    "url": "https://mcp.example.com",
    "auth": {
        "type": "oauth",
        "client_id": "client",
        "client_secret": "${OAUTH_CLIENT_SECRET}",
        "token_url": "https://auth.example.com/oauth/token",
        "scopes": ["mcp:read", "mcp:write"],
    },
    "enabled": False,
    "timeout": 30,
}


def test_a_local_server_is_read_with_every_field_it_may_leave_out() -> None:
    server = parse({"id": "a", "command": "npx"})
    assert isinstance(server, LocalServer)
    assert (server.title, server.args, server.env, server.enabled) == ("a", [], {}, True)
    assert (server.timeout, server.call_timeout, server.transport, server.protocol) == (60, 30, "stdio", "legacy")
    assert server.permissions is None


def test_a_cloud_service_is_read_with_its_auth() -> None:
    service = parse(SEED_SERVICE)
    assert isinstance(service, CloudService)
    assert isinstance(service.auth, OAuth)
    assert (service.auth.scopes, service.auth.grant) == (["mcp:read", "mcp:write"], "authorization_code")
    assert (service.transport, service.protocol, service.timeout) == ("http", "auto", 30)


def test_unknown_fields_are_kept() -> None:
    assert parse({**LOCAL, "icon": {"emoji": "🐙"}}).model_dump()["icon"] == {"emoji": "🐙"}


BROKEN: list[tuple[dict[str, Any], type[InvalidPlugin], str]] = [
    ({"id": "a"}, SchemaInvalid, "neither command nor url"),
    ({**LOCAL, "url": "https://example.com"}, SchemaInvalid, "both command and url"),
    ({"name": "A", "command": "npx"}, SchemaInvalid, "id is missing"),
    ({**LOCAL, "id": "a b"}, SchemaInvalid, "id is not a name"),
    ({**LOCAL, "id": "a" * 65}, SchemaInvalid, "id is not a name"),
    ({**LOCAL, "id": 3}, SchemaInvalid, "id is not text"),
    ({**LOCAL, "command": ""}, InvalidCommand, "command is empty"),
    ({**LOCAL, "command": ["npx"]}, InvalidCommand, "command is not text"),
    ({**LOCAL, "command": "a\0b"}, InvalidCommand, "zero byte"),
    ({**LOCAL, "timeout": 0}, SchemaInvalid, "timeout should be greater than 0"),
    ({**LOCAL, "timeout": -1}, SchemaInvalid, "timeout should be greater than 0"),
    ({**LOCAL, "timeout": True}, SchemaInvalid, "timeout is not a number"),
    ({**LOCAL, "call_timeout": "60"}, SchemaInvalid, "call_timeout is not a number"),
    ({**LOCAL, "enabled": "yes"}, SchemaInvalid, "enabled is not true or false"),
    ({**LOCAL, "args": "-y"}, SchemaInvalid, "args is not a list"),
    ({**LOCAL, "args": [1]}, SchemaInvalid, "args.0 is not text"),
    ({**LOCAL, "args": ["\ud800"]}, SchemaInvalid, "half of a character"),
    ({**LOCAL, "env": ["A=1"]}, SchemaInvalid, "env is not a table"),
    ({**LOCAL, "env": {"PORT": 3000}}, SchemaInvalid, "env.PORT is not text"),
    ({**LOCAL, "env": {"A=B": "1"}}, SchemaInvalid, "not a name an environment variable"),
    ({**LOCAL, "permissions": {"file_reads": []}}, SchemaInvalid, "file_reads is not a setting"),
    ({**LOCAL, "permissions": {"network_access": "off"}}, SchemaInvalid, "network_access is neither"),
    ({**LOCAL, "transport": "http"}, SchemaInvalid, "transport has an unknown value"),
    ({**CLOUD, "url": ""}, InvalidUrl, "url is empty"),
    ({**CLOUD, "url": "example.com"}, InvalidUrl, "does not start with|not an address"),
    ({**CLOUD, "url": "http://example.com/mcp"}, InvalidUrl, "plain http to another machine"),
    ({**CLOUD, "url": "https://[::1"}, InvalidUrl, "not an address"),
    ({**CLOUD, "url": "https://example.com:99999"}, InvalidUrl, "not an address"),
    ({**CLOUD, "url": f"https://me:{CANARY}@example.com"}, InvalidUrl, "user name or password"),
    ({**CLOUD, "transport": "websocket"}, InvalidUrl, "starts with wss"),
    ({**CLOUD, "transport": "websocket", "url": "ws://example.com"}, InvalidUrl, "plain ws"),
    ({**CLOUD, "auth": {"type": "bearer"}}, SchemaInvalid, "auth.token is missing"),
    ({**CLOUD, "auth": {"type": "bearer", "token": ""}}, SchemaInvalid, "auth.token is empty"),
    ({**CLOUD, "auth": {"type": "basic"}}, SchemaInvalid, "auth.type says no kind"),
    ({**CLOUD, "auth": "none"}, SchemaInvalid, "auth is not a table"),
    ({**CLOUD, "auth": {"type": "oauth", "grant": "client_credentials"}}, SchemaInvalid, "client_id and client_secret"),
    ({**CLOUD, "headers": {"a b": "c"}}, SchemaInvalid, "not a name an HTTP header"),
]


@pytest.mark.parametrize(("entry", "kind", "says"), BROKEN, ids=[says for _, _, says in BROKEN])
def test_a_broken_entry_is_refused_by_its_kind_with_what_is_wrong(
    entry: dict[str, Any], kind: type[InvalidPlugin], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        parse(entry)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_error_names_the_plugin_what_to_write_and_what_else_is_wrong() -> None:
    with pytest.raises(SchemaInvalid) as caught:
        parse({**LOCAL, "timeout": 0, "args": 3})
    assert caught.value.plugin == "a"
    assert caught.value.message.startswith('Plugin "a": ')
    assert "Also wrong: args" in caught.value.fix


@pytest.mark.parametrize(
    ("url", "transport"),
    [
        ("https://example.com/mcp?x=1", "http"),
        ("http://127.0.0.1:8080/mcp", "http"),
        ("http://[::1]:8080/sse", "sse"),
        ("http://localhost/mcp", "http"),
        ("wss://example.com", "websocket"),
        ("ws://localhost:3000/mcp", "websocket"),
        ("unix:///run/server.sock", "my-socket"),
        ("https://${HOST}/mcp", "http"),
    ],
)
def test_an_address_that_is_safe_is_taken(url: str, transport: str) -> None:
    assert parse({**CLOUD, "url": url, "transport": transport}).id == "a"


def test_plain_http_to_another_machine_is_taken_where_the_user_allows_it() -> None:
    entry = {**CLOUD, "url": "http://lab.internal:8000/mcp", "allow_http": True}
    assert isinstance(parse(entry), CloudService)


def test_what_a_permission_leaves_out_is_not_limited() -> None:
    server = parse({**LOCAL, "permissions": {"network_access": False}})
    assert isinstance(server, LocalServer)
    assert server.permissions == Permissions(network_access=False)
    assert server.permissions.file_read is None


def test_variables_are_put_in_everywhere_a_server_is_told_something() -> None:
    server = resolved(
        parse({**LOCAL, "args": ["${A}", "${B:-two}"], "env": {"X": "${A}-${C:-}"}, "cwd": "${A}"}), {"A": "one"}.get
    )
    assert isinstance(server, LocalServer)
    assert (server.args, server.env, server.cwd) == (["one", "two"], {"X": "one-"}, "one")


def test_variables_are_put_in_everywhere_a_service_is_told_something() -> None:
    entry = {**CLOUD, "url": "https://${H}/mcp", "auth": {"type": "bearer", "token": "${T}"}, "headers": {"X": "${H}"}}
    service = resolved(parse(entry), {"H": "example.com", "T": CANARY}.get)
    assert isinstance(service, CloudService)
    assert isinstance(service.auth, BearerAuth)
    assert (service.url, service.auth.token) == ("https://example.com/mcp", CANARY)
    assert service.headers == {"X": "example.com"}


def test_name_and_description_are_just_text() -> None:
    server = resolved(parse({**LOCAL, "name": "${A}", "description": "uses ${B}"}), UNSET.get)
    assert (server.name, server.description) == ("${A}", "uses ${B}")


def test_two_dollar_signs_give_the_rest_as_it_stands() -> None:
    server = resolved(parse({**LOCAL, "args": ["echo $${HOME} $HOME"]}), UNSET.get)
    assert isinstance(server, LocalServer)
    assert server.args == ["echo ${HOME} $HOME"]


def test_what_a_variable_holds_is_not_looked_at_again() -> None:
    server = resolved(parse({**LOCAL, "args": ["${A}"]}), {"A": "${B}"}.get)
    assert isinstance(server, LocalServer)
    assert server.args == ["${B}"]


def test_a_variable_that_is_not_set_is_named_with_what_to_do() -> None:
    with pytest.raises(UnresolvedVariable) as caught:
        resolved(parse(SEED_SERVER), UNSET.get)
    assert (caught.value.variable, caught.value.plugin) == ("GITHUB_TOKEN", "github")
    assert str(caught.value) == (
        'Plugin "github" needs GITHUB_TOKEN, which is not set. Set GITHUB_TOKEN before Jupyter starts, or in a cell'
        " with %env, or keep it in the keychain: valechat keys set GITHUB_TOKEN"
    )


def test_an_address_made_unsafe_by_a_variable_is_refused_when_it_is_known() -> None:
    service = parse({**CLOUD, "url": "http://${HOST}/mcp"})
    assert resolved(service, {"HOST": "127.0.0.1:80"}.get).id == "a"
    with pytest.raises(InvalidUrl):
        resolved(service, {"HOST": "example.com"}.get)


def test_the_users_home_stands_for_the_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    server = resolved(parse({**LOCAL, "command": "~/bin/server", "cwd": "~", "roots": ["~/work"]}), UNSET.get)
    assert isinstance(server, LocalServer)
    assert (server.command, server.cwd, server.roots) == ("/home/me/bin/server", "/home/me", ["/home/me/work"])


def test_no_secret_shows_when_a_definition_is_printed() -> None:
    local = parse({**LOCAL, "env": {"T": CANARY}, "extra": CANARY})
    cloud = parse(
        {**CLOUD, "headers": {"X": CANARY}, "auth": {"type": "oauth", "client_id": "c", "client_secret": CANARY}}
    )
    bearer = parse({**CLOUD, "auth": {"type": "bearer", "token": CANARY}})
    for definition in (local, cloud, bearer):
        assert CANARY not in f"{definition} {definition!r} {[definition]}"
    assert "'T': …" in repr(local)


def test_a_resolved_definition_shows_itself_as_it_was_written() -> None:
    written = parse({**LOCAL, "args": ["--key", "${T}"], "env": {"T": "${T}"}})
    secret = resolved(written, {"T": CANARY}.get)
    assert repr(secret) == repr(written)
    assert secret.written is written


@pytest.mark.parametrize(
    "change",
    [{"name": "B"}, {"description": "b"}, {"enabled": False}, {"call_timeout": 5}, {"tools_off": ["x"]}, {"icon": 1}],
)
def test_a_change_that_needs_no_restart_keeps_the_key(change: dict[str, Any]) -> None:
    assert parse({**LOCAL, **change}).restart_key == parse(LOCAL).restart_key


@pytest.mark.parametrize(
    "change",
    [{"command": "uvx"}, {"args": ["x"]}, {"env": {"A": "1"}}, {"cwd": "/"}, {"permissions": {}}, {"protocol": "auto"}],
)
def test_a_change_that_needs_a_restart_changes_the_key(change: dict[str, Any]) -> None:
    assert parse({**LOCAL, **change}).restart_key != parse(LOCAL).restart_key


def test_what_a_third_partys_transport_may_read_changes_the_key() -> None:
    entry = {**CLOUD, "transport": "carrier-pigeon"}
    assert parse({**entry, "loft": "a"}).restart_key != parse({**entry, "loft": "b"}).restart_key
    assert "secret-loft" not in parse({**entry, "loft": "secret-loft"}).restart_key


def test_the_kinds_of_error_are_those_of_a_configuration() -> None:
    for kind in (DuplicateId, InvalidCommand, InvalidUrl, UnresolvedVariable, SchemaInvalid):
        assert issubclass(kind, ConfigError)


def test_a_definition_goes_to_json_and_back() -> None:
    for entry in (SEED_SERVER, SEED_SERVICE):
        definition = parse(entry)
        assert parse(json.loads(json.dumps(definition.model_dump(mode="json")))) == definition


def test_a_secret_among_the_arguments_or_in_the_address_does_not_show_either() -> None:
    local = parse({**LOCAL, "args": ["--token", CANARY, f"--key={CANARY}", "@scope/server-filesystem@2026.8.31"]})
    cloud = parse({**CLOUD, "url": f"https://example.com/mcp?api_key={CANARY}"})
    assert CANARY not in f"{local} {cloud}"
    assert "@scope/server-filesystem@2026.8.31" in repr(local)
