"""A front end as a test has it: opens notebooks, and leaves none behind."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.async_api import BrowserContext

from tests.browser.support.kernels import LOCKED, OLDER, OLDER_FOLDER
from tests.browser.support.page import NotebookPage, write_notebook
from tests.browser.support.server import JupyterServer


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
        """Close every notebook and its kernel, and forget every setting.

        Of a failed test a picture and the console's errors stay in `.artefacts/`.
        """
        for number, notebook in enumerate(self.pages):
            if failed:
                picture = await notebook.screenshot(f"failed-{self._name}-{number}")
                picture.with_suffix(".log").write_text("\n".join(notebook.errors))
            await notebook.page.close()
        sessions = self.server.call("GET", "sessions")
        assert isinstance(sessions, list)
        for session in sessions:
            self.server.call("DELETE", f"sessions/{session['id']}")
        shutil.rmtree(self.server.settings, ignore_errors=True)
