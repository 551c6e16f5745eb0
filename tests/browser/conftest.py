"""One real JupyterLab, one real Notebook 7 and one real Chromium for the whole run."""

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, async_playwright

from tests.browser.support import chromium
from tests.browser.support.front_end import VIEWPORT, FrontEndUnderTest, Pages, missing
from tests.browser.support.kernels import write_kernelspecs
from tests.browser.support.server import FrontEnd, JupyterServer, serve

HERE = Path(__file__).parent
BROWSER_SECONDS = 240
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser, servers and tests share one event loop, or a page could not be used where it was not opened."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(BROWSER_SECONDS))
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the fixtures can take a picture of it."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive; without one the browser tests are skipped, but never in CI."""
    return chromium.find() or missing(chromium.HOW_TO_GET)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def context(chromium_path: str) -> AsyncIterator[BrowserContext]:
    """One browser profile for the run, so that a front end's files are fetched once."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=list(chromium.SWITCHES))
        profile = await browser.new_context(viewport=VIEWPORT, locale="en-US")
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pages(context: BrowserContext) -> Pages:
    """What is loaded of JupyterLab."""
    return Pages(context)


@pytest_asyncio.fixture(loop_scope="session")
async def lab(
    pages: Pages, lab_server: JupyterServer, request: pytest.FixtureRequest
) -> AsyncIterator[FrontEndUnderTest]:
    """JupyterLab, for notebooks that live as long as the test."""
    front_end = FrontEndUnderTest(pages, lab_server, request.node.name)
    yield front_end
    await front_end.close(failed=FAILED in request.node.stash)


@pytest_asyncio.fixture(loop_scope="session")
async def notebook7(
    context: BrowserContext, notebook7_server: JupyterServer, request: pytest.FixtureRequest
) -> AsyncIterator[FrontEndUnderTest]:
    """Notebook 7, for notebooks that live as long as the test."""
    front_end = FrontEndUnderTest(Pages(context), notebook7_server, request.node.name)
    yield front_end
    await front_end.close(failed=FAILED in request.node.stash)


@pytest.fixture(params=["lab", "notebook7"])
def front_end(request: pytest.FixtureRequest) -> FrontEndUnderTest:
    """Both front ends, one after the other, for what must work in each."""
    name: FrontEnd = request.param
    found: FrontEndUnderTest = request.getfixturevalue(name)
    return found
