/**
 * Runs a cell that was just inserted. A widget cannot reach the front end's commands; the extension that comes in the same
 * wheel can, and answers to an event. Where it is not there nothing can run, and no button says so.
 */
import { RUN, type RunAsked } from "../dock/runs";

/** Whether the front end around an element runs cells for it. */
export function canRun(el: Element): boolean {
  return answered({ within: notebookOf(el) });
}

/** Runs the cell at an index of the notebook that `el` belongs to. Tells whether it could. */
export function runCell(el: Element, index: number): boolean {
  return answered({ index, within: notebookOf(el) });
}

function answered(detail: RunAsked): boolean {
  return !document.body.dispatchEvent(new CustomEvent<RunAsked>(RUN, { cancelable: true, detail }));
}

function notebookOf(el: Element): Element | null {
  return el.closest(".jp-Notebook");
}
