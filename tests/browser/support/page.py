"""A notebook that is open in a real front end, as the tests see and drive it."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.async_api import ConsoleMessage, Error, Locator, Page

from tests.browser.support.server import JupyterServer

ARTEFACTS = Path(__file__).parents[3] / ".artefacts"

PATIENCE = 100.0
"""Seconds that JupyterLab may take for one thing it was told. Without an end nobody would learn what it hung at."""

KNOWN_ERRORS = (
    "Cannot read properties of undefined (reading 'schema')",  # Notebook 7.6 itself, at each start, without ValeChat
)

# Both front ends expose their application under this name; the notebook need not be the current tab.
_PANEL = """
const app = window.jupyterapp;
const panel = [...(app?.shell.widgets("main") ?? [])].find((w) => w.sessionContext && w.content?.model?.sharedModel);
"""

_OPEN_HERE = """async (name) => {
    const opened = await window.jupyterapp.commands.execute("docmanager:open", {path: name});
    for (const other of [...window.jupyterapp.shell.widgets("main")]) if (other !== opened) other.dispose();
}"""

_LEAVE = """() => {
    for (const widget of [...window.jupyterapp.shell.widgets("main")]) widget.dispose();
    return document.querySelector(".jp-Dialog, .Toastify__toast") === null;
}"""

_OPENED = f"""() => {{ {_PANEL}
    return Boolean(panel?.isAttached && panel.context.isReady && panel.sessionContext.isReady);
}}"""

_IDLE = f"""() => {{ {_PANEL}
    const kernel = panel?.sessionContext.session?.kernel;
    return kernel?.connectionStatus === "connected" && kernel.status === "idle"
        && panel.content.widgets.every((cell) => (cell.model.executionState ?? "idle") === "idle");
}}"""


def write_notebook(path: Path, cells: Sequence[str], kernel: str) -> None:
    """A new notebook of code cells on disk."""
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": kernel, "display_name": kernel, "language": "python"}},
    )
    nbformat.write(notebook, path)


class NotebookPage:
    """One notebook in one browser tab; cells are counted from 0.

    Attributes:
        page: Playwright's page, for everything that a person does with mouse and keyboard.
        server: Where the notebook lives.
        path: The notebook's file.
        errors: The console's errors and uncaught exceptions, less the front end's own `KNOWN_ERRORS`.
        alone: Whether no other notebook may be opened in the page after this one.
    """

    def __init__(self, page: Page, server: JupyterServer, path: Path, *, alone: bool = False) -> None:
        self.page = page
        self.server = server
        self.path = path
        self.errors: list[str] = []
        self.alone = alone
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    async def open(self) -> None:
        """Load the page, or open the notebook in the one that is loaded, and wait until the kernel is idle."""
        if self.page.url == "about:blank":
            await self.page.goto(self.server.notebook_url(self.path.name))
        else:
            await self._done(_OPEN_HERE, self.path.name)
        await self.wait_until_open()

    async def leave(self) -> bool:
        """Close the notebook, unsaved; whether another may be opened in the page."""
        if self.alone or self.errors:
            return False
        self.page.remove_listener("console", self._on_console)
        self.page.remove_listener("pageerror", self._on_error)
        is_clean: bool = await self.page.evaluate(_LEAVE)
        return is_clean

    async def reload(self) -> None:
        """As the browser's reload button, with this notebook alone in the page; the kernel goes on."""
        self.alone = True
        await self.page.goto(self.server.notebook_url(self.path.name))
        await self.wait_until_open()

    async def wait_until_open(self) -> None:
        """Until the notebook is drawn and its kernel answers."""
        await self.page.wait_for_function(_OPENED, timeout=60_000)
        await self.wait_idle()

    async def wait_idle(self, timeout: float = 60) -> None:
        """Until the kernel is connected and idle, and every cell has its outputs; `timeout` in seconds."""
        await self.page.wait_for_function(_IDLE, timeout=timeout * 1000)

    async def run(self, cell: int, *, wait: bool = True) -> None:
        """Run a cell as Ctrl+Enter does, and wait until it has ended unless told otherwise."""
        ran = "await done;" if wait else ""
        await self._in_panel(
            f"""panel.content.deselectAll();
            panel.content.activeCellIndex = argument;
            const done = app.commands.execute("notebook:run-cell"); {ran}""",
            cell,
        )

    async def run_all(self) -> None:
        """Every cell, from the top."""
        await self._in_panel("""await app.commands.execute("notebook:run-all-cells");""")

    async def add(self, source: str) -> int:
        """Append a code cell, and give its number."""
        index: int = await self._in_panel(
            """const shared = panel.content.model.sharedModel;
            shared.insertCell(shared.cells.length, {cell_type: "code", source: argument});
            return shared.cells.length - 1;""",
            source,
        )
        return index

    async def source(self, cell: int) -> str:
        """What stands in a cell."""
        text: str = await self._in_panel("return panel.content.model.sharedModel.cells[argument].source;", cell)
        return text

    async def outputs(self, cell: int) -> list[dict[str, Any]]:
        """A cell's outputs as the notebook's file would hold them."""
        outputs: list[dict[str, Any]] = await self._in_panel(
            "return panel.content.widgets[argument].model.outputs.toJSON();", cell
        )
        return outputs

    async def text(self, cell: int) -> str:
        """A cell's outputs as plain text, an error as `Name: message`."""
        return "".join(_plain(output) for output in await self.outputs(cell))

    async def run_until(self, cell: int, text: str, within: float = 10) -> None:
        """Run a cell again and again until its outputs are this text, for what a kernel learns beside its cells."""
        deadline = time.monotonic() + within
        await self.run(cell)
        while (found := await self.text(cell)) != text:
            assert time.monotonic() < deadline, f"{found!r}, and not {text!r}, after {within} s"
            await self.run(cell)

    def cell(self, cell: int) -> Locator:
        """The cell on the page."""
        return self.page.locator(f'.jp-Notebook [data-windowed-list-index="{cell}"]')

    def output(self, cell: int) -> Locator:
        """The cell's output area on the page."""
        return self.cell(cell).locator(".jp-OutputArea-output").first

    async def save(self) -> nbformat.NotebookNode:
        """Save, and give what the file now holds."""
        await self._in_panel("await panel.context.save();")
        saved: nbformat.NotebookNode = nbformat.read(self.path, as_version=4)
        return saved

    async def restart_kernel(self) -> None:
        """A new kernel under the same notebook; its outputs stay."""
        await self._in_panel("await panel.sessionContext.restartKernel();")
        await self.wait_idle()

    async def interrupt_kernel(self) -> None:
        """As the stop button."""
        await self._in_panel("await panel.sessionContext.session.kernel.interrupt();")

    async def set_theme(self, theme: Literal["Light", "Dark"]) -> None:
        """Change the front end's theme, and wait until its colours are there."""
        self.alone = True
        await self._in_panel(
            """await app.commands.execute("apputils:change-theme", {theme: `JupyterLab ${argument}`});""", theme
        )
        light = str(theme == "Light").lower()
        await self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")
        # JupyterLab fades a splash out; another change meanwhile would make it remove that splash twice.
        await self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    async def screenshot(self, name: str) -> Path:
        """A picture of the whole window under `.artefacts/`."""
        ARTEFACTS.mkdir(exist_ok=True)
        picture = ARTEFACTS / f"{name}.png"
        await self.page.screenshot(path=picture)
        return picture

    async def _in_panel(self, body: str, argument: object = None) -> Any:
        """Run JavaScript that sees `app`, `panel` and `argument`."""
        return await self._done(f"async (argument) => {{ {_PANEL} {body} }}", argument)

    async def _done(self, script: str, argument: object) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.page.evaluate(script, argument)
        except TimeoutError:
            shown = await self.page.locator("body").inner_text(timeout=10_000)
            raise AssertionError(f"not done after {PATIENCE:.0f} s: {script}\n{self.errors}\n{shown}") from None

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(message.text)

    def _on_error(self, error: Error) -> None:
        self._note(error.stack or error.message)

    def _note(self, error: str) -> None:
        if not any(known in error for known in KNOWN_ERRORS):
            self.errors.append(error)


def _plain(output: dict[str, Any]) -> str:
    match output["output_type"]:
        case "stream":
            text = output["text"]
        case "error":
            text = f"{output['ename']}: {output['evalue']}"
        case _:
            text = output["data"].get("text/plain", "")
    return text if isinstance(text, str) else "".join(text)
