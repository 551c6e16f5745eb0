from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run

pytestmark = pytest.mark.slow


def test_an_answer_is_on_standard_output_its_cost_on_standard_error_and_its_row_in_the_ledger(run: Run) -> None:
    done = run("ask", "-m", "demo/echo", "what", "now?")
    assert done.returncode == 0
    assert "> what now?" in done.stdout
    assert done.stderr.startswith("demo/echo · ")
    cost = done.stderr.strip().rpartition("$")[2]
    stored = run("sql", "select model, status, cost from usage", "--csv").stdout
    assert stored == f"model,status,cost\necho,complete,{cost}\n"


def test_what_is_piped_in_is_added_to_the_question(run: Run) -> None:
    reply = json.loads(run("ask", "-m", "demo:echo", "--json", "summarise", piped="the file\n").stdout)
    assert "> summarise\n>\n> the file" in reply["text"]
    assert (reply["model"], reply["status"]) == ("demo/echo", "complete")
    assert isinstance(reply["cost"], str)


def test_a_conversation_goes_on(run: Run) -> None:
    first = json.loads(run("ask", "-m", "demo/echo", "--max-tokens=8", "--json", "one").stdout)
    run("ask", "-m", "demo/echo", "--max-tokens=8", "-c", first["conversation"], "two")
    counted = run("sql", "select count(*) n, count(distinct conversation_id) c from messages", "--json")
    assert json.loads(counted.stdout) == [{"n": 4, "c": 1}]


def test_a_limit_without_room_stops_the_question_before_it_is_sent(run: Run) -> None:
    run("limits", "set", "daily", "0")
    done = run("ask", "-m", "demo/echo", "hello")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "daily" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_key_says_how_to_set_it(run: Run) -> None:
    done = run("ask", "-m", "openai/gpt-5-mini", "hello")
    assert done.returncode == 1
    assert "valechat keys set openai" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_provider_is_answered_with_the_nearest(run: Run) -> None:
    done = run("ask", "-m", "opnai/gpt-5", "hello")
    assert done.returncode == 1
    assert "Did you mean openai/gpt-5?" in done.stderr


def test_no_question_is_an_error(run: Run) -> None:
    assert "There is no question." in run("ask", "-m", "demo/echo").stderr


@pytest.mark.skipif(os.name != "posix", reason="a terminal of this kind is POSIX")
def test_a_key_file_is_opened_with_a_passphrase_typed_at_the_terminal(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pty
    import subprocess
    import sys

    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    run("keys", "set", "openai", "--file", piped="sk-canary")
    monkeypatch.delenv("VALECHAT_PASSPHRASE")
    # Nothing listens on this port: the key is asked for, and then the server is not there.
    (home / "config.toml").write_text('[providers.openai]\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["m"]\n')
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "valechat.cli", "ask", "-m", "openai/m", "hello"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, start_new_session=True):
        os.close(theirs)
        said = b""
        while b"Passphrase of the key file:" not in said:
            said += os.read(ours, 1000)
        os.write(ours, b"correct horse\n")
        # Linux says by an error that the terminal was closed, macOS by reading nothing.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 1000):
                said += chunk
    os.close(ours)
    assert b"openai" in said.rpartition(b"key file:")[2]
    assert b"correct horse" not in said
    assert b"canary" not in said
