from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

CANARY = "sk-canary-4711"


def test_a_key_is_kept_from_a_pipe_listed_without_it_and_deleted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    kept = run("keys", "set", "openai", "--file", piped=f"{CANARY}\n")
    listed = run("keys", "list", "--json")
    assert (kept.returncode, listed.returncode) == (0, 0)
    assert [(row["provider"], row["source"]) for row in json.loads(listed.stdout)] == [("openai", "key file")]
    assert CANARY not in kept.stdout + kept.stderr + listed.stdout + listed.stderr
    assert run("keys", "delete", "openai").returncode == 0
    again = run("keys", "delete", "openai")
    assert (again.returncode, again.stderr) == (1, "No key of openai was kept.\n")


def test_a_key_on_the_command_line_is_refused_without_repeating_it(run: Run, home: Path) -> None:
    done = run("keys", "set", "openai", CANARY)
    assert done.returncode == 1
    assert "stays in the shell's history" in done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert not (home / "keys.json").exists()


def test_a_misspelt_provider_is_refused_with_the_nearest(run: Run) -> None:
    done = run("keys", "set", "antropic", piped=CANARY)
    assert (done.returncode, done.stderr) == (
        1,
        "valechat: There is no provider named 'antropic'. Did you mean 'anthropic'?\n",
    )


def test_without_a_keychain_the_command_says_how_to_go_on(run: Run) -> None:
    done = run("keys", "set", "openai", piped=CANARY)
    assert done.returncode == 1
    assert "no keychain" in done.stderr
    assert "--file" in done.stderr


def test_a_key_that_the_environment_hides_is_pointed_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    done = run("keys", "set", "openai", "--file", piped=CANARY)
    assert done.returncode == 0
    assert done.stderr == "It is not used: environment OPENAI_API_KEY comes first.\n"


def test_no_keys_at_all_says_how_to_keep_one(run: Run) -> None:
    assert run("keys", "list").stdout == "No keys were found. Keep one with: valechat keys set PROVIDER\n"


def test_a_rotated_key_file_opens_with_the_new_passphrase_and_the_log_says_when(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    assert run("keys", "set", "openai", "--file", piped=CANARY).returncode == 0
    rotated = run("keys", "rotate", piped="battery staple\n")
    assert (rotated.returncode, "change it too" in rotated.stderr) == (0, True)
    assert "does not open" in run("keys", "set", "groq", "--file", piped="gsk-1").stderr
    log = run("keys", "log", "--json")
    assert [(row["key"], row["purpose"]) for row in json.loads(log.stdout)] == [
        ("key file", "rotated"),
        ("openai", "kept"),
    ]
    assert CANARY not in log.stdout
