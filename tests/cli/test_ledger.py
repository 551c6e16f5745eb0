from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from valechat.errors import ConfigError
from valechat.exports import as_markdown
from valechat.ledger import open_ledger
from valechat.paths import user_paths

pytestmark = pytest.mark.slow


def test_spend_of_nothing_says_so(run: Run) -> None:
    done = run("spend", "--month", "2020-01")
    assert (done.returncode, done.stdout) == (0, "Nothing was spent in 2020-01.\n")


def test_spend_adds_up_by_model_day_and_conversation(run: Run) -> None:
    for question in ("one", "two"):
        run("ask", "-m", "demo/echo", "--max-tokens=8", question)
    total = run("sql", "select sum(cost) from usage", "--csv").stdout.split()[1]
    assert f"Total: ${total}" in run("spend").stdout
    (by_model,) = json.loads(run("spend", "--json").stdout)
    assert (by_model["model"], by_model["requests"], by_model["cost"]) == ("demo/echo", 2, total)
    assert len(json.loads(run("spend", "--by", "conversation", "--json").stdout)) == 2
    assert len(run("spend", "--by", "day", "--month", "all", "--csv").stdout.splitlines()) == 2


def test_a_month_that_is_none_is_refused(run: Run) -> None:
    assert "Write it as 2026-11, or all." in run("spend", "--month", "11/2026").stderr


def test_a_query_that_is_wrong_says_where(run: Run) -> None:
    done = run("sql", "select nonsense from usage")
    assert done.returncode == 1
    assert "nonsense" in done.stderr
    assert "show tables" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_query_can_be_piped_in(run: Run) -> None:
    assert run("sql", "-", "--csv", piped="select 1 as one").stdout == "one\n1\n"


def test_a_damaged_ledger_is_recovered_and_said_to_be(run: Run, home: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "remember me")
    before = run("sql", "select * from usage", "--csv").stdout
    (home / "ledger" / "ledger.sqlite3").write_bytes(bytes(8192))
    refused = run("export")
    assert refused.returncode == 1
    assert "valechat restore --salvage" in refused.stderr
    recovered = run("restore", "--salvage")
    assert recovered.returncode == 0
    assert "1 rows of usage are saved (1 of them only from the published files)." in recovered.stdout
    assert "The damaged file is kept as" in recovered.stdout
    assert run("sql", "select * from usage", "--csv").stdout == before
    assert "remember me" in run("export").stdout


def test_pruning_follows_the_settings_or_what_is_asked_for(run: Run, home: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "remember me")
    assert "conversations_days" in run("prune").stderr
    (home / "config.toml").write_text("[retention]\nconversations_days = 30\n")
    assert "0 conversations were deleted" in run("prune").stdout
    assert "1 conversations were deleted" in run("prune", "--conversations-days=0").stdout
    assert run("sql", "select count(*) n from usage", "--csv").stdout == "n\n1\n"


def test_views_are_exported_into_a_folder(run: Run, tmp_path: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "remember me")
    done = run("export", "--csv", "-o", str(tmp_path / "out"), "usage", "spend_by_day")
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["spend_by_day.csv", "usage.csv"]
    assert str(tmp_path / "out" / "usage.csv") in done.stdout


def test_restoring_nothing_says_what_to_name(run: Run) -> None:
    assert "--salvage" in run("restore").stderr
    assert "no file" in run("restore", "--salvage", "missing.sqlite3").stderr


def test_a_backup_brings_a_deleted_ledger_back(run: Run, tmp_path: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "remember me")
    saved = tmp_path / "saved.sqlite3"
    assert run("backup", str(saved)).returncode == 0
    run("ask", "-m", "demo/echo", "--max-tokens=8", "forget me")
    restored = run("restore", str(saved))
    assert restored.returncode == 0
    assert "What was there is kept as" in restored.stdout
    assert run("sql", "select count(*) n from usage", "--csv").stdout == "n\n1\n"
    assert "remember me" in run("export").stdout


def test_restoring_what_is_no_ledger_changes_nothing(run: Run, tmp_path: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "one")
    (tmp_path / "x").write_text("no ledger")
    done = run("restore", str(tmp_path / "x"))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert run("sql", "select count(*) n from usage", "--csv").stdout == "n\n1\n"


def test_an_export_holds_all_messages_in_both_forms(run: Run, tmp_path: Path) -> None:
    reply = json.loads(run("ask", "-m", "demo/echo", "--max-tokens=8", "--json", "say <b>&</b>").stdout)
    markdown = run("export", reply["conversation"]).stdout
    assert markdown.startswith("# say &lt;b>&&lt;/b>\n")
    assert "**demo/echo**:\n\nThis is ValeChat" in markdown
    target = tmp_path / "out.json"
    assert run("export", "--json", "-o", str(target)).returncode == 0
    (conversation,) = json.loads(target.read_text())["conversations"]
    assert [message["role"] for message in conversation["messages"]] == ["user", "assistant"]
    assert conversation["messages"][1]["request_id"] == reply["request_ids"][0]


def test_an_export_in_json_can_be_imported(run: Run, tmp_path: Path) -> None:
    run("ask", "-m", "demo/echo", "--max-tokens=8", "one two")
    target = tmp_path / "out.json"
    run("export", "--json", "-o", str(target))
    done = run("import", str(target))
    assert "one two, 2 messages" in done.stdout
    assert run("sql", "select count(*) n from conversations", "--csv").stdout == "n\n2\n"
    target.write_text('{"format": "another"}')
    refused = run("import", str(target))
    assert (refused.returncode, "no export" in refused.stderr, "Traceback" in refused.stderr) == (1, True, False)


def test_an_unknown_conversation_is_refused(home: Path) -> None:
    ledger = open_ledger(user_paths())
    with pytest.raises(ConfigError, match="There is no conversation nope"):
        as_markdown(ledger, ["nope"])
    ledger.close()
