"""What docs/plugins.md says of the file is what the file may say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from valechat.paths import user_paths
from valechat.plugins import published
from valechat.plugins.catalogue import load_catalogue
from valechat.plugins.contents import Contents
from valechat.plugins.foreign import pasted
from valechat.plugins.programs import candidates

DOCUMENT = Path(__file__).parents[2] / "docs" / "plugins.md"
DEFINITIONS: dict[str, Any] = published.plugins_schema()["$defs"]

HEADINGS = {
    "Both": ("LocalServer", "CloudService"),
    "A local server": ("LocalServer",),
    "A cloud service": ("CloudService",),
    "`permissions`": ("Permissions",),
    "`auth` of type `oauth`": ("OAuth",),
}


def fields(models: tuple[str, ...]) -> dict[str, Any]:
    """The fields of the models; of one model, without those both plugins have."""
    shared = set(DEFINITIONS["LocalServer"]["properties"]) & set(DEFINITIONS["CloudService"]["properties"])
    own = DEFINITIONS[models[0]]["properties"]
    if len(models) > 1:
        return {name: said for name, said in own.items() if name in shared - {"transport", "protocol"}}
    if models[0] in HEADINGS["Both"]:
        return {name: said for name, said in own.items() if name not in shared or name in ("transport", "protocol")}
    return {name: said for name, said in own.items() if name != "type"}


def table(models: tuple[str, ...]) -> str:
    """The table of these models' fields, as it stands in the document."""
    required = set(DEFINITIONS[models[0]].get("required", ()))
    lines = ["| field | left out | |", "|---|---|---|"]
    for name, said in fields(models).items():
        default = said.get("default")
        default = int(default) if isinstance(default, float) else default
        shown = default if isinstance(default, str) else json.dumps(default)
        left_out = "needed" if name in required else f"`{shown}`" if default not in (None, "", []) else ""
        lines.append(
            f"| `{name}` | {left_out} | {said['description'].replace(chr(10), ' ').replace('|', chr(92) + '|')} |"
        )
    return "\n".join(lines)


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_table_of_fields_is_that_of_the_models(heading: str) -> None:
    section = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^##|\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    assert section is not None
    assert table(HEADINGS[heading]) in section[1], f"it should be:\n{table(HEADINGS[heading])}"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


def test_every_example_of_the_file_can_be_used() -> None:
    ours = [text for text in examples("json") if "mcp_plugins" in text]
    assert ours
    for text in ours:
        contents = Contents(Path("example"), text)
        assert contents.definitions()
        assert (contents.problems, contents.warnings) == ([], [])


def test_every_example_of_what_can_be_pasted_can_be() -> None:
    texts = examples("text")
    assert len(texts) >= 4
    assert all(pasted(text).servers for text in texts)


def test_every_program_that_is_looked_for_is_named() -> None:
    named = DOCUMENT.read_text()
    programs = {candidate.program for candidate in candidates(Path("/x"))} - {"VSCodium", "VS Code Insiders"}
    assert [program for program in programs if program not in named] == []


def test_every_server_of_the_catalogue_is_named(home: Path) -> None:
    named = DOCUMENT.read_text()
    assert [name for name in load_catalogue(user_paths()).entries if f"`{name}`" not in named] == []
