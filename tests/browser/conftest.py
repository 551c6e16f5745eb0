"""One real JupyterLab, one real Notebook 7 and one real Chromium for the whole run."""

import os
import re
from collections.abc import AsyncIterator, Generator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, async_playwright

from tests.browser.support import chromium
from tests.browser.support.kernels import LOCKED, OLDER, OLDER_FOLDER, write_kernelspecs
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.server import FrontEnd, JupyterServer, serve

HERE = Path(__file__).parent
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser, servers and tests share one event loop, or a page could not be used where it was not opened."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the fixtures can take a picture of it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


def missing(what: str) -> NoReturn:
    """Skip, but not in CI: there a test that did not run would look like one that passed."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)  # plain pytest must work where nothing may be installed


class FrontEndUnderTest:
    """Opens notebooks in one front end, and closes them with their kernels."""

    def __init__(self, context: BrowserContext, server: JupyterServer, name: str) -> None:
        self.server = server
        self.pages: list[NotebookPage] = []
        self._context = context
        self._name = re.sub(r"\W+", "-", name).strip("-")

    async def open(self, cells: Sequence[str], *, kernel: str = LOCKED, home: Path | None = None) -> NotebookPage:
        """Open a new notebook whose kernel is idle.

        Args:
            cells: The sources of its code cells.
            kernel: A kernelspec's name: `LOCKED` or `OLDER` of `support.kernels`.
            home: ValeChat's folder for this notebook, where it shall not share the server's; an extra
                first cell sets it, already run.
        """
        if kernel == OLDER and not OLDER_FOLDER.is_dir():
            missing(f"{OLDER} is not installed: `make .cache/{OLDER}/.ready`")
        first = [] if home is None else [f"import os; os.environ['VALECHAT_HOME'] = {str(home)!r}"]
        path = self.server.root / f"{self._name}-{len(self.pages)}.ipynb"
        write_notebook(path, [*first, *cells], kernel)
        notebook = NotebookPage(await self._context.new_page(), self.server, path)
        self.pages.append(notebook)
        await notebook.open()
        if home is not None:
            await notebook.run(0)
        return notebook

    async def close(self, *, failed: bool) -> None:
        """Close every notebook and its kernel; of a failed test keep a picture and the console's errors."""
        for number, notebook in enumerate(self.pages):
            if failed:
                picture = await notebook.screenshot(f"failed-{self._name}-{number}")
                picture.with_suffix(".log").write_text("\n".join(notebook.errors))
            await notebook.page.close()
        sessions = self.server.call("GET", "sessions")
        assert isinstance(sessions, list)
        for session in sessions:
            self.server.call("DELETE", f"sessions/{session['id']}")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive; without one the browser tests are skipped, but never in CI."""
    return chromium.find() or missing(chromium.HOW_TO_GET)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(chromium_path: str) -> AsyncIterator[BrowserContext]:
    """One browser profile for the run, so that a front end's files are fetched once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=list(chromium.SWITCHES))
        profile = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        profile.set_default_timeout(30_000)
        await profile.grant_permissions(["clipboard-read", "clipboard-write"])
        yield profile
        await browser.close()


@pytest.fixture(scope="session")
def kernelspecs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for `JUPYTER_PATH` that describes the kernels beside the locked one."""
    return write_kernelspecs(tmp_path_factory.mktemp("kernelspecs"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab_server(tmp_path_factory: pytest.TempPathFactory, kernelspecs: Path) -> AsyncIterator[JupyterServer]:
    """The run's JupyterLab."""
    async with serve("lab", tmp_path_factory.mktemp("lab"), kernelspecs) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def notebook7_server(tmp_path_factory: pytest.TempPathFactory, kernelspecs: Path) -> AsyncIterator[JupyterServer]:
    """The run's Notebook 7."""
    async with serve("notebook7", tmp_path_factory.mktemp("notebook7"), kernelspecs) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def lab(
    context: BrowserContext, lab_server: JupyterServer, request: pytest.FixtureRequest
) -> AsyncIterator[FrontEndUnderTest]:
    """JupyterLab, for notebooks that live as long as the test."""
    front_end = FrontEndUnderTest(context, lab_server, request.node.name)
    yield front_end
    await front_end.close(failed=FAILED in request.node.stash)


@pytest_asyncio.fixture(loop_scope="session")
async def notebook7(
    context: BrowserContext, notebook7_server: JupyterServer, request: pytest.FixtureRequest
) -> AsyncIterator[FrontEndUnderTest]:
    """Notebook 7, for notebooks that live as long as the test."""
    front_end = FrontEndUnderTest(context, notebook7_server, request.node.name)
    yield front_end
    await front_end.close(failed=FAILED in request.node.stash)


@pytest.fixture(params=["lab", "notebook7"])
def front_end(request: pytest.FixtureRequest) -> FrontEndUnderTest:
    """Both front ends, one after the other, for what must work in each."""
    name: FrontEnd = request.param
    found: FrontEndUnderTest = request.getfixturevalue(name)
    return found
