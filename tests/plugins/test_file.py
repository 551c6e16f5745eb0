from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from valechat.errors import ConfigError, DuplicateId, InvalidCommand, InvalidUrl, SchemaInvalid
from valechat.paths import user_paths
from valechat.plugins.config import CloudService, LocalServer, OAuth, resolved
from valechat.plugins.contents import Contents
from valechat.plugins.file import PluginsFile
from valechat.plugins.jsonedit import put, take
from valechat.plugins.jsontext import NotJson, loads, scan

CANARY = "ghp_canary0123456789abcdefghijklmnopqr"

WRITTEN = """\
{
    // My servers.
    "$schema": "https://example.com/schema.json",
    "mcp_plugins": {
        "local_servers": [
            { "id": "files", "command": "npx", "args": ["-y",  "server-files"], "icon": "F" }, // the first
            {
                "id": "git",
                "command": "uvx",
                "args": [
                    "mcp-server-git"
                ],
                "timeout": 5
            }
        ],
        "cloud_services": [
            {"id": "docs", "url": "https://example.com/mcp", "auth": {"type": "none"}}
        ]
    },
    "mine": {"b": 1, "a": 2}
}
"""


@pytest.fixture
def file(home: Path) -> PluginsFile:
    return PluginsFile(user_paths().plugins_file)


def written(file: PluginsFile, text: str = WRITTEN) -> PluginsFile:
    file.path.write_text(text, encoding="utf-8")
    return file


def entries(*entries: dict[str, Any]) -> str:
    return json.dumps({"mcp_plugins": {"local_servers": list(entries)}})


def test_a_file_that_does_not_exist_has_no_plugins(file: PluginsFile) -> None:
    assert file.read() == {}
    assert not file.path.exists()


def test_a_blank_file_has_no_plugins(file: PluginsFile) -> None:
    assert written(file, " \n").read() == {}


def test_both_lists_are_read_in_the_order_of_the_file_comments_and_all(file: PluginsFile) -> None:
    found = written(file).read()
    assert list(found) == ["files", "git", "docs"]
    assert isinstance(found["files"], LocalServer)
    assert isinstance(found["docs"], CloudService)
    assert (file.problems, file.warnings) == ((), ())


def test_a_byte_order_mark_and_trailing_commas_are_tolerated(file: PluginsFile) -> None:
    file.path.write_bytes(b'\xef\xbb\xbf{"mcp_plugins": {"local_servers": [{"id": "a", "command": "b",},],},}')
    assert list(file.read()) == ["a"]


def test_a_broken_entry_is_reported_with_its_line_and_loses_none_of_the_others(file: PluginsFile) -> None:
    text = WRITTEN.replace('"timeout": 5', '"timeout": 0').replace("https://example.com/mcp", "http://example.com/mcp")
    assert list(written(file, text).read()) == ["files"]
    assert [(type(error), error.plugin, error.line) for error in file.problems] == [
        (SchemaInvalid, "git", 13),
        (InvalidUrl, "docs", 17),
    ]


def test_the_second_entry_of_an_id_is_reported_and_the_first_is_used(file: PluginsFile) -> None:
    text = WRITTEN.replace('"id": "docs"', '"id": "git"')
    found = written(file, text).read()
    assert isinstance(found["git"], LocalServer)
    (problem,) = file.problems
    assert (type(problem), problem.plugin, problem.line) == (DuplicateId, "git", 17)


def test_an_entry_in_the_wrong_list_is_reported_with_the_right_one(file: PluginsFile) -> None:
    written(file, entries({"id": "a", "url": "https://example.com"}))
    assert file.read() == {}
    assert "Move it to cloud_services" in file.problems[0].fix


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ('{\n  "mcp_plugins": {\n    "local_servers": [}\n  }\n}', 3, 23, "a value is expected"),
        ('{"mcp_plugins": ', 1, 17, "a value is expected"),
        ('{"a" 1}', 1, 6, "a colon is expected"),
        ('{"a": 1 "b": 2}', 1, 9, "a comma or } is expected"),
        ("{'a': 1}", 1, 2, "a name in double quotes"),
        ("{} x", 1, 4, "more text after the end"),
        ('{"a": NaN}', 1, 7, "none that JSON has"),
        ('{"a": "b\n"}', 1, 9, "text in quotes is not valid"),
        ("[" * 1000, 1, 102, "nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_with_line_and_column(
    file: PluginsFile, text: str, line: int, column: int, what: str
) -> None:
    with pytest.raises(ConfigError, match=what) as caught:
        written(file, text).read()
    assert f"{file.path}, line {line}, column {column}: " in caught.value.message


def test_no_error_shows_what_is_in_the_file(file: PluginsFile) -> None:
    texts = [f'{{"x": "{CANARY}" "y"}}', entries({"id": "a", "command": "", "env": {"A": CANARY}, CANARY: 1})]
    for text in texts:
        written(file, text)
        with contextlib.suppress(ConfigError):
            file.read()
        shown = [str(problem) for problem in file.problems]
        with pytest.raises(ConfigError) as caught:
            file.add({"id": "a", "command": "", "env": {"A": CANARY}})
        assert CANARY not in "".join([*traceback.format_exception(caught.value), *shown])


@pytest.mark.parametrize("key", ["mcpServers", "servers", "mcp_servers"])
def test_another_programs_file_is_recognised(file: PluginsFile, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(file, json.dumps({key: {}})).read()
    assert "valechat plugins import" in caught.value.fix


@pytest.mark.parametrize("text", ["[]", "3", '{"mcp_plugins": []}', '{"mcp_plugins": 3}'])
def test_json_of_another_form_is_refused(file: PluginsFile, text: str) -> None:
    with pytest.raises(ConfigError, match="is not a table"):
        written(file, text).read()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"mcp_plugins": {"local_servers": {}}}', "line 1, column 35: local_servers is not a list"),
        ('{"mcp_plugins": {\n"cloud_services": 3}}', "line 2, column 19: cloud_services is not a list"),
        ('{"mcp_plugins": {"local_server": []}}', 'Did you mean "local_servers"'),
        ('{"mcp_plugin": {}}', 'Did you mean "mcp_plugins"'),
        ('{"mcpPlugins": {}}', 'Did you mean "mcp_plugins"'),
    ],
)
def test_a_list_that_would_be_lost_is_refused_so_that_its_plugins_go_on(
    file: PluginsFile, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        written(file, text).read()
    assert says in str(caught.value)
    with pytest.raises(ConfigError):
        file.add({"id": "b", "command": "x"})
    assert file.path.read_text() == text


def test_a_file_that_is_not_utf8_or_cannot_be_read_is_refused(file: PluginsFile) -> None:
    file.path.write_bytes(b'{"\xff": 1}')
    with pytest.raises(ConfigError, match="not UTF-8"):
        file.read()
    file.path.unlink()
    file.path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        file.read()


def test_a_secret_in_plain_text_is_a_warning_that_does_not_show_it(file: PluginsFile) -> None:
    written(file, entries({"id": "a", "command": "npx", "env": {"GITHUB_TOKEN": CANARY}}))
    assert list(file.read()) == ["a"]
    (warning,) = file.warnings
    assert "line 1" in warning
    assert 'valechat keys set GITHUB_TOKEN) and write "${GITHUB_TOKEN}"' in warning
    assert CANARY not in warning


@pytest.mark.parametrize(("name", "meant"), [("arguments", "args"), ("disabled", "enabled"), ("commands", "command")])
def test_a_misspelt_field_is_a_warning_with_the_one_that_is_meant(file: PluginsFile, name: str, meant: str) -> None:
    written(file, entries({"id": "a", "command": "npx", name: True}))
    file.read()
    assert f'"{name}" is not a field. Did you mean "{meant}"?' in file.warnings[0]


def test_a_key_that_is_written_twice_is_a_warning(file: PluginsFile) -> None:
    written(
        file, '{"mcp_plugins": {"local_servers": [{"id": "a", "command": "x", "enabled": true, "enabled": false}]}}'
    )
    assert file.read()["a"].enabled is False
    assert '"enabled" is written twice' in file.warnings[0]


def test_the_first_plugin_makes_the_file_which_only_the_user_can_read(file: PluginsFile) -> None:
    file.path.parent.rmdir()
    file.add({"id": "a", "name": "A", "command": "npx", "args": ["-y", "x"]})
    assert json.loads(file.path.read_text()) == {
        "mcp_plugins": {
            "local_servers": [{"id": "a", "name": "A", "command": "npx", "args": ["-y", "x"]}],
            "cloud_services": [],
        }
    }
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_adding_leaves_everything_else_as_it_is(file: PluginsFile) -> None:
    written(file).add({"id": "time", "command": "uvx", "args": ["mcp-server-time"], "env": {"TZ": "UTC"}})
    after = file.path.read_text()
    added = """\
            },
            {
                "id": "time",
                "command": "uvx",
                "args": ["mcp-server-time"],
                "env": {
                    "TZ": "UTC"
                }
            }
        ],
"""
    assert after == WRITTEN.replace("            }\n        ],\n", added)
    assert file.notice == ""


def test_a_service_is_added_to_the_other_list(file: PluginsFile) -> None:
    written(file).add({"id": "s", "url": "https://example.com", "auth": {"type": "oauth", "scopes": ["a"]}})
    found = file.read()["s"]
    assert isinstance(found, CloudService)
    assert [entry["id"] for entry in loads(file.path.read_text())["mcp_plugins"]["cloud_services"]] == ["docs", "s"]


def test_a_change_touches_only_what_it_changes(file: PluginsFile) -> None:
    changed = written(file).change("git", timeout=90, enabled=False, call_timeout=None)
    assert (changed.timeout, changed.enabled) == (90, False)
    assert file.path.read_text() == WRITTEN.replace(
        '"timeout": 5\n', '"timeout": 90,\n                "enabled": false\n'
    )


def test_none_takes_a_field_away(file: PluginsFile) -> None:
    written(file).change("git", timeout=None)
    assert file.path.read_text() == WRITTEN.replace(',\n                "timeout": 5', "")


def test_an_entry_on_one_line_stays_on_it(file: PluginsFile) -> None:
    written(file).change("files", enabled=False)
    assert '"icon": "F", "enabled": false }, // the first' in file.path.read_text()


def test_removing_leaves_the_others_and_their_comments(file: PluginsFile) -> None:
    written(file).remove("git")
    after = file.path.read_text()
    assert list(file.read()) == ["files", "docs"]
    assert "// My servers." in after
    assert "// the first" in after
    assert '"mine": {"b": 1, "a": 2}' in after


def test_removing_everything_leaves_empty_lists(file: PluginsFile) -> None:
    written(file)
    for plugin in ("docs", "git", "files"):
        file.remove(plugin)
    assert loads(file.path.read_text())["mcp_plugins"] == {"local_servers": [], "cloud_services": []}


def test_a_comment_that_goes_with_an_entry_is_kept_in_a_copy_and_said(file: PluginsFile) -> None:
    text = WRITTEN.replace('"timeout": 5', '"timeout": 5 // slow disk')
    written(file, text).remove("git")
    copy = file.path.with_name("mcp_plugins.json.bak")
    assert copy.read_text() == text
    assert copy.stat().st_mode & 0o077 == 0
    assert str(copy) in file.notice
    file.change("files", enabled=False)
    assert file.notice == ""


def test_windows_line_ends_and_tabs_stay(file: PluginsFile) -> None:
    text = '{\r\n\t"mcp_plugins": {\r\n\t\t"local_servers": []\r\n\t}\r\n}'
    file.path.write_bytes(text.encode())
    file.add({"id": "a", "command": "b"})
    assert file.path.read_bytes().decode() == text.replace(
        "[]", '[\r\n\t\t\t{\r\n\t\t\t\t"id": "a",\r\n\t\t\t\t"command": "b"\r\n\t\t\t}\r\n\t\t]'
    )


def test_an_id_that_is_taken_is_refused(file: PluginsFile) -> None:
    with pytest.raises(DuplicateId, match="git"):
        written(file).add({"id": "git", "url": "https://example.com"})
    with pytest.raises(DuplicateId):
        file.change("git", id="docs")
    assert file.path.read_text() == WRITTEN


def test_a_plugin_can_be_renamed(file: PluginsFile) -> None:
    assert written(file).change("git", id="repo").id == "repo"
    assert list(file.read()) == ["files", "repo", "docs"]


def test_a_change_that_would_break_the_entry_changes_nothing(file: PluginsFile) -> None:
    with pytest.raises(InvalidCommand):
        written(file).change("git", timeout=7, command="")
    with pytest.raises(SchemaInvalid):
        file.add({"id": "new", "command": "x", "timeout": -1})
    assert file.path.read_text() == WRITTEN


def test_a_broken_entry_can_be_mended_and_removed(file: PluginsFile) -> None:
    text = WRITTEN.replace('"timeout": 5', '"timeout": 0')
    assert written(file, text).change("git", timeout=1).timeout == 1
    written(file, text).remove("git")
    assert list(file.read()) == ["files", "docs"]


def test_a_plugin_that_does_not_exist_is_refused_with_the_nearest(file: PluginsFile) -> None:
    with pytest.raises(ConfigError, match='Did you mean "git"') as caught:
        written(file).remove("gitt")
    assert 'There is no plugin "gitt".' in str(caught.value)
    with pytest.raises(ConfigError, match="There are: files, git, docs"):
        file.change("zzz", enabled=False)


def test_a_file_that_is_no_json_is_not_written_over(file: PluginsFile) -> None:
    with pytest.raises(ConfigError, match="not valid JSON"):
        written(file, "{oops").add({"id": "a", "command": "b"})
    assert file.path.read_text() == "{oops"


def test_what_variables_hold_is_never_saved(file: PluginsFile) -> None:
    server = LocalServer(id="a", command="npx", env={"T": "${T}"})
    file.add(resolved(server, {"T": CANARY}.get))
    assert CANARY not in file.path.read_text()
    assert file.read()["a"] == LocalServer(id="a", command="npx", args=[], env={"T": "${T}"})


def test_of_a_definition_only_what_was_said_is_written(file: PluginsFile) -> None:
    file.add(CloudService(id="a", url="https://example.com", auth=OAuth(type="oauth"), enabled=False))
    file.add(LocalServer(id="b", command="npx"))
    assert json.loads(file.path.read_text())["mcp_plugins"] == {
        "local_servers": [{"id": "b", "command": "npx", "args": []}],
        "cloud_services": [{"id": "a", "enabled": False, "url": "https://example.com", "auth": {"type": "oauth"}}],
    }


def test_a_link_stays_a_link_and_its_target_is_written(file: PluginsFile, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "plugins.json"
    target.parent.mkdir()
    target.write_text(WRITTEN)
    file.path.symlink_to(target)
    file.change("git", enabled=False)
    assert file.path.is_symlink()
    assert '"enabled": false' in target.read_text()


def test_a_folder_that_cannot_be_written_is_an_error_with_what_to_do(file: PluginsFile, tmp_path: Path) -> None:
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("")
    with pytest.raises(ConfigError, match="cannot be written") as caught:
        PluginsFile(in_the_way / "mcp_plugins.json").add({"id": "a", "command": "b"})
    assert "permissions" in caught.value.fix


def test_a_change_by_anybody_is_noticed_until_it_is_read(file: PluginsFile) -> None:
    assert file.changed()
    file.read()
    assert not file.changed()
    written(file)
    assert file.changed()
    file.read()
    assert not file.changed()
    later = file.path.stat().st_mtime_ns + 1_000_000
    os.utime(file.path, ns=(later, later))
    assert file.changed()
    file.read()
    file.path.unlink()
    assert file.changed()


def test_an_editors_change_in_between_is_not_lost(file: PluginsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor knows no lock: it writes after the file was read and before it is written."""
    written(file)
    from valechat.plugins import file as module

    def editing(text: str, path: Any, value: Any) -> str:
        monkeypatch.undo()
        file.path.write_text(WRITTEN.replace('"icon": "F"', '"icon": "edited"'))
        return put(text, path, value)

    monkeypatch.setattr(module, "put", editing)
    file.change("git", enabled=False)
    assert '"icon": "edited"' in file.path.read_text()
    assert file.read()["git"].enabled is False


@pytest.mark.slow
def test_what_several_processes_change_at_once_all_survives(file: PluginsFile) -> None:
    written(file)
    script = Path(__file__).with_name("adder.py")
    names = ("one", "two", "three")
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(file.path), name, "20"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in names
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    found = file.read()
    assert set(found) == {"files", "git", "docs", *(f"{name}-{number}" for name in names for number in range(0, 20, 2))}
    assert all(found[f"{name}-{number}"].call_timeout == number + 1 for name in names for number in range(0, 20, 2))
    assert "// My servers." in file.path.read_text()


FILE = Path("mcp_plugins.json")
quietly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = [
    *LocalServer.model_fields,
    *CloudService.model_fields,
    *["type", "token", "mcp_plugins", "local_servers", "cloud_services", "file_read", "", "[key]", "none", "auth.none"],
]
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["npx", "https://x", "http://[", "ws://x:y", "${A}", "${A:-b}", "bearer", "oauth", "\0", "\ud800"]
    )
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)
plugins = st.dictionaries(st.sampled_from(KEYS), trees, max_size=6).map(
    lambda entry: {"id": "a", **({} if "url" in entry else {"command": "b"}), **entry}
)


@given(st.text())
@example('{"mcp_plugins": {"local_servers": [null, 3, []]}}')
@example('{"mcp_plugins": {"local_servers": [{"id": "\\ud800", "command": "x"}]}}')
@quietly
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        Contents(FILE, text).definitions()


@given(trees | st.lists(plugins, max_size=3).map(lambda found: {"mcp_plugins": {"local_servers": found}}))
@quietly
def test_any_json_is_read_or_refused(document: Any) -> None:
    with contextlib.suppress(ConfigError):
        Contents(FILE, json.dumps(document)).definitions()


@given(st.binary(max_size=300))
@quietly
def test_any_bytes_are_read_or_refused(file: PluginsFile, content: bytes) -> None:
    file.path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        file.read()
    with contextlib.suppress(ConfigError):
        file.add({"id": "a", "command": "b"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
layouts = st.sampled_from([None, 1, 2, "\t"])
commented = st.sampled_from(["", "// note\n", "/* note */", "\n\n"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """JSON of any layout, with comments and trailing commas where JSON with comments may have them."""

    def written(value: Any, depth: int) -> str:
        blank = f"{draw(commented)}{draw(st.sampled_from(['', ' ', chr(10)]))}"
        if not isinstance(value, list | dict) or not value:
            return blank + json.dumps(value)
        parts = (
            [f"{blank}{json.dumps(key)}:{written(inner, depth + 1)}" for key, inner in value.items()]
            if isinstance(value, dict)
            else [written(inner, depth + 1) for inner in value]
        )
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        trailing = draw(st.sampled_from(["", ",", " // end\n"]))
        return f"{opening}{blank}{','.join(parts)}{trailing}{closing}"

    return written(draw(json_values), 0)


@given(texts(), json_values)
@quietly
def test_a_value_can_be_put_anywhere_and_nothing_else_changes(text: str, value: Any) -> None:
    root = scan(text)
    if isinstance(root.value, dict):
        after = scan(put(text, ("new", 0), value))
        assert after.value == {**root.value, "new": [value]} if "new" not in root.value else True
        assert after.comments == root.comments
    elif isinstance(root.value, list):
        after = scan(put(text, (len(root.value),), value))
        assert after.value == [*root.value, value]
        assert after.comments == root.comments


@given(texts(), st.integers(0, 3))
@quietly
def test_a_value_can_be_taken_from_anywhere_and_nothing_else_changes(text: str, index: int) -> None:
    value = scan(text).value
    if isinstance(value, dict) and index < len(value):
        key = list(value)[index]
        assert scan(take(text, (key,))).value == {name: inner for name, inner in value.items() if name != key}
    elif isinstance(value, list) and index < len(value):
        assert scan(take(text, (index,))).value == value[:index] + value[index + 1 :]


@given(st.text() | texts())
@quietly
def test_a_text_without_comments_is_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        return
    with contextlib.suppress(NotJson):  # NaN and Infinity, which are not JSON
        assert loads(text) == expected
        assert scan(text).value == expected
