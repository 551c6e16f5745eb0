"""What a confined server was refused can be granted: exactly that, written into the user's file, and taken back."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.managing import Managed, managed
from tests.plugins.needy import command
from tests.plugins.support import MARKER
from valechat.asking import Approval, Confirmation, Decision, Filled, Form, Grant, SamplingApproval, Visit
from valechat.errors import ConfigError
from valechat.paths import user_paths
from valechat.plugins.base import Need
from valechat.sandbox import bubblewrap, landlock

pytestmark = pytest.mark.skipif(bool(bubblewrap.unavailable()), reason=bubblewrap.unavailable())


class Person:
    """Answers each question about a permission alike, and remembers it."""

    def __init__(self, *, allows: bool) -> None:
        self.allows = allows
        self.asked: list[Grant] = []

    async def grant(self, question: Grant) -> bool:
        self.asked.append(question)
        return self.allows

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        raise AssertionError(question)

    async def fill(self, form: Form) -> Filled:
        raise AssertionError(form)

    async def visit(self, page: Visit) -> str | None:
        raise AssertionError(page)

    async def confirm(self, question: Confirmation) -> bool:
        raise AssertionError(question)


@pytest.fixture
async def plugins() -> AsyncIterator[Managed]:
    async with managed() as found:
        yield found


async def confined(plugins: Managed, **permissions: Any) -> None:
    """Starts the needy server with these permissions."""
    program, *arguments = command()
    wanted = {"file_read": [], "file_write": [], "network_access": False, **permissions}
    entry = {"id": "needy", "command": program, "args": arguments, "permissions": wanted, "timeout": 20.0}
    info = await plugins.manager.add({**entry, "env": {MARKER: plugins.marker}})
    assert info.state == "running", info


async def call(plugins: Managed, tool: str, at: object, person: Person | None = None) -> str:
    return (await plugins.manager.call_tool("needy", tool, {"at": str(at)}, asker=person)).text


def needs(plugins: Managed) -> tuple[Need, ...]:
    return plugins.manager.status("needy").needs


def in_the_file() -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(user_paths().plugins_file.read_text())["mcp_plugins"]["local_servers"][0]
    return entry


async def test_a_file_that_a_call_named_is_asked_for_and_can_be_read_once_it_is_granted(
    plugins: Managed, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("the notes")
    await confined(plugins)
    person = Person(allows=True)
    assert "Call the tool again" in await call(plugins, "read", file, person)
    assert person.asked == [Grant("needy", "file_read", str(file), proven=False)]
    assert in_the_file()["permissions"]["file_read"] == [str(file)]
    assert await call(plugins, "read", file, person) == "the notes"
    assert needs(plugins) == ()


async def test_what_is_declined_is_not_asked_again_and_changes_nothing(plugins: Managed, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("the notes")
    await confined(plugins)
    person = Person(allows=False)
    for _ in range(2):
        assert "Call the tool again" not in await call(plugins, "read", file, person)
    assert len(person.asked) == 1
    assert in_the_file()["permissions"]["file_read"] == []


async def test_a_path_that_only_the_server_names_is_offered_on_its_card_and_not_asked_for(
    plugins: Managed, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    await confined(plugins)
    person = Person(allows=True)
    await call(plugins, "complain", f"EACCES: permission denied, open '{tmp_path}/data'", person)
    await plugins.until(lambda: needs(plugins))
    assert needs(plugins) == (Need("file_read", f"{tmp_path}/data", "server"),)
    assert person.asked == []
    await plugins.manager.permits.answered("needy", "file_read", f"{tmp_path}/data", allow=True)
    assert in_the_file()["permissions"]["file_read"] == [f"{tmp_path}/data/**"]


async def test_a_host_that_the_proxy_refused_is_asked_for_as_proven(plugins: Managed) -> None:
    await confined(plugins, network_access=["example.org"])
    person = Person(allows=True)
    await call(plugins, "reach", "https://api.example.com/x", person)
    assert person.asked == [Grant("needy", "network_access", "api.example.com:443", proven=True)]
    assert in_the_file()["permissions"]["network_access"] == ["example.org", "api.example.com:443"]


async def test_nothing_on_this_machine_is_offered_as_a_host(plugins: Managed) -> None:
    await confined(plugins, network_access=[])
    assert "403" in await call(plugins, "reach", "http://127.0.0.1:8888/", Person(allows=True))
    assert needs(plugins) == ()


async def test_what_is_not_offered_cannot_be_granted_from_a_card(plugins: Managed, tmp_path: Path) -> None:
    await confined(plugins)
    with pytest.raises(ConfigError, match="not asked for"):
        await plugins.manager.permits.answered("needy", "file_read", str(tmp_path), allow=True)


async def test_a_permission_that_is_taken_back_is_gone_at_once(plugins: Managed, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("the notes")
    await confined(plugins, file_read=[str(file)])
    assert await call(plugins, "read", file) == "the notes"
    await plugins.manager.permits.revoke("needy", "file_read", str(file))
    assert "No such file" in await call(plugins, "read", file)
    assert in_the_file()["permissions"]["file_read"] == []


async def test_a_server_that_cannot_be_confined_here_can_be_started_all_the_same_by_the_user(
    plugins: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bubblewrap, "unavailable", lambda: "bubblewrap is not installed")
    monkeypatch.setattr(landlock, "unavailable", lambda: "Landlock is switched off")
    program, *arguments = command()
    permissions = {"network_access": False}
    entry = {"id": "needy", "command": program, "args": arguments, "permissions": permissions}
    info = await plugins.manager.add({**entry, "env": {MARKER: plugins.marker}})
    assert (info.state, info.needs) == ("error", (Need("allow_degraded", "", "sandbox"),))
    info = await plugins.manager.permits.answered("needy", "allow_degraded", "", allow=True)
    assert (info.state, info.sandbox["network"], info.needs) == ("running", "none", ())
    assert in_the_file()["allow_degraded"] is True


async def test_a_variable_is_offered_that_is_set_here_and_no_providers_key_ever(
    plugins: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "LIBRARY_CARD", "1234")
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "sk-canary")
    await confined(plugins)
    await call(plugins, "complain", "environment variables OPENAI_API_KEY and LIBRARY_CARD must be set")
    await plugins.until(lambda: needs(plugins))
    assert needs(plugins) == (Need("env_access", "LIBRARY_CARD", "server"),)
    await plugins.manager.permits.answered("needy", "env_access", "LIBRARY_CARD", allow=True)
    assert await call(plugins, "variable", "LIBRARY_CARD") == "1234"
