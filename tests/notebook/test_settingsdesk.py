"""The panel's settings: what is told of them, and what a change does to the chat and to `config.toml`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import valechat
from tests.notebook.panels import PanelUnderTest
from valechat.chat import Chat
from valechat.services import services

CONFIG = """\
# mine
[limits]
daily = "5.00"  # enough

[limits.models."openai/gpt-5.4"]
monthly = "20"
"""


@pytest.fixture
def chat(home: Path) -> Chat:
    (home / "config.toml").write_text(CONFIG)
    return valechat.Chat("demo/echo")


async def told(panel: PanelUnderTest) -> dict[str, Any]:
    panel.send({"type": "open_settings"})
    return await panel.until("settings")


async def changed(panel: PanelUnderTest, message: dict[str, Any]) -> dict[str, Any] | None:
    """The error of a change; None when it was made."""
    panel.send({"number": 7, **message})
    answer = await panel.until("setting_changed")
    assert answer["number"] == 7
    error: dict[str, Any] | None = answer["error"]
    return error


def value(settings: dict[str, Any], name: str, part: str = "settings") -> str:
    (found,) = [one["value"] for one in settings[part] if one["name"] == name]
    return str(found)


async def test_what_is_set_is_told_and_what_is_not_is_empty_beside_what_then_holds(chat: Chat) -> None:
    settings = await told(PanelUnderTest(chat))
    assert value(settings, "limits.daily") == "5.00"
    assert value(settings, "limits.models.openai/gpt-5.4.monthly") == "20"
    assert [one for one in settings["settings"] if one["name"] == "sizes.message"] == [
        {"name": "sizes.message", "value": "", "usual": "50 KB", "now": ""}
    ]


async def test_a_change_is_written_beside_the_users_own_words_and_counts_at_once(chat: Chat, home: Path) -> None:
    panel = PanelUnderTest(chat)
    change = {"type": "change_settings", "names": ["limits.daily", "limits.confirm_above"], "values": ["7.50", "0.25"]}
    assert await changed(panel, change) is None
    assert '# mine\n[limits]\ndaily = "7.50"  # enough' in (home / "config.toml").read_text()
    assert services().settings.limits.confirm_above == Decimal("0.25")


async def test_settings_without_a_value_each_are_refused(chat: Chat) -> None:
    error = await changed(PanelUnderTest(chat), {"type": "change_settings", "names": [], "values": ["7.50"]})
    assert error is not None
    assert error["message"] == "There are 1 values for 0 settings."


async def test_an_emptied_setting_is_removed(chat: Chat) -> None:
    change = {"type": "change_settings", "names": ["limits.models.openai/gpt-5.4.monthly"], "values": [""]}
    assert await changed(PanelUnderTest(chat), change) is None
    assert services().settings.limits.models["openai/gpt-5.4"].monthly is None


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("limits.monthly", "abc", "US dollars"),
        ("limits.rate.openai.requests_per_minute", "many", "whole number"),
        ("sizes.message", "a lot", "size"),
        ("default_model", "gpt", "provider/model"),
        ("providers.mylab.base_url", "http://example.com/v1", "https"),
        ("nonsense", "1", "nonsense"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_with_what_to_do_and_nothing_is_written(
    chat: Chat, home: Path, name: str, text: str, word: str
) -> None:
    error = await changed(PanelUnderTest(chat), {"type": "change_settings", "names": [name], "values": [text]})
    assert error is not None
    assert word in error["message"] + error["fix"]
    assert str(home) not in error["message"]
    assert (home / "config.toml").read_text() == CONFIG


async def test_a_server_of_ones_own_is_a_provider_at_once(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    names = ["providers.mylab.kind", "providers.mylab.base_url"]
    change = {"type": "change_settings", "names": names, "values": ["openai-compatible", "http://127.0.0.1:9/v1"]}
    assert await changed(panel, change) is None
    (mine,) = [one for one in (await told(panel))["providers"] if one["name"] == "mylab"]
    assert (mine["base_url"], mine["built_in"], mine["source"]) == ("http://127.0.0.1:9/v1", False, "")


async def test_controls_of_the_chat_count_from_the_next_question(chat: Chat) -> None:
    panel = PanelUnderTest(chat)
    typed = {"system": "Be brief.", "temperature": "0.2", "max_tokens": "4,000", "fallback": "openai:a, anthropic/b"}
    for name, text in typed.items():
        assert await changed(panel, {"type": "change_chat", "name": name, "value": text}) is None
    assert (chat.system, chat.temperature, chat.max_tokens) == ("Be brief.", 0.2, 4000)
    assert chat.fallback == ("openai/a", "anthropic/b")
    assert await changed(panel, {"type": "change_chat", "name": "temperature", "value": " "}) is None
    assert chat.temperature is None


@pytest.mark.parametrize(("name", "text"), [("temperature", "9"), ("seed", "1.5"), ("max_tokens", "0"), ("nan", "1")])
async def test_a_control_that_cannot_be_leaves_the_chat_as_it_is(chat: Chat, name: str, text: str) -> None:
    assert await changed(PanelUnderTest(chat), {"type": "change_chat", "name": name, "value": text}) is not None
    assert (chat.temperature, chat.seed, chat.max_tokens) == (None, None, None)


async def test_a_broken_file_is_named_and_the_chat_can_still_be_set(chat: Chat, home: Path) -> None:
    (home / "config.toml").write_text("[limits\n")
    settings = await told(PanelUnderTest(chat))
    assert "config.toml" in settings["problem"]
    assert settings["settings"] == []
    assert value(settings, "temperature", "chat") == ""


async def test_where_a_key_is_is_told_and_never_the_key(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    panel = PanelUnderTest(chat)
    (openai,) = [one for one in (await told(panel))["providers"] if one["name"] == "openai"]
    assert (openai["source"], openai["stored"]) == ("environment OPENAI_API_KEY", False)
    assert "canary" not in str(panel.got)
