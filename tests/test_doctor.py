from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from valechat.doctor import Check, diagnose, report
from valechat.engine import engine
from valechat.paths import user_paths
from valechat.services import Services


@pytest.fixture
def services(home: Path) -> Iterator[Services]:
    opened = Services(user_paths())
    yield opened
    opened.ledger.close()


def named(checks: Iterable[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


def test_a_fresh_installation_has_no_problem_but_nothing_to_pay_with(services: Services) -> None:
    checks = diagnose(services)
    assert [check for check in checks if check.ok is False and check.name != "panel"] == []
    assert named(checks, "Python").message.startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert named(checks, "packages").ok
    assert "anywidget" in named(checks, "Jupyter").message
    assert "every setting has its default" in named(checks, "settings").message
    assert "the first request makes it" in named(checks, "ledger").message
    assert named(checks, "keys") == Check(
        "keys",
        ok=None,
        message="none",
        fix="For paid models: valechat keys set PROVIDER. The demonstration and local models need none.",
    )
    assert named(checks, "provider demo").ok
    assert named(checks, "provider ollama").message == "not running at http://127.0.0.1:11434"


def test_looking_does_not_make_a_ledger(services: Services) -> None:
    diagnose(services)
    assert not services.paths.ledger.exists()


def test_a_ledger_in_use_is_opened_and_measured(services: Services) -> None:
    services.ledger.release("nothing")
    found = named(diagnose(services), "ledger")
    assert found.ok
    assert "whole, writable, schema" in found.message


def test_a_damaged_ledger_is_a_problem_with_a_fix(services: Services) -> None:
    services.ledger.release("nothing")
    services.ledger.close()
    (services.paths.ledger / "ledger.sqlite3").write_bytes(b"no database" * 1000)
    found = named(diagnose(services), "ledger")
    assert found.ok is False
    assert found.fix


def test_a_ledger_with_a_damaged_page_is_a_problem_with_a_fix(services: Services) -> None:
    services.ledger.release("nothing")
    services.ledger.close()
    with (services.paths.ledger / "ledger.sqlite3").open("r+b") as file:
        file.seek(5 * 4096)
        file.write(bytes(range(256)) * 16)
    found = named(diagnose(services), "ledger")
    assert found.ok is False
    assert "restore --salvage" in found.fix


def test_broken_settings_are_a_problem_and_the_rest_is_still_looked_at(services: Services) -> None:
    services.paths.config_file.write_text("[limits\n")
    checks = diagnose(services)
    assert "config.toml, line 1" in named(checks, "settings").message
    assert named(checks, "settings").ok is False
    assert named(checks, "ledger").ok
    assert named(checks, "providers").ok is None


def test_a_warning_of_the_settings_is_shown(services: Services) -> None:
    services.paths.config_file.write_text('[limits.models."opnai/gpt-5"]\ndaily = "1"\n')
    assert any("Did you mean openai?" in check.message for check in diagnose(services) if check.name == "settings")


def test_a_variable_that_is_not_set_is_a_problem(services: Services) -> None:
    services.paths.config_file.write_text('[providers.openai]\napi_key = "${NOBODY_SET_THIS}"\n')
    found = named(diagnose(services), "key of openai")
    assert (found.ok, found.message) == (False, "not usable: NOBODY_SET_THIS is not set")


def test_a_missing_keychain_says_what_to_do(services: Services) -> None:
    found = named(diagnose(services), "key storage")
    assert (found.ok, found.message) == (None, "This system has no keychain that can be used.")
    assert "--file" in found.fix


def test_a_configured_server_that_is_down_is_a_problem(services: Services) -> None:
    services.paths.config_file.write_text('[providers.mylab]\nbase_url = "http://127.0.0.1:9/v1"\n')
    found = named(diagnose(services), "provider mylab")
    assert found.ok is False
    assert found.fix


def test_a_server_that_says_nothing_is_given_up(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valechat.doctor.PATIENCE", 0.3)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(silent, "127.0.0.1", 0)

    async def close(server: asyncio.Server) -> None:
        server.close()
        await server.wait_closed()

    server = engine().run(listen())
    port = server.sockets[0].getsockname()[1]
    services.paths.config_file.write_text(f'[providers.mylab]\nbase_url = "http://127.0.0.1:{port}/v1"\n')
    found = named(diagnose(services), "provider mylab")
    assert (found.ok, found.message) == (False, "did not answer within 0.3 s")
    engine().run(close(server))


def test_the_checks_of_a_front_end_come_last_and_a_failing_one_harms_no_other(services: Services) -> None:
    def fails() -> Iterable[Check]:
        raise RuntimeError("broken")

    checks = diagnose(services, extra=[fails, lambda: [Check("comms", ok=True, message="answer")]])
    assert checks[-1] == Check("comms", ok=True, message="answer")
    assert checks[-2].ok is None
    assert "RuntimeError: broken" in checks[-2].message


def test_the_report_is_aligned_with_the_fix_below() -> None:
    checks = [Check("a", ok=True, message="fine"), Check("long name", ok=False, message="bad", fix="Mend it.")]
    assert report([*checks, Check("c", ok=None, message="?")]).splitlines() == [
        "ok       a          fine",
        "problem  long name  bad",
        "                    → Mend it.",
        "unknown  c          ?",
    ]


def test_the_command_prints_no_key_and_fails_when_there_is_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "sk-canary")
    (home / "config.toml").write_text("[providers.mistral]\nbase_url = 'http://127.0.0.1:9/v1'\n")
    done = subprocess.run(
        [sys.executable, "-m", "valechat.cli", "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "canary" not in done.stdout + done.stderr
    rows = json.loads(done.stdout)
    assert {"name": "keys", "ok": True, "message": "mistral (environment MISTRAL_API_KEY)", "fix": ""} in rows
