"""What the documentation shows can be done as it stands there: in a kernel, a shell, a settings file."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.docs.server import serving
from tests.notebook.kernels import Kernel
from tests.warm.processes import command
from valechat.config.load import parse_settings
from valechat.plugins.contents import Contents

ELSEWHERE = {
    "make": "Makefile",
    "pip install": "tests/test_packaging.py",
    "valechat lab": "tests/cli/test_lab.py",
    "valechat keys set": "tests/cli/test_keys.py",
}
"""Commands that a page shows and another test runs: they ask, build, install or open a browser."""

PRICES = """
[providers.{provider}]
kind = "openai-compatible"
base_url = "{url}"
api_key = "${{DOCUMENTED_KEY}}"
models = ["{model}"]

[prices."{provider}/{model}"]
input = "1.25"
output = "10"
"""

PRELUDE = """
import asyncio, os
from typing import Literal
import duckdb, pandas as pd, pydantic
import valechat
%load_ext valechat
df = pd.DataFrame({"text": ["Great panel.", "Slow charger."], "stars": [5, 2]})
row = df.iloc[0]
rows = ["first", "second"]
chat = valechat.Chat("openai/gpt-5-mini")
"""
"""What the reader of a page is taken to have: the imports that the first page shows, and a table."""

FIRST = {
    "docs/plugins.md": """
if "git" not in str(valechat.plugins.list()):
    valechat.plugins.add(id="git", command="uvx", args=["mcp-server-git"])
def now() -> str:
    "The time."
    return "noon"
reply = valechat.Chat("openai/gpt-5-mini", tools=[now]).ask_sync("Use the tool now with {}")
"""
}
"""What a page is taken to have besides."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of what answers in the place of the providers that pages name."""
    server = serving()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, server: str) -> tuple[Path, dict[str, str]]:
    """A reader's folder, with the files that pages name, and environment."""
    folder, home = tmp_path_factory.mktemp("reader"), tmp_path_factory.mktemp("home")
    models = [("openai", "gpt-5-mini"), ("anthropic", "claude-sonnet-4-5")]
    settings = [PRICES.format(provider=name, model=model, url=server) for name, model in models]
    (home / "config.toml").write_text('default_model = "openai/gpt-5-mini"\n' + "".join(settings))
    (folder / "review.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    (folder / "chart.png").write_bytes((ROOT / "docs" / "images" / "panel.png").read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    keep = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    added = {"VALECHAT_HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    return folder, {
        **keep,
        **added,
        "DOCUMENTED_KEY": "documented",
        "PATH": f"{Path(sys.executable).parent}:{keep['PATH']}",
    }


@pytest.fixture(scope="module")
def kernel(reader: tuple[Path, dict[str, str]]) -> Iterator[Kernel]:
    folder, environment = reader
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        kernel = Kernel(folder, Path(environment["VALECHAT_HOME"]))
    finally:
        os.environ.clear()
        os.environ.update(before)
    yield kernel
    kernel.close()


@pytest.mark.kernel
@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks("python", "sql", page=page)])
def test_the_cells_of_a_page_run_from_top_to_bottom(page: str, kernel: Kernel) -> None:
    kernel.run("%reset -f")
    ran = kernel.run(PRELUDE + FIRST.get(page, ""))
    assert not ran.error, ran.traceback
    failed = []
    for block in blocks("python", "sql", page=page):
        code = block.text if block.language == "python" else f"valechat.sql({block.text!r}).fetchall()"
        ran = kernel.run(code)
        if ran.error:
            failed.append(f"{block}: {ran.traceback}")
    assert not failed, "\n".join(failed)


def commands() -> list[tuple[Block, str]]:
    """The command lines in the pages."""
    lines = [(block, line) for block in blocks("sh") for line in block.text.splitlines()]
    found = [(block, " ".join(shlex.split(line, comments=True))) for block, line in lines]
    return [(block, line) for block, line in found if line]


def test_a_command_that_is_not_run_here_is_run_by_another_test() -> None:
    names = {line.split()[0] for _, line in commands()}
    assert names <= {"valechat", *(start.split()[0] for start in ELSEWHERE)}
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())


@pytest.mark.slow
@pytest.mark.parametrize("line", sorted({line for _, line in commands() if not line.startswith(tuple(ELSEWHERE))}))
def test_a_command_of_the_pages_succeeds(line: str, reader: tuple[Path, dict[str, str]]) -> None:
    folder, environment = reader
    words = [*command("valechat.cli"), *shlex.split(line)[1:]]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False, input=""
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_settings_of_the_pages_are_accepted(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MYLAB_KEY", "WORK_OPENAI_KEY"):
        monkeypatch.setenv(name, "x")
    assert not parse_settings(block.text, Path(block.page)).warnings


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_of_the_pages_is_accepted(block: Block) -> None:
    if "mcp_plugins" in block.text:
        assert not Contents(Path(block.page), block.text).problems
    else:
        assert json.loads(block.text)
