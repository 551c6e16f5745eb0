/**
 * What the panel can do with the notebook around it, found by looking: JupyterLab and Notebook 7 give a
 * widget its document (`widget_manager.context`), other hosts do not, and then these functions say so.
 */
import { canRun, runCell } from "./branches/running";
import type { SavedTranscript } from "./protocol";
import type { CellInserter } from "./render/code";

/** The part of an anywidget model that the panel uses. */
export interface PanelModel {
  get(name: string): unknown;
  on(name: string, callback: (...args: never[]) => void): void;
  off(name: string | null, callback?: ((...args: never[]) => void) | null): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): unknown;
  readonly widget_manager?: unknown;
}

interface SharedNotebook {
  readonly cells: readonly unknown[];
  insertCell(index: number, cell: { cell_type: string; source: string; metadata: object }): unknown;
  getMetadata?(name: string): unknown;
}

interface Signal {
  connect(slot: (sender: unknown, value: unknown) => void): unknown;
  disconnect(slot: (sender: unknown, value: unknown) => void): unknown;
}

/** What happened on the way to the kernel. */
export type KernelEvent = "back" | "lost" | "gone";

const GONE = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/** A property chain of a foreign object; undefined where any part is missing or refuses. */
function at(object: unknown, ...path: string[]): unknown {
  let value = object;
  try {
    for (const name of path) value = (value as Record<string, unknown> | null | undefined)?.[name];
  } catch {
    // A host may guard its stand-in for a widget manager with getters that throw.
    return undefined;
  }
  return value;
}

function isSignal(value: unknown): value is Signal {
  return typeof at(value, "connect") === "function" && typeof at(value, "disconnect") === "function";
}

/** Tells what happens to the kernel's connection, where the host says so. Returns the way to stop. */
export function watchKernel(model: PanelModel, tell: (event: KernelEvent) => void): () => void {
  const manager = at(model, "widget_manager");
  const session = at(manager, "context", "sessionContext") ?? at(manager, "kernel");
  const slots: [unknown, (sender: unknown, value: unknown) => void][] = [
    // The manager has restored its widgets after a reconnection: messages may have been missed.
    [at(manager, "restored"), () => tell("back")],
    [
      at(session, "connectionStatusChanged"),
      (_, status) => {
        if (status === "connecting" || status === "disconnected") tell("lost");
        if (status === "connected") tell("back");
      },
    ],
    [at(session, "statusChanged"), (_, status) => GONE.has(String(status)) && tell("gone")],
    [
      at(session, "kernelChanged"),
      (_, change) => {
        const [before, after] = [at(change, "oldValue", "id"), at(change, "newValue", "id")];
        if (before !== undefined && before !== after) tell("gone");
      },
    ],
  ];
  const connected = slots.filter(([signal]) => isSignal(signal)) as [Signal, Signal["connect"] extends (s: infer S) => unknown ? S : never][];
  for (const [signal, slot] of connected) signal.connect(slot);
  return () => {
    for (const [signal, slot] of connected) signal.disconnect(slot);
  };
}

/** Saves the notebook, where the host lets a widget do so. False where it does not. */
export function saveNotebook(model: PanelModel): boolean {
  const context = at(model, "widget_manager", "context") as { save?: () => Promise<void> } | undefined;
  if (typeof at(context, "save") !== "function") return false;
  void context?.save?.();
  return true;
}

/** The outputs of a cell as JupyterLab and Notebook 7 hold them. */
interface Outputs {
  readonly length: number;
  get(index: number): unknown;
  set(index: number, output: object): void;
}

/**
 * Puts a transcript in the place of the one with its id, wherever in the notebook that stands. The
 * kernel's display updates find no cell any more once the page was reloaded.
 */
export function keepTranscript(model: PanelModel, transcript: SavedTranscript): void {
  const cells = at(model, "widget_manager", "context", "model", "cells") as { length: number; get(i: number): unknown };
  if (typeof at(cells, "get") !== "function") return;
  const data = {
    "text/html": transcript.html,
    "text/markdown": transcript.markdown,
    "text/plain": transcript.text,
  };
  for (let i = 0; i < cells.length; i += 1) {
    const outputs = at(cells.get(i), "outputs") as Outputs;
    if (typeof at(outputs, "set") !== "function") continue;
    for (let j = 0; j < outputs.length; j += 1) {
      const old = at(outputs.get(j), "data", "text/html");
      if (!String(old ?? "").includes(`data-vc="${transcript.id}"`) || old === transcript.html) continue;
      outputs.set(j, { output_type: "display_data", data, metadata: {} });
    }
  }
}

/** Inserting below the panel's cell, or null where the host has no notebook to insert into. */
export function cellInserter(model: PanelModel, el: Element): CellInserter | null {
  const shared = at(model, "widget_manager", "context", "model", "sharedModel");
  if (typeof at(shared, "insertCell") !== "function" || !Array.isArray(at(shared, "cells"))) return null;
  return new NotebookCells(shared as SharedNotebook, el);
}

/** The notebook's file name; empty where the host does not tell. */
export function notebookName(model: PanelModel): string {
  const path = at(model, "widget_manager", "context", "path");
  return typeof path === "string" ? (path.split("/").at(-1) ?? "") : "";
}

/** What tells this notebook from the others of this origin; empty where the host does not tell. */
export function notebookPlace(model: PanelModel): string {
  const path = at(model, "widget_manager", "context", "path");
  // On a hub the servers of several users and projects have one origin.
  const [server = ""] = (globalThis.location?.pathname ?? "").split(/\/(?:lab|doc|notebooks|tree)(?:\/|$)/);
  return typeof path === "string" ? `${server}|${path}` : "";
}

/** Languages that stand for "this notebook's own". */
const OWN = /^(|i?python3?|py|pycon)$/;

class NotebookCells implements CellInserter {
  private last: unknown;

  constructor(
    private readonly notebook: SharedNotebook,
    private readonly el: Element,
  ) {}

  accepts(language: string): boolean {
    return language === "markdown" || language === "md" || language === this.language() || this.isOwn(language);
  }

  runs(language: string): boolean {
    return language !== "markdown" && language !== "md" && this.accepts(language) && canRun(this.el);
  }

  run(code: string, language: string): boolean {
    const index = this.index();
    return this.insert(code, language) && runCell(this.el, index);
  }

  insert(code: string, language: string): boolean {
    const cell_type = language === "markdown" || language === "md" ? "markdown" : "code";
    this.last = this.notebook.insertCell(this.index(), { cell_type, source: code, metadata: {} });
    return true;
  }

  private isOwn(language: string): boolean {
    return this.language() === "python" ? OWN.test(language) : language === "";
  }

  private language(): string {
    const info = this.notebook.getMetadata?.("language_info") ?? {};
    const spec = this.notebook.getMetadata?.("kernelspec") ?? {};
    return String(at(info, "name") ?? at(spec, "language") ?? "python").toLowerCase();
  }

  /** Below the cell inserted last, so that blocks clicked in turn stand in that order. */
  private index(): number {
    const after = this.last === undefined ? -1 : this.notebook.cells.indexOf(this.last);
    if (after >= 0) return after + 1;
    // Beside the notebook there is no cell around: the user is at the active one.
    const active = at(this.el.closest(".vc-docked"), "valechatCell");
    const docked: unknown = typeof active === "function" ? active() : undefined;
    if (typeof docked === "number" && docked >= 0) return docked + 1;
    const cell = this.el.closest(".jp-Cell");
    const listed = Number.parseInt(cell?.getAttribute("data-windowed-list-index") ?? "", 10);
    if (Number.isInteger(listed)) return listed + 1;
    const siblings = cell?.parentElement?.querySelectorAll(":scope > .jp-Cell") ?? [];
    const place = cell ? [...siblings].indexOf(cell) : -1;
    return place >= 0 ? place + 1 : this.notebook.cells.length;
  }
}
