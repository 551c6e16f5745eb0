/** The side panel: the chat of whichever notebook is in front, or a sentence that says why there is none. */
import { askForPanel } from "./ask";
import type { Notebook, Panel, Tracker, Widget } from "./lab";
import { strings } from "./strings";

const MIME = "application/vnd.jupyter.widget-view+json";

const RESTARTING = new Set(["restarting", "autorestarting"]);
const GONE = new Set([...RESTARTING, "terminating", "dead"]);

/** The chat beside one notebook: for which kernel, and its widget once it is there. */
interface Beside {
  kernel: string;
  asking: boolean;
  widget: Widget | null;
  problem: string;
  code: string;
}

export class Dock {
  private readonly said = document.createElement("div");
  private readonly chats = new Map<Notebook, Beside>();

  constructor(
    readonly panel: Panel,
    private readonly tracker: Tracker,
    private readonly create: () => void = () => undefined,
  ) {
    panel.id = "valechat-dock";
    panel.addClass("vc-docked");
    this.said.className = "vc-dock-said";
    this.said.setAttribute("role", "status");
    panel.node.append(this.said);
    // Code goes below the cell the user is at, not to the notebook's end.
    Object.assign(panel.node, { valechatCell: () => tracker.currentWidget?.content.activeCellIndex });
    tracker.currentChanged.connect(() => this.follow());
  }

  /** Shows what belongs beside the notebook in front. Does nothing while nobody sees it. */
  follow(): void {
    if (!this.panel.isVisible) return;
    const notebook = this.tracker.currentWidget;
    for (const [other, beside] of this.chats) if (other !== notebook) beside.widget?.hide();
    if (notebook === null) {
      this.say(strings.noNotebook, "", [strings.newNotebook, this.create]);
      return;
    }
    const beside = this.beside(notebook);
    const kernel = notebook.sessionContext.session?.kernel ?? null;
    if (kernel === null) {
      this.forget(beside);
      this.say(notebook.sessionContext.isReady ? strings.noKernel : strings.starting);
    } else if (GONE.has(kernel.status)) {
      this.forget(beside);
      this.say(RESTARTING.has(kernel.status) ? strings.restarting : strings.dead);
    } else if (beside.kernel === kernel.id && beside.widget !== null) {
      this.say("");
      beside.widget.show();
    } else if (beside.kernel === kernel.id && beside.problem !== "") {
      this.say(beside.problem, beside.code, beside.code === "" ? undefined : [strings.again, () => this.again()]);
    } else {
      this.say(kernel.status === "busy" ? strings.busy : strings.starting);
      if (!beside.asking) void this.open(notebook, beside);
    }
  }

  private beside(notebook: Notebook): Beside {
    const known = this.chats.get(notebook);
    if (known) return known;
    const beside: Beside = { kernel: "", asking: false, widget: null, problem: "", code: "" };
    this.chats.set(notebook, beside);
    const { sessionContext } = notebook;
    sessionContext.kernelChanged.connect(() => {
      this.forget(beside);
      this.follow();
    });
    sessionContext.statusChanged.connect((_, status) => {
      if (GONE.has(status)) this.forget(beside);
      if (notebook === this.tracker.currentWidget) this.follow();
    });
    notebook.disposed.connect(() => {
      this.forget(beside);
      this.chats.delete(notebook);
      this.follow();
    });
    return beside;
  }

  private async open(notebook: Notebook, beside: Beside): Promise<void> {
    const kernel = notebook.sessionContext.session?.kernel;
    if (!kernel) return;
    beside.asking = true;
    beside.kernel = kernel.id;
    try {
      const asked = await askForPanel(kernel);
      if (beside.kernel !== kernel.id || notebook.isDisposed) return;
      if ("id" in asked) beside.widget = this.drawn(notebook, asked.id);
      else Object.assign(beside, { problem: asked.problem, code: asked.code ?? "" });
    } catch (error) {
      // A kernel that restarts meanwhile cancels the question; its status tells the rest.
      if (beside.kernel === kernel.id) beside.problem = strings.failed(String(error instanceof Error ? error.message : error));
    } finally {
      beside.asking = false;
      this.follow();
    }
  }

  /** The panel's widget, drawn as the notebook draws it in an output: by its own widget manager. */
  private drawn(notebook: Notebook, id: string): Widget {
    const { rendermime } = notebook.content;
    if (!rendermime.mimeTypes.includes(MIME)) throw new Error(strings.noWidgets);
    const renderer = rendermime.createRenderer(MIME);
    const data = { [MIME]: { model_id: id, version_major: 2, version_minor: 0 } };
    this.panel.addWidget(renderer);
    void renderer.renderModel(rendermime.createModel({ data, trusted: true }));
    return renderer;
  }

  private forget(beside: Beside): void {
    beside.widget?.dispose();
    Object.assign(beside, { kernel: "", widget: null, problem: "", code: "" });
  }

  /** Says why there is no chat, with code that would help, and what a button would do. */
  private say(text: string, code = "", [label, act]: [string, () => void] = ["", () => undefined]): void {
    this.said.hidden = text === "";
    const line = document.createElement("p");
    line.textContent = text;
    this.said.replaceChildren(line);
    if (code !== "") {
      const command = document.createElement("pre");
      command.textContent = code;
      this.said.append(command);
    }
    if (label === "") return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    this.said.append(button);
  }

  private again(): void {
    const notebook = this.tracker.currentWidget;
    if (notebook) this.forget(this.beside(notebook));
    this.follow();
  }
}
