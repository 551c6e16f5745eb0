"""Plugins chosen by name, and single tools of theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.held import HeldPlugins, tool
from valechat.plugins.approvals import Approvals
from valechat.plugins.consent import Consent
from valechat.plugins.offered import PluginTools, named_plugins
from valechat.plugins.ready import ready
from valechat.plugins.results import ResultStore


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ((), {}),
        ("enabled", {}),
        (("git",), {"git": None}),
        (("git/log", "git/push"), {"git": frozenset({"log", "push"})}),
        (("git", "git/log"), {"git": None}),
        (("git/log", "git"), {"git": None}),
        (("git/a/b",), {"git": frozenset({"a/b"})}),
    ],
)
def test_a_name_is_a_plugin_or_one_of_its_tools(
    chosen: tuple[str, ...], found: dict[str, frozenset[str] | None]
) -> None:
    assert named_plugins(chosen) == found


async def test_only_the_chosen_tool_of_a_plugin_is_offered(tmp_path: Path) -> None:
    plugins = HeldPlugins(git=[tool("git", "log"), tool("git", "push")], time=[tool("time", "now")])
    await ready(plugins, ("git/log", "time"))
    box = PluginTools(
        plugins,
        ("git/log", "time"),
        consent=Consent(Approvals(tmp_path / "approvals.json"), lambda _plugin: False),
        store=ResultStore(tmp_path / "results"),
    )
    assert [spec.name for spec in box.specs()] == ["git_log", "time_now"]
