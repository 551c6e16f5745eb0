from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from valechat.config import SettingsFile
from valechat.errors import ConfigError, SchemaInvalid
from valechat.keys import KeyRing
from valechat.paths import user_paths
from valechat.plugins.catalogue import CatalogueEntry, entries, install, load_catalogue
from valechat.plugins.config import BearerAuth, CloudService, LocalServer
from valechat.plugins.template import filled
from valechat.plugins.updates import package_of
from valechat.plugins.variables import resolve

CANARY = "ghp_canary0123456789abcdefghijklmnopqr"

OWN: dict[str, Any] = {
    "id": "wiki",
    "name": "Our wiki",
    "description": "Searches the lab's wiki.",
    "requires": "uv",
    "package": {"registry": "pypi", "name": "lab-wiki", "version": "1.2"},
    "inputs": [
        {"name": "space", "title": "Space", "description": "Which part of it.", "default": "all"},
        {"name": "token", "title": "Token", "description": "From me.", "secret": True, "variable": "WIKI_TOKEN"},
        {"name": "proxy", "title": "Proxy", "description": "If any.", "required": False},
    ],
    "server": {
        "command": "uvx",
        "args": ["lab-wiki=={version}", "--space={space}", "--proxy={proxy}"],
        "env": {"TOKEN": "{token}", "PROXY": "{proxy}"},
        "permissions": {"network_access": ["wiki.lab"]},
    },
}


def entry(name: str) -> CatalogueEntry:
    return load_catalogue().entries[name]


def own(*plugins: dict[str, Any], file: str = "mine.json") -> Path:
    folder = user_paths().config / "catalogue"
    folder.mkdir(exist_ok=True)
    path = folder / file
    path.write_text(json.dumps({"plugins": plugins}))
    return path


def args(entry: CatalogueEntry, **given: Any) -> list[str]:
    definition = entry.definition(given, known=("WIKI_TOKEN",))
    assert isinstance(definition, LocalServer)
    return definition.args


def test_the_servers_that_exist_are_offered(home: Path) -> None:
    offered = {entry.id for entry in entries()}
    assert offered >= {"filesystem", "git", "fetch", "time", "sqlite", "memory", "everything", "github", "github-local"}


@pytest.mark.parametrize("name", [entry.id for entry in entries() if entry.offer.server])
def test_each_local_server_runs_one_version_of_a_package_and_says_what_it_touches(name: str, home: Path) -> None:
    chosen = entry(name)
    given = {needed.name: "x" for needed in chosen.needs if needed.required}
    package = package_of(chosen.definition(given))
    assert package == chosen.offer.package
    assert chosen.permissions is not None
    assert (chosen.requires, chosen.command) in {("node", "npx"), ("uv", "uvx")}
    assert chosen.offer.licence
    assert chosen.offer.tried


@pytest.mark.parametrize("name", [entry.id for entry in entries() if entry.offer.service])
def test_each_cloud_service_is_https_and_marked_as_not_tried(name: str, home: Path) -> None:
    chosen = entry(name)
    definition = chosen.definition({needed.name: "x" for needed in chosen.needs if needed.required})
    assert isinstance(definition, CloudService)
    assert definition.url.startswith("https://")
    assert not chosen.offer.tried
    assert (chosen.version, chosen.command, chosen.lacking) == ("", "", "")


def test_what_is_asked_for_goes_where_the_entry_says(home: Path) -> None:
    files = entry("filesystem").definition({"folders": ["/a", "/b c"]})
    assert isinstance(files, LocalServer)
    assert files.args[2:] == ["/a", "/b c"]
    assert files.permissions is None


def test_the_permissions_it_needs_are_written_down_when_it_shall_be_limited(home: Path) -> None:
    files = entry("filesystem").definition({"folders": ["/a", "/b"]}, limited=True)
    assert isinstance(files, LocalServer)
    assert files.permissions is not None
    assert files.permissions.file_write == ["/a/**", "/b/**"]


def test_what_may_be_left_out_leaves_nothing_behind(home: Path) -> None:
    own(OWN)
    assert args(entry("wiki")) == ["lab-wiki==1.2", "--space=all"]
    assert args(entry("wiki"), proxy="p", space="s") == ["lab-wiki==1.2", "--space=s", "--proxy=p"]
    assert entry("huggingface").definition() == entry("huggingface").definition({"token": ""})


def test_braces_in_what_was_entered_are_just_text(home: Path) -> None:
    assert entry("filesystem").definition({"folders": "/a/{folders}/{x}"}).model_dump()["args"][2] == "/a/{folders}/{x}"


def test_the_memory_is_kept_in_the_users_data_folder(home: Path) -> None:
    memory = entry("memory").definition()
    assert isinstance(memory, LocalServer)
    assert memory.env == {"MEMORY_FILE_PATH": str(home / "memory" / "memory.jsonl")}


def test_a_path_is_made_whole(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.chdir(tmp_path)
    files = entry("filesystem").definition({"folders": ["~/work", "data"]})
    assert files.model_dump()["args"][2:] == ["/home/me/work", str(tmp_path / "data")]
    database = entry("sqlite").definition({"database": "x.db"}, limited=True)
    assert isinstance(database, LocalServer)
    assert database.permissions is not None
    assert (database.args[-1], database.permissions.file_write) == (f"--db-path={tmp_path}/x.db", [f"{tmp_path}/**"])


async def test_installing_makes_the_folder_a_file_is_kept_in(home: Path, tmp_path: Path) -> None:
    await install(entry("memory"), {}, keys())
    await install(entry("sqlite"), {"database": str(tmp_path / "new" / "deep" / "x.db")}, keys())
    assert (home / "memory").is_dir()
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be made"):
        await install(entry("sqlite"), {"database": str(tmp_path / "file" / "x.db")}, keys())


def test_all_that_is_missing_is_named_with_what_to_enter(home: Path) -> None:
    own({**OWN, "inputs": [{**one, "default": None} for one in OWN["inputs"]]})
    with pytest.raises(SchemaInvalid, match="Our wiki needs space, token") as caught:
        entry("wiki").definition()
    assert "space: Which part of it." in caught.value.fix
    with pytest.raises(SchemaInvalid, match="does not ask for nothing_like_it"):
        entry("time").definition({"nothing_like_it": "x"})


def test_a_secret_that_is_known_already_need_not_be_given(home: Path) -> None:
    github = entry("github")
    assert [needed.name for needed in github.missing({})] == ["token"]
    definition = github.definition(known=("GITHUB_PERSONAL_ACCESS_TOKEN",))
    assert isinstance(definition, CloudService)
    assert isinstance(definition.auth, BearerAuth)
    assert definition.auth.token == "${GITHUB_PERSONAL_ACCESS_TOKEN}"


def keys(**environ: str) -> KeyRing:
    environ = {"VALECHAT_PASSPHRASE": "correct horse", **environ}
    return KeyRing(user_paths(), SettingsFile(user_paths()).current, environ=environ)


async def test_installing_keeps_the_secret_beside_the_keys_and_not_in_the_definition(home: Path) -> None:
    definition = await install(entry("github-local"), {"token": CANARY}, keys(), place="file")
    assert CANARY not in definition.model_dump_json()
    started = await resolve(definition, keys())
    assert isinstance(started, LocalServer)
    assert started.env == {"GITHUB_PERSONAL_ACCESS_TOKEN": CANARY}


async def test_a_secret_that_differs_from_the_environments_is_kept_under_a_name_of_its_own(home: Path) -> None:
    ring = keys(GITHUB_PERSONAL_ACCESS_TOKEN="another")
    definition = await install(entry("github-local"), {"token": CANARY}, ring, id="mine", place="file")
    started = await resolve(definition, ring)
    assert isinstance(started, LocalServer)
    assert (started.id, started.env) == ("mine", {"GITHUB_PERSONAL_ACCESS_TOKEN": CANARY})


async def test_a_secret_the_environment_has_already_is_not_kept_again(home: Path) -> None:
    ring = keys(GITHUB_PERSONAL_ACCESS_TOKEN=CANARY)
    await install(entry("github-local"), {"token": CANARY}, ring, place="file")
    assert not any(row.stored_at for row in ring.list())


async def test_nothing_is_kept_when_an_input_is_missing(home: Path) -> None:
    own({**OWN, "inputs": [{**one, "default": None} for one in OWN["inputs"]]})
    ring = keys()
    with pytest.raises(SchemaInvalid):
        await install(entry("wiki"), {"token": CANARY}, ring, place="file")
    assert not any(row.stored_at for row in ring.list())


def test_the_users_own_entries_come_with_the_others_and_in_the_place_of_one_with_the_same_id(home: Path) -> None:
    own({**OWN, "id": "time", "name": "My clock"}, file="b.json")
    own(OWN, file="a.json")
    found = load_catalogue()
    assert found.problems == ()
    assert (found.entries["time"].name, found.entries["wiki"].source.name) == ("My clock", "a.json")
    assert "git" in found.entries


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"id": "a b"}, "id is not a name"),
    ({"server": None}, "must have server or service"),
    ({"server": {"command": "x", "args": ["{nope}"]}}, "refers to nope"),
    ({"package": None}, "refers to {version} without a package"),
    ({"descripton": "x"}, "descripton is not a setting"),
    ({"inputs": [{"name": "A B", "title": "", "description": ""}]}, "inputs"),
    ({"inputs": [{"name": "t", "title": "", "description": "", "secret": True}]}, "secret that has no variable"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_a_broken_entry_of_the_users_is_reported_and_loses_none_of_the_others(
    change: dict[str, Any], says: str, home: Path
) -> None:
    own({**OWN, **change}, {**OWN, "id": "good"})
    found = load_catalogue()
    assert "good" in found.entries
    assert "git" in found.entries
    (problem,) = found.problems
    assert re.search(re.escape(says), str(problem))
    assert "mine.json, entry of line 1" in str(problem)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"plugins": {}}', "\ufffe"])
def test_a_broken_file_of_the_users_is_reported_and_loses_none_of_the_others(text: str, home: Path) -> None:
    own(OWN, file="b.json")
    own(file="a.json").write_text(text, encoding="utf-16")
    own(file="c.json").write_text(text, encoding="utf-8")
    found = load_catalogue()
    assert "wiki" in found.entries
    assert len(found.problems) == 2
    assert all(isinstance(problem, ConfigError) for problem in found.problems)


def test_what_has_to_be_installed_first_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valechat.plugins.transports.programs.shutil.which", lambda *_, **__: None)
    assert "Install Node.js" in entry("filesystem").lacking
    assert "pip install uv" in entry("git").lacking
    assert entry("github").lacking == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{a}", "1"),
        ("x{a}y{b}", "x1y2"),
        (["{c}"], ["3", "4"]),
        (["--x={c}"], ["--x=3", "--x=4"]),
        (["{none}", "z"], ["z"]),
        ({"k": "{none}", "l": "{a}"}, {"l": "1"}),
        ({"k": ["{c}/**"]}, {"k": ["3/**", "4/**"]}),
        ("{A} {} ${a} {a b}", "{A} {} ${a} {a b}"),
        ([True, 3], [True, 3]),
    ],
)
def test_names_in_braces_are_replaced(value: Any, expected: Any) -> None:
    assert filled(value, {"a": "1", "b": "2", "c": ["3", "4"], "none": ""}) == expected
