/**
 * Runs a cell that was just inserted, by the front end's own command, so that prompts, outputs, input and shortcuts are
 * those of any cell. JupyterLab and Notebook 7 run a command when something with `data-commandlinker-command` is clicked
 * (`CommandLinker` of @jupyterlab/apputils); it runs the active cell, so the cell is made active first. Where any of this
 * is otherwise, nothing runs and the cell stays as it was inserted.
 */

const COMMAND = "notebook:run-cell";

/** Frames to wait for the inserted cell to be drawn. */
const PATIENCE = 60;

/** Whether the front end around an element may run cells. */
export function canRun(el: Element): boolean {
  return notebookOf(el) !== null;
}

/** Runs the cell at an index of the notebook that `el` belongs to, when it is drawn with this text. Tells whether it could. */
export async function runCell(el: Element, index: number, code: string): Promise<boolean> {
  for (let frame = 0; frame < PATIENCE; frame += 1) {
    await new Promise((done) => requestAnimationFrame(done));
    const cell = notebookOf(el)?.querySelector<HTMLElement>(`.jp-CodeCell[data-windowed-list-index="${index}"]`);
    if (!cell || !shows(cell, code)) continue;
    cell.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    if (!cell.classList.contains("jp-mod-active")) return false;
    const link = document.createElement("a");
    link.setAttribute("data-commandlinker-command", COMMAND);
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    return true;
  }
  return false;
}

/** The notebook around an element, or the one in sight beside it. */
function notebookOf(el: Element): Element | null {
  return el.closest(".jp-Notebook") ?? document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook");
}

/** Whether a cell is the one with this text: another may have come in between. */
function shows(cell: Element, code: string): boolean {
  const drawn = [...cell.querySelectorAll(".cm-content .cm-line")].map((line) => line.textContent ?? "");
  const lines = code.split("\n");
  // An editor draws the beginning of a long text.
  return drawn.length > 0 && drawn.slice(0, 5).every((line, i) => line.trimEnd() === (lines[i] ?? "").trimEnd());
}
