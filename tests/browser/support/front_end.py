"""A front end as a test has it: opens notebooks, and leaves none behind."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.async_api import BrowserContext, Page, ViewportSize

from tests.browser.support.kernels import LOCKED, OLDER, OLDER_FOLDER
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.server import JupyterServer

VIEWPORT: ViewportSize = {"width": 1280, "height": 900}


def missing(what: str) -> NoReturn:
    """Skip, but not in CI: there a test that did not run would look like one that passed."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)  # plain pytest must work where nothing may be installed


class Pages:
    """Pages of a front end that another test may use: JupyterLab takes five times as long to load as a notebook."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._spare: list[Page] = []

    async def take(self, *, new: bool) -> Page:
        """A page without a notebook."""
        return await self._context.new_page() if new or not self._spare else self._spare.pop()

    async def give(self, notebook: NotebookPage, *, failed: bool) -> None:
        """Keep the page of a notebook for another, or close it."""
        one_each = notebook.server.front_end == "notebook7"
        if failed or one_each or notebook.page.is_closed() or not await notebook.leave():
            await notebook.page.close()
            return
        await notebook.page.set_viewport_size(VIEWPORT)
        self._spare.append(notebook.page)


class FrontEndUnderTest:
    """Opens notebooks in one front end, and closes them with their kernels."""

    def __init__(self, pages: Pages, server: JupyterServer, name: str) -> None:
        self.server = server
        self.pages: list[NotebookPage] = []
        self._pages = pages
        self._name = re.sub(r"\W+", "-", name).strip("-")

    async def open(
        self, cells: Sequence[str], *, kernel: str = LOCKED, home: Path | None = None, alone: bool = False
    ) -> NotebookPage:
        """Open a new notebook whose kernel is idle.

        Args:
            cells: The sources of its code cells.
            kernel: A kernelspec's name: `LOCKED` or `OLDER` of `support.kernels`.
            home: ValeChat's folder for this notebook, where it shall not share the server's; an extra
                first cell sets it, already run.
            alone: In a page that no other test had or will have, for what is looked for in all that a page does.
        """
        if kernel == OLDER and not OLDER_FOLDER.is_dir():
            missing(f"{OLDER} is not installed: `make .cache/{OLDER}/.ready`")
        first = [] if home is None else [f"import os; os.environ['VALECHAT_HOME'] = {str(home)!r}"]
        path = self.server.root / f"{self._name}-{len(self.pages)}.ipynb"
        write_notebook(path, [*first, *cells], kernel)
        notebook = NotebookPage(await self._pages.take(new=alone), self.server, path, alone=alone)
        self.pages.append(notebook)
        await notebook.open()
        if home is not None:
            await notebook.run(0)
        return notebook

    async def close(self, *, failed: bool) -> None:
        """Close every notebook and its kernel, and forget every setting.

        Of a failed test a picture and the console's errors stay in `.artefacts/`.
        """
        for number, notebook in enumerate(self.pages):
            if failed:
                picture = await notebook.screenshot(f"failed-{self._name}-{number}")
                picture.with_suffix(".log").write_text("\n".join(notebook.errors))
            await self._pages.give(notebook, failed=failed)
        sessions = self.server.call("GET", "sessions")
        assert isinstance(sessions, list)
        for session in sessions:
            self.server.call("DELETE", f"sessions/{session['id']}")
        shutil.rmtree(self.server.settings, ignore_errors=True)
