"""`valechat plugins …` as a real command, over real servers."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.cli.conftest import COMMAND, Run
from tests.patience import Stopwatch

UNRULY = Path(__file__).parents[1] / "plugins" / "unruly.py"


@pytest.fixture
def server(tmp_path: Path) -> str:
    """The command line of a server that no other test runs."""
    own = tmp_path / "own_server.py"
    shutil.copyfile(UNRULY, own)
    return f'"{sys.executable}" -I -S "{own}"'


@pytest.fixture
def unruly(run: Run, home: Path, server: str) -> Path:
    assert run("plugins", "add", "unruly", "--command", server).returncode == 0
    return home / "mcp_plugins.json"


def left_over(tmp_path: Path) -> list[str]:
    """Processes of the test's own server."""
    found = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [" ".join(line) for line in found if str(tmp_path / "own_server.py") in line]


def test_without_plugins_it_says_where_to_find_some(run: Run) -> None:
    done = run("plugins")
    assert (done.returncode, done.stdout) == (
        0,
        "There are no plugins yet. valechat plugins catalogue shows what can be added.\n",
    )


def test_what_is_added_is_listed_from_the_file_and_nothing_is_started(run: Run, unruly: Path) -> None:
    watch = Stopwatch()
    done = run("plugins", "list")
    assert "unruly  unruly  enabled" in done.stdout
    assert "own_server.py" in done.stdout
    assert watch.seconds < 10
    assert json.loads(unruly.read_text())["mcp_plugins"]["local_servers"][0]["id"] == "unruly"
    (row,) = json.loads(run("plugins", "list", "--json").stdout)
    assert (row["id"], row["enabled"], row["transport"]) == ("unruly", True, "stdio")


def test_the_tools_of_one_are_shown_and_its_server_is_gone_afterwards(run: Run, unruly: Path, tmp_path: Path) -> None:
    done = run("plugins", "tools", "unruly")
    assert done.returncode == 0
    assert re.search(r"^echo +on +\d+ +Says the text back\.$", done.stdout, re.MULTILINE)
    assert "tokens to each request" in done.stderr
    assert left_over(tmp_path) == []


def test_a_tool_is_called_and_only_its_answer_is_on_standard_output(run: Run, unruly: Path) -> None:
    done = run("plugins", "call", "unruly", "echo", "text=hello there")
    assert (done.returncode, done.stdout) == (0, "hello there\n")
    done = run("plugins", "call", "unruly", "progress", '{"steps": 2}', "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, "2 steps done.")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("call", "unruly", "fail"), 1, "The tool reports an error."),
        (("call", "unruly", "refuse"), 1, "valechat: "),
        (("call", "unruly", "never", "--timeout", "0.5"), 1, "took longer than 0.5 s"),
        (("call", "unruly", "nosuch"), 1, "has no tool 'nosuch'. It has echo, "),
        (("call", "unruly", "echo", "hello"), 1, "'hello' is no argument. Write NAME=VALUE"),
        (("enable", "nosuch"), 1, "There is no plugin 'nosuch'. There are: unruly."),
        (("add", "unruly", "--command", "x"), 1, 'There is a plugin "unruly" already.'),
        (("add", "gti"), 1, "Did you mean 'git'?"),
        (("signin", "unruly"), 1, "its entry has no OAuth"),
        (("frob",), 2, "invalid choice: 'frob'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_one_line_with_the_fix(
    run: Run, unruly: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run("plugins", *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_enabling_disabling_and_tools_off_are_written_for_kernels_to_follow(run: Run, unruly: Path) -> None:
    def entry() -> dict[str, object]:
        found: dict[str, object] = json.loads(unruly.read_text())["mcp_plugins"]["local_servers"][0]
        return found

    assert run("plugins", "disable", "unruly").returncode == 0
    assert entry()["enabled"] is False
    run("plugins", "enable", "unruly")
    assert entry()["enabled"] is True
    run("plugins", "tool", "off", "unruly", "die", "never")
    assert entry()["tools_off"] == ["die", "never"]
    run("plugins", "tool", "on", "unruly", "die")
    assert entry()["tools_off"] == ["never"]
    run("plugins", "remove", "unruly")
    assert "unruly" not in unruly.read_text()


def test_restarting_tries_whether_it_starts(run: Run, unruly: Path, server: str, tmp_path: Path) -> None:
    assert run("plugins", "restart", "unruly").stdout == "unruly starts and offers 13 tools.\n"
    run("plugins", "add", "dies", "--command", f"{server} --die-at-start 3")
    done = run("plugins", "restart", "dies")
    assert done.returncode == 1
    assert "ended with exit code 3" in done.stderr
    assert left_over(tmp_path) == []


def test_an_entry_of_the_catalogue_asks_for_what_it_needs_and_never_waits_in_a_script(run: Run, home: Path) -> None:
    done = run("plugins", "add", "filesystem")
    assert done.returncode == 1
    assert "valechat plugins add filesystem --input folders=…" in done.stderr
    done = run("plugins", "add", "filesystem", "--input", "folders=/tmp", "-i", "folders=/var/tmp", "--as", "files")
    assert done.returncode == 0
    (entry,) = json.loads((home / "mcp_plugins.json").read_text())["mcp_plugins"]["local_servers"]
    assert entry["id"] == "files"
    assert entry["args"][-2:] == ["/tmp", "/var/tmp"]


def test_a_secret_given_to_the_catalogue_is_kept_and_not_written(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("plugins", "add", "github", "--input", "token=ghp_canary_0815")
    assert done.returncode == 1
    assert "no keychain" in done.stderr
    assert not (home / "mcp_plugins.json").exists()
    monkeypatch.setenv("GITHUB_PERSONAL_ACCESS_TOKEN", "ghp_canary_0815")
    assert run("plugins", "add", "github").returncode == 0
    assert "ghp_canary_0815" not in (home / "mcp_plugins.json").read_text()
    assert "ghp_canary_0815" not in run("plugins", "status", "github").stdout


def test_json_is_added_from_a_pipe_and_other_programs_files_are_imported(run: Run, tmp_path: Path) -> None:
    theirs = {"mcpServers": {name: {"command": sys.executable, "args": [str(UNRULY)]} for name in ("one", "two")}}
    assert run("plugins", "add", "-", piped=json.dumps(theirs)).stdout == "one, two were added.\n"
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps({"mcpServers": {"three": theirs["mcpServers"]["one"]}}))
    assert "three" in run("plugins", "import", str(file)).stdout
    assert run("plugins", "import", str(file), "three").stdout == "three was added.\n"


def test_an_imported_secret_is_put_into_the_key_storage_and_no_longer_warned_of(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse battery")
    entry = {"command": sys.executable, "args": [str(UNRULY)], "env": {"MAIL_TOKEN": "ghp_" + "canary0815" * 4}}
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps({"mcpServers": {"mail": entry}}))
    assert run("plugins", "import", str(file), "mail").stdout == "mail was added.\n"
    assert '"${MAIL_TOKEN}"' in (home / "mcp_plugins.json").read_text()


def test_a_secret_in_an_entry_is_shown_nowhere(run: Run, home: Path) -> None:
    entry = {
        "id": "leaky",
        "command": "server",
        "args": ["--api-key", "canary-1-abcdef", "--token=canary-2-abcdef", "https://x.example/?key=canary-3"],
        "env": {"SECRET_KEY": "canary-4-abcdef", "HOST": "${HOST}"},
    }
    (home / "mcp_plugins.json").write_text(json.dumps({"mcp_plugins": {"local_servers": [entry]}}))
    for arguments in (("list",), ("status", "leaky"), ("list", "--json"), ("check",)):
        done = run("plugins", *arguments)
        assert "canary" not in done.stdout + done.stderr, arguments
    assert '"HOST": "${HOST}"' in run("plugins", "status", "leaky").stdout


def test_a_broken_file_is_named_with_its_line(run: Run, unruly: Path) -> None:
    unruly.write_text('{\n  "mcp_plugins": {\n    "local_servers": [}\n')
    for verb in ("check", "list", "reload"):
        done = run("plugins", verb)
        assert done.returncode == 1
        assert "line 3, column" in done.stderr


def test_the_schema_is_json_that_the_package_ships(run: Run) -> None:
    assert json.loads(run("plugins", "schema").stdout)["$schema"].startswith("https://json-schema.org/")


def test_permissions_are_given_listed_and_forgotten(run: Run, unruly: Path) -> None:
    run("plugins", "allow", "unruly", "echo")
    run("plugins", "deny", "unruly")
    assert [(row["tool"], row["allowed"]) for row in json.loads(run("plugins", "approvals", "--json").stdout)] == [
        (None, False),
        ("echo", True),
    ]
    run("plugins", "forget", "unruly")
    assert run("plugins", "approvals").stdout == "Nothing is remembered: you are asked before each call.\n"


def test_a_permission_is_granted_and_revoked_in_the_file(run: Run, unruly: Path, tmp_path: Path) -> None:
    file = json.loads(unruly.read_text())
    file["mcp_plugins"]["local_servers"][0]["permissions"] = {"file_read": [], "network_access": False}
    unruly.write_text(json.dumps(file))

    assert "unruly has file_read" in run("plugins", "grant", "unruly", "file_read", str(tmp_path)).stdout
    run("plugins", "grant", "unruly", "network_access")
    assert json.loads(unruly.read_text())["mcp_plugins"]["local_servers"][0]["permissions"] == {
        "file_read": [f"{tmp_path}/**"],
        "network_access": True,
    }
    again = run("plugins", "grant", "unruly", "network_access")
    assert (again.returncode, "already" in again.stderr) == (1, True)
    run("plugins", "revoke", "unruly", "network_access")
    run("plugins", "revoke", "unruly", "file_read", str(tmp_path))
    assert json.loads(unruly.read_text()) == file


ASK = ("ask", "-m", "demo/echo", "--tools", "unruly_echo", 'use the tool unruly_echo with {"text": "from the plugin"}')


def test_a_model_asked_in_a_script_calls_only_what_is_allowed(run: Run, unruly: Path, tmp_path: Path) -> None:
    refused = run(*ASK)
    assert "from the plugin" not in refused.stdout.replace('"text": "from the plugin"', "")
    run("plugins", "allow", "unruly", "echo")
    assert "from the plugin" in run(*ASK).stdout
    assert left_over(tmp_path) == []


def test_a_model_asked_at_a_terminal_waits_for_the_users_yes(unruly: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    asked = subprocess.Popen(
        [*COMMAND, *ASK], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path, close_fds=True
    )
    os.close(theirs)
    seen = ""
    with contextlib.suppress(OSError):  # the terminal of a process that ended
        while "Allow it?" not in seen:
            seen += os.read(ours, 4096).decode()
    assert "unruly wants to run echo" in seen
    assert '"text": "from the plugin"' in seen
    os.write(ours, b"y\n")
    out, _ = asked.communicate(timeout=60)
    os.close(ours)
    assert asked.returncode == 0
    assert "from the plugin" in out.decode()
