"""`%valechat plugins …` in a real kernel, over real servers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel

UNRULY = Path(__file__).parents[1] / "plugins" / "unruly.py"


@pytest.fixture(scope="module")
def kernel_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    servers: list[dict[str, object]] = [
        {"id": "unruly", "name": "Unruly server", "command": sys.executable, "args": ["-I", "-S", str(UNRULY)]},
        {"id": "dies", "command": sys.executable, "args": ["-I", "-S", str(UNRULY), "--die-at-start", "3"]},
    ]
    for server in servers:
        server["enabled"] = False
    (home / "mcp_plugins.json").write_text(json.dumps({"mcp_plugins": {"local_servers": servers}}))
    return home


def test_the_list_is_a_table_and_starts_nothing(kernel: Kernel) -> None:
    ran = kernel.run("%valechat plugins")
    assert not ran.error, ran.traceback
    assert "unruly  Unruly server  disabled" in ran.text
    assert kernel.value("__import__('valechat').plugins.status('unruly').pid") is None


def test_enabling_waits_and_says_what_it_offers(kernel: Kernel) -> None:
    assert "unruly runs and offers 13 tools." in kernel.run("%valechat plugins enable unruly").text
    table = kernel.run("%valechat plugins tools unruly").text
    assert "Says the text back." in table
    assert "tokens to each request" in table


def test_a_tool_is_called_with_words_or_json_and_its_answer_received(kernel: Kernel) -> None:
    assert kernel.run("%valechat plugins call unruly echo text=hello").text.strip() == "hello"
    ran = kernel.run('%valechat said << plugins call unruly echo {"text": "it\'s \\"quoted\\""}')
    assert not ran.error, ran.traceback
    assert kernel.value("said") == 'it\'s "quoted"'


def test_an_error_of_a_tool_fails_the_cell(kernel: Kernel) -> None:
    ran = kernel.run("%valechat plugins call unruly fail")
    assert ran.error == "ToolFailed"
    assert "It failed." in ran.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("plugins enable nosuch", "There is no plugin"),
        ("plugins grant unruly network_access", "may use the network already"),
        ("plugins revoke unruly file_read /data", "has no such permission"),
        ("plugins call unruly nosuch", "has no tool 'nosuch'"),
        ("plugins call unruly echo text", "Write NAME=VALUE"),
        ("plugins enabel", "Did you mean 'enable'?"),
        ("plugins call unruly", "It is written: %valechat plugins call"),
        ("plugins add", "What shall be added?"),
        ("plugins add gti", "Did you mean 'git'?"),
        ("plugins enable dies", "ended with exit code 3"),
        ("plugins signin unruly", "has no OAuth"),
    ],
)
def test_an_error_is_one_line_with_the_fix(kernel: Kernel, line: str, said: str) -> None:
    ran = kernel.run(f"%valechat {line}")
    assert ran.error
    assert said in ran.traceback
    assert "Traceback" not in ran.traceback
    assert len(ran.traceback.splitlines()) == 1


def test_json_is_added_from_a_cell_and_removed(kernel: Kernel, kernel_home: Path) -> None:
    entry = {"mcpServers": {"celled": {"command": sys.executable, "args": ["-I", "-S", str(UNRULY)]}}}
    ran = kernel.run(f"%%valechat plugins add\n{json.dumps(entry, indent=1)}")
    assert not ran.error, ran.traceback
    assert "celled runs and offers 13 tools." in ran.text
    assert "celled is removed." in kernel.run("%valechat plugins remove celled").text
    assert "celled" not in (kernel_home / "mcp_plugins.json").read_text()


def test_permissions_are_given_listed_and_forgotten_by_name(kernel: Kernel) -> None:
    kernel.run("%valechat plugins allow unruly echo")
    kernel.run("%valechat plugins deny unruly die")
    listed = kernel.run("%valechat plugins approvals").text
    assert "echo  allowed" in " ".join(listed.split()).replace("allowed", " allowed")
    assert "denied" in listed
    kernel.run("%valechat plugins forget unruly")
    assert "Nothing is remembered" in kernel.run("%valechat plugins approvals").text


def test_tab_completes_verbs_ids_and_tools(kernel: Kernel) -> None:
    assert "enable" in kernel.complete("%valechat plugins ")[0]
    assert kernel.complete("%valechat plugins dis")[0] == ["disable"]
    assert kernel.complete("%valechat plugins restart un")[0] == ["unruly"]
    assert kernel.complete("%valechat plugins call unruly ec")[0] == ["echo"]
    assert kernel.complete("%valechat plugins tool o")[0] == ["on", "off"]
    assert "filesystem" in kernel.complete("%valechat plugins add ")[0]
    assert "unruly" in kernel.complete("%%valechat demo/echo --tools un")[0]


ASK = '%%valechat demo/echo --tools unruly_echo\nuse the tool unruly_echo with {"text": "said by the plugin"}'


def test_a_models_call_is_shown_and_made_once_the_user_agrees(kernel: Kernel) -> None:
    ran = kernel.run(ASK, answer="y")
    assert not ran.error, ran.traceback
    assert "unruly wants to run echo" in ran.text
    assert '"text": "said by the plugin"' in ran.text
    assert "unruly_echo answered: said by the plugin" in ran.text


def test_where_nobody_can_be_asked_the_call_is_refused_until_it_is_allowed_by_name(kernel: Kernel) -> None:
    refused = kernel.run(ASK)
    assert "`%valechat plugins allow unruly echo` allows it" in refused.text
    assert "answered: said by the plugin" not in refused.text
    kernel.run("%valechat plugins allow unruly echo")
    allowed = kernel.run(ASK)
    assert "unruly_echo answered: said by the plugin" in allowed.text
    kernel.run("%valechat plugins forget unruly")


def test_a_name_that_is_neither_a_function_nor_a_plugin_is_explained(kernel: Kernel) -> None:
    ran = kernel.run(ASK.replace("unruly_echo", "nosuch"))
    assert "neither a function nor a plugin named nosuch" in ran.traceback


def test_the_widget_says_in_plain_text_how_the_plugins_are(kernel: Kernel) -> None:
    ran = kernel.run("import valechat\nvalechat.plugin_manager()")
    assert not ran.error, ran.traceback
    assert ran.text.startswith("MCP Plugins")
    assert "unruly: running, 13 tools" in ran.text
    (view,) = ran.of_type("application/vnd.jupyter.widget-view+json")
    assert view["model_id"]
