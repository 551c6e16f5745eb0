"""What `binder/` installs is enough for the notebooks."""

import json
import os
import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
POST_BUILD = ROOT / "binder" / "postBuild"
BROUGHT_BY = {"sql": "jupysql"}
"""Modules that a package of another name brings."""


def installed() -> tuple[set[str], set[str]]:
    """The packages that are installed besides ValeChat, its own requirements among them; and its extras."""
    [arguments] = re.findall(r"pip install .*?'\.\[([\w,]*)\]'(.*)", POST_BUILD.read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = {Requirement(one).name for one in project["dependencies"]}
    return required | set(arguments[1].split()), set(arguments[0].split(","))


def imported() -> set[str]:
    """The top-level modules that the notebooks import, or load as extensions."""
    cells = [cell for file in (ROOT / "notebooks").glob("*.ipynb") for cell in json.loads(file.read_text())["cells"]]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return set(re.findall(r"^(?:import|from|%load_ext) (\w+)", code, re.MULTILINE))


def test_all_that_the_notebooks_import_is_installed() -> None:
    needed = imported() - sys.stdlib_module_names - {"valechat"}
    assert {"pandas", "sql"} <= needed
    assert {BROUGHT_BY.get(name, name) for name in needed} <= installed()[0]


def test_the_extras_exist_and_the_step_can_be_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"lab"} <= installed()[1] <= set(project["optional-dependencies"])
    assert os.access(POST_BUILD, os.X_OK)
