from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run, run
from valechat.config import SettingsFile
from valechat.errors import KeyStorageError, UnresolvedVariable
from valechat.keys import KeyRing
from valechat.paths import user_paths
from valechat.plugins.config import CloudService, Definition, LocalServer, parse
from valechat.plugins.secrets import doubts, looks_secret, move_secrets, plain_secrets, sounds_secret
from valechat.plugins.variables import resolve, variables

__all__ = ["run"]

CANARY = "ghp_canary0123456789abcdefghijklmnopqr"

Ring = Callable[..., KeyRing]


@pytest.fixture
def ring(home: Path) -> Ring:
    """Keys in the encrypted file, which needs no keychain, and an environment of the test's own."""

    def make(**environ: str) -> KeyRing:
        environ = {"VALECHAT_PASSPHRASE": "correct horse", **environ}
        return KeyRing(user_paths(), SettingsFile(user_paths()).current, environ=environ)

    return make


def server(**fields: object) -> Definition:
    return parse({"id": "github", "command": "npx", **fields})


def env_of(definition: Definition) -> dict[str, str]:
    assert isinstance(definition, LocalServer)
    return definition.env


async def test_the_environment_comes_before_the_key_storage(ring: Ring) -> None:
    await ring().store("GITHUB_TOKEN", "stored", place="file")
    definition = server(env={"T": "${GITHUB_TOKEN}"})
    assert env_of(await resolve(definition, ring(GITHUB_TOKEN="here"))) == {"T": "here"}
    assert env_of(await resolve(definition, ring())) == {"T": "stored"}


async def test_a_secret_may_have_blanks_and_be_of_several_lines(ring: Ring) -> None:
    value = '{"Authorization": "Bearer x"}\nsecond line'
    await ring().store("HEADERS", f"  {value}\n", place="file")
    assert await variables(server(env={"H": "${HEADERS}"}), ring()) == {"HEADERS": value}


async def test_what_has_no_value_is_named_when_it_has_no_default_either(ring: Ring) -> None:
    definition = server(args=["${MODE:-fast}"], env={"T": "${GITHUB_TOKEN}"})
    with pytest.raises(UnresolvedVariable) as caught:
        await resolve(definition, ring())
    assert caught.value.variable == "GITHUB_TOKEN"
    assert env_of(await resolve(definition, ring(GITHUB_TOKEN="x"))) == {"T": "x"}


@pytest.mark.parametrize("name", ["openai", "OPENAI", "openai_api_key"])
async def test_a_providers_kept_key_cannot_be_had_as_a_variable(ring: Ring, name: str) -> None:
    """A server somebody else wrote must not get the user's keys by naming them."""
    keys = ring()
    await keys.store("openai", CANARY, place="file")
    with pytest.raises(UnresolvedVariable):
        await resolve(server(env={"K": f"${{{name}}}"}), keys)


async def test_each_use_of_a_secret_is_recorded_without_it(ring: Ring) -> None:
    uses: list[tuple[str, str, str]] = []

    def record(*, key: str, source: str, purpose: str, at: dt.datetime) -> None:
        uses.append((key, source, purpose))

    keys = ring(API_TOKEN=CANARY, HOME_PAGE="x")
    await keys.store("GITHUB_TOKEN", CANARY, place="file")
    keys.on_access = record
    definition = server(env={"A": "${GITHUB_TOKEN}", "B": "${API_TOKEN}", "C": "${HOME_PAGE}", "D": "${NONE:-x}"})
    await resolve(definition, keys)
    assert uses == [
        ("GITHUB_TOKEN", "key file", "plugin github"),
        ("API_TOKEN", "environment API_TOKEN", "plugin github"),
    ]


async def test_a_stored_secret_that_cannot_be_read_is_an_error_that_says_so(ring: Ring) -> None:
    await ring().store("GITHUB_TOKEN", CANARY, place="file")
    locked = KeyRing(user_paths(), SettingsFile(user_paths()).current, environ={})
    with pytest.raises(KeyStorageError, match="passphrase"):
        await resolve(server(env={"T": "${GITHUB_TOKEN}"}), locked)


async def test_a_named_secret_is_listed_among_the_keys_and_can_be_deleted(ring: Ring) -> None:
    keys = ring(GITHUB_TOKEN="other")
    row = await keys.store("GITHUB_TOKEN", CANARY, place="file")
    assert row.provider == "GITHUB_TOKEN"
    assert [(row.provider, row.source, row.note) for row in keys.list()] == [
        ("GITHUB_TOKEN", "environment GITHUB_TOKEN", ""),
        ("GITHUB_TOKEN", "key file", "not used: environment GITHUB_TOKEN comes first"),
    ]
    assert await keys.delete("GITHUB_TOKEN")
    assert await ring().secret("GITHUB_TOKEN", purpose="test") is None


def test_the_command_keeps_a_named_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    kept = run("keys", "set", "GITHUB_TOKEN", "--file", piped=f"{CANARY}\n")
    assert (kept.returncode, kept.stderr) == (0, "")
    assert "The key of GITHUB_TOKEN is kept" in kept.stdout
    assert "GITHUB_TOKEN" in run("keys", "list").stdout
    assert run("keys", "delete", "GITHUB_TOKEN").returncode == 0


@pytest.mark.parametrize(
    "value", [CANARY, "sk-proj-0123456789abcdef", "hf_abcdefghijklmnopqrst", "AKIAIOSFODNN7EXAMPLE"]
)
def test_the_tokens_of_well_known_services_look_like_secrets(value: str) -> None:
    assert looks_secret(value)


@pytest.mark.parametrize("value", ["9f8Kd02mQz7LxPw3VbT5RyHc", "postgres://me:hunter2@db.example.com/x"])
def test_a_long_random_text_and_a_password_in_an_address_look_like_secrets(value: str) -> None:
    assert looks_secret(value)


@pytest.mark.parametrize(
    "value",
    [
        *("", "true", "3000", "/home/me/projects/2026/data", "https://example.com/a1b2", "Europe/Amsterdam"),
        *("the quick brown fox jumps over 13 lazy dogs", "aaaaaaaaaaaaaaaaaaaaaaaa1", "production-eu-west-1"),
        *("${GITHUB_TOKEN}", "@modelcontextprotocol/server-filesystem@2026.8.31"),
    ],
)
def test_ordinary_values_do_not_look_like_secrets(value: str) -> None:
    assert not looks_secret(value)


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "apiKey", "X-Api-Key", "DB_PASSWORD", "Authorization", "MY_KEY", "GH_PAT"]
)
def test_names_that_sound_like_secrets(name: str) -> None:
    assert sounds_secret(name)


@pytest.mark.parametrize("name", ["PATH", "KEYBOARD", "MONKEY", "AUTHOR", "PORT", "HOME", "TZ"])
def test_names_that_do_not(name: str) -> None:
    assert not sounds_secret(name)


def test_secrets_in_plain_text_are_pointed_out_wherever_they_stand() -> None:
    local = server(env={"GITHUB_TOKEN": "hunter2-hunter2", "PORT": "3000", "B": "${B}"}, args=["-y", f"--key={CANARY}"])
    assert [found.path for found in plain_secrets(local)] == [("env", "GITHUB_TOKEN"), ("args", "1")]
    cloud = {"id": "c", "url": "https://example.com", "headers": {"Authorization": f"Bearer {CANARY}", "X-A": "b"}}
    oauth = {"type": "oauth", "client_id": "me", "client_secret": "hunter2-hunter2"}
    assert [found.path for found in plain_secrets(parse({**cloud, "auth": oauth}))] == [
        ("headers", "Authorization"),
        ("auth", "client_secret"),
    ]
    assert not doubts(parse({**cloud, "headers": {"Authorization": "Bearer ${TOKEN}"}}))
    assert CANARY not in "".join(doubts(local))


async def test_secrets_move_to_the_key_storage_and_come_back_when_the_plugin_starts(ring: Ring) -> None:
    keys = ring()
    plain = server(env={"GITHUB_TOKEN": CANARY, "PORT": "1"}, args=["x", f"--key={CANARY}"])
    moved = await move_secrets(plain, keys, place="file")
    assert isinstance(moved, LocalServer)
    assert (moved.env, moved.args) == (
        {"GITHUB_TOKEN": "${GITHUB_TOKEN}", "PORT": "1"},
        ["x", "--key=${GITHUB_SECRET}"],
    )
    back = await resolve(moved, ring())
    assert isinstance(back, LocalServer)
    assert isinstance(plain, LocalServer)
    assert (back.env, back.args) == (plain.env, plain.args)


async def test_the_scheme_before_a_token_in_a_header_stays(ring: Ring) -> None:
    entry = {"id": "c-d", "url": "https://example.com", "headers": {"Authorization": f"Bearer {CANARY}"}}
    moved = await move_secrets(parse(entry), ring(), place="file")
    assert isinstance(moved, CloudService)
    assert moved.headers == {"Authorization": "Bearer ${C_D_AUTHORIZATION}"}


async def test_a_name_that_stands_for_something_else_gets_the_plugins_before_it(ring: Ring) -> None:
    moved = await move_secrets(server(env={"GITHUB_TOKEN": CANARY}), ring(GITHUB_TOKEN="another"), place="file")
    assert env_of(moved) == {"GITHUB_TOKEN": "${GITHUB_GITHUB_TOKEN}"}
    again = await move_secrets(server(id="two", env={"GITHUB_GITHUB_TOKEN": CANARY}), ring(), place="file")
    assert env_of(again) == {"GITHUB_GITHUB_TOKEN": "${TWO_GITHUB_GITHUB_TOKEN}"}


async def test_without_a_keychain_the_key_file_is_used_where_there_is_one(ring: Ring) -> None:
    await move_secrets(server(env={"GITHUB_TOKEN": CANARY}), ring())
    assert [(row.provider, row.source) for row in ring().list()] == [("GITHUB_TOKEN", "key file")]


async def test_where_nothing_can_be_kept_the_error_says_how_to_go_on(home: Path) -> None:
    keys = KeyRing(user_paths(), SettingsFile(user_paths()).current, environ={})
    with pytest.raises(KeyStorageError, match="no keychain") as caught:
        await move_secrets(server(env={"GITHUB_TOKEN": CANARY}), keys)
    assert caught.value.fix == ("Set GITHUB_TOKEN before Jupyter starts, or run: valechat keys set GITHUB_TOKEN --file")
    assert CANARY not in f"{caught.value} {caught.value.__context__}"


async def test_what_was_not_said_is_not_said_after_a_secret_moved(ring: Ring) -> None:
    moved = await move_secrets(server(env={"GITHUB_TOKEN": CANARY}), ring(), place="file")
    assert moved.model_fields_set == {"id", "command", "env"}
