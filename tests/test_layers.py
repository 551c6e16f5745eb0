"""Who may import whom, and what an import may cost."""

import ast
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "valechat"
MODULES = sorted(PACKAGE.rglob("*.py"))

JUPYTER = {"IPython", "anywidget", "ipykernel", "ipywidgets", "jupyter_client", "jupyterlab", "notebook", "traitlets"}
DATABASES = {"duckdb", "sqlite3"}
HTTP = {"httpx"}
HEAVY = {"cryptography", "duckdb", "httpx", "keyring", "mcp", "pandas", "pyarrow", "pydantic", "tiktoken"}

VALUES = {"errors", "events", "ids", "messages", "money", "reply", "tablehead", "usage", "wires"}
FACES = {"cli", "notebook"}
TURN = {"chat", "engine", "services", "session"} | FACES

# A part may import every other one but these.
MAY_NOT_IMPORT = {
    "billing": TURN | {"plugins", "providers", "sandbox"},
    "chat": FACES,
    "config": TURN | {"billing", "keys", "plugins", "providers", "sandbox"},
    "engine": FACES | {"chat"},
    "keys": TURN | {"billing", "plugins", "providers", "sandbox"},
    "ledger": TURN | {"billing", "config", "keys", "plugins", "providers", "sandbox"},
    "plugins": FACES | {"chat"},
    "providers": TURN | {"billing", "keys", "ledger", "plugins", "sandbox"},
    "sandbox": TURN | {"billing", "keys", "ledger", "plugins", "providers"},
    "services": FACES | {"chat"},
    "session": FACES | {"chat", "engine", "services"},
}

IMPORT_MILLISECONDS = 150
"""Processor time that `import valechat` may take beyond the interpreter's own start."""


def part(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def for_types_only(node: ast.AST) -> bool:
    """`if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not for_types_only(child):
            yield from nodes(child)


def dotted(module: Path) -> str:
    return ".".join(["valechat", *module.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


def imported(module: Path) -> Iterator[str]:
    """Every module that may be imported when the file's code runs, inside functions too, by its dotted name."""
    for node in nodes(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(module)} uses a relative import, which these tests do not follow"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def tops(module: Path) -> set[str]:
    return {found.partition(".")[0] for found in imported(module)}


def parts_imported(module: Path) -> set[str]:
    return {found.split(".")[1] for found in imported(module) if found.startswith("valechat.")}


def run(program: str, home: Path) -> str:
    """The output of a program in a fresh interpreter that has imported nothing of ours."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "VALECHAT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_the_notebook_part_imports_jupyter(module: Path) -> None:
    assert part(module) == "notebook" or not tops(module) & JUPYTER


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_the_ledger_imports_a_database(module: Path) -> None:
    assert part(module) == "ledger" or not tops(module) & DATABASES


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_only_one_module_imports_the_http_library(module: Path) -> None:
    assert name(module) == "providers/_http.py" or not tops(module) & HTTP


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in MAY_NOT_IMPORT], ids=name)
def test_no_import_points_back_up(module: Path) -> None:
    assert not parts_imported(module) & MAY_NOT_IMPORT[part(module)]


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in VALUES], ids=name)
def test_a_value_imports_only_values(module: Path) -> None:
    assert parts_imported(module) <= VALUES


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in VALUES], ids=name)
def test_a_value_needs_only_the_standard_library(module: Path) -> None:
    assert tops(module) <= sys.stdlib_module_names | {"valechat"}


def test_the_core_runs_without_jupyter(home: Path) -> None:
    core = [dotted(module) for module in MODULES if part(module) != "notebook" and module.name != "__main__.py"]
    program = f"import importlib, sys; [importlib.import_module(name) for name in {core}]; print(*sys.modules)"
    loaded = {found.partition(".")[0] for found in run(program, home).split()}
    assert loaded & JUPYTER == set()


def test_importing_valechat_loads_nothing_heavy(home: Path) -> None:
    assert run(f"import sys, valechat; print(*sorted({HEAVY!r} & set(sys.modules)))", home).split() == []


def test_importing_valechat_takes_no_time_that_a_person_notices(home: Path) -> None:
    program = "import time; start = time.process_time(); import valechat; print(time.process_time() - start)"
    seconds = statistics.median(float(run(program, home)) for _ in range(7))
    assert seconds * 1000 < IMPORT_MILLISECONDS


def test_every_public_name_can_be_had_from_the_package(home: Path) -> None:
    assert run("import valechat; [getattr(valechat, name) for name in valechat.__all__]", home) == ""


def public_names(module: Path) -> list[str] | None:
    """The module's `__all__`, if it has one."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def defined(module: Path) -> set[str]:
    """The public functions and classes that stand in the module."""
    body = ast.parse(module.read_text()).body
    found = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return {name for name in found if not name.startswith("_")}


PUBLISHING = [module for module in MODULES if public_names(module) is not None]


@pytest.mark.parametrize("module", PUBLISHING, ids=name)
def test_all_is_sorted_constants_first_then_classes_then_the_rest(module: Path) -> None:
    names = public_names(module)
    assert names == sorted(names or (), key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize("module", PUBLISHING, ids=name)
def test_all_names_every_public_function_and_class(module: Path) -> None:
    hooks = {"load_ipython_extension"} if module == PACKAGE / "__init__.py" else set()  # called by IPython alone
    assert defined(module) - hooks <= set(public_names(module) or ())
