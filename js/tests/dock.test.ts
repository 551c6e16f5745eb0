import { beforeEach, describe, expect, it, vi } from "vitest";

import { Dock } from "../src/dock/dock";
import type { Evaluated, Kernel, Panel, Tracker } from "../src/dock/lab";
import { plugin } from "../src/dock/plugin";
import { Signal } from "./host";

/** A widget as Lumino makes it, as far as the side panel knows. */
class Widget {
  id = "";
  readonly node = document.createElement("div");
  readonly title: Record<string, unknown> = { label: "", caption: "" };
  readonly disposed = new Signal();
  readonly widgets: Widget[] = [];
  isVisible = true;
  isDisposed = false;
  parent = null;
  addClass(name: string): void {
    this.node.classList.add(name);
  }
  addWidget(widget: Widget): void {
    this.widgets.push(widget);
    this.node.append(widget.node);
  }
  fit(): void {}
  show(): void {
    this.node.hidden = false;
  }
  hide(): void {
    this.node.hidden = true;
  }
  dispose(): void {
    this.isDisposed = true;
    this.node.remove();
    this.disposed.emit(null);
  }
}

function kernel(answer: () => Promise<Evaluated>, parts: Partial<Kernel> = {}) {
  const requestExecute = vi.fn(() => ({
    done: answer().then((panel) => ({ content: { user_expressions: { panel } } })),
  }));
  const info = Promise.resolve({ language_info: { name: "python" } });
  return { id: "k1", status: "idle", info, ...parts, requestExecute };
}

const found = (id: string) => async (): Promise<Evaluated> => ({ status: "ok", data: { "text/plain": `'${id}'` } });

function notebook(own: Kernel | null) {
  const rendered: unknown[] = [];
  const sessionContext = {
    isReady: true,
    session: { kernel: own },
    statusChanged: new Signal(),
    kernelChanged: new Signal(),
  };
  const content = {
    activeCellIndex: 2,
    rendermime: {
      mimeTypes: ["application/vnd.jupyter.widget-view+json"],
      createRenderer: () => Object.assign(new Widget(), { renderModel: async (model: unknown) => void rendered.push(model) }),
      createModel: (options: object) => options,
    },
  };
  return Object.assign(new Widget(), { sessionContext, content, rendered });
}

let tracker: { currentWidget: ReturnType<typeof notebook> | null; currentChanged: Signal };
let panel: Widget;
let dock: Dock;

beforeEach(() => {
  tracker = { currentWidget: null, currentChanged: new Signal() };
  panel = new Widget();
  dock = new Dock(panel as unknown as Panel, tracker as unknown as Tracker);
});

async function front(shown: ReturnType<typeof notebook> | null): Promise<void> {
  tracker.currentWidget = shown;
  tracker.currentChanged.emit(shown);
  await settled();
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

const said = () => (panel.node.querySelector(".vc-dock-said:not([hidden])") as HTMLElement | null)?.textContent ?? "";

describe("the panel beside the notebook", () => {
  it("is drawn by the notebook's own widget manager, and asks the kernel once, silently", async () => {
    const own = kernel(found("ab12"));
    const one = notebook(own);
    await front(one);
    dock.follow();
    await settled();
    expect(said()).toBe("");
    expect(one.rendered).toHaveLength(1);
    expect(JSON.stringify(one.rendered[0])).toContain('"model_id":"ab12"');
    expect(own.requestExecute).toHaveBeenCalledTimes(1);
    expect(own.requestExecute).toHaveBeenCalledWith(expect.objectContaining({ code: "", silent: true, store_history: false }));
  });

  it("asks nothing while nobody sees it", async () => {
    panel.isVisible = false;
    const own = kernel(found("ab"));
    await front(notebook(own));
    expect(own.requestExecute).not.toHaveBeenCalled();
  });

  it("shows the chat of the notebook in front and keeps the others", async () => {
    const [one, two] = [notebook(kernel(found("a1"))), notebook(kernel(found("b2"), { id: "k2" }))];
    await front(one);
    await front(two);
    expect(panel.widgets.map((widget) => widget.node.hidden)).toEqual([true, false]);
    await front(one);
    expect(panel.widgets.map((widget) => widget.node.hidden)).toEqual([false, true]);
  });

  it("opens anew when the kernel has restarted", async () => {
    const own = kernel(found("a1"));
    const one = notebook(own);
    await front(one);
    own.status = "restarting";
    one.sessionContext.statusChanged.emit("restarting");
    expect(said()).toContain("restarts");
    expect(panel.widgets[0]?.isDisposed).toBe(true);
    own.status = "idle";
    one.sessionContext.statusChanged.emit("idle");
    await settled();
    expect(own.requestExecute).toHaveBeenCalledTimes(2);
    expect(said()).toBe("");
  });

  it.each([
    ["no notebook", () => null, "Open a notebook"],
    ["no kernel", () => notebook(null), "has no kernel"],
    ["a dead kernel", () => notebook(kernel(found("a"), { status: "dead" })), "has died"],
    ["a kernel of another language", () => notebook(kernel(found("a"), { info: Promise.resolve({ language_info: { name: "R" } }) })), "speaks R"],
    ["an error in the kernel", () => notebook(kernel(async () => ({ status: "error", ename: "OSError", evalue: "disk" }))), "OSError: disk"],
    ["a question that is cancelled", () => notebook(kernel(() => Promise.reject(new Error("Canceled")))), "Canceled"],
  ])("says in words that there is %s", async (_, make, words) => {
    await front(make() as ReturnType<typeof notebook> | null);
    dock.follow();
    await settled();
    expect(said()).toContain(words);
  });

  it("tells how to install ValeChat where the kernel has none, and tries again on request", async () => {
    let answer: Evaluated = { status: "error", ename: "ModuleNotFoundError", evalue: "No module named 'valechat'" };
    await front(notebook(kernel(async () => answer)));
    expect(said()).toContain("%pip install valechat");
    answer = { status: "ok", data: { "text/plain": "'ab'" } };
    panel.node.querySelector("button")?.click();
    await settled();
    expect(said()).toBe("");
  });

  it("says that the kernel is busy while a cell runs", async () => {
    await front(notebook(kernel(() => new Promise(() => undefined), { status: "busy" })));
    expect(said()).toContain("A cell is running");
  });

  it("forgets a notebook that was closed", async () => {
    const one = notebook(kernel(found("a1")));
    await front(one);
    tracker.currentWidget = null;
    one.dispose();
    expect(said()).toContain("Open a notebook");
    expect(panel.widgets[0]?.isDisposed).toBe(true);
  });

  it("tells where the user is in the notebook, for code that is inserted", async () => {
    await front(notebook(null));
    expect((panel.node as unknown as { valechatCell(): number }).valechatCell()).toBe(2);
  });
});

interface Made {
  requires: unknown[];
  optional: unknown[];
  activate(...services: unknown[]): void;
}

async function made(modules: Record<string, Record<string, unknown>>): Promise<Made> {
  const needed = { "@lumino/widgets": { Panel: Widget }, "@jupyterlab/notebook": { INotebookTracker: "tracker" } };
  const all: Record<string, Record<string, unknown>> = { ...needed, ...modules };
  return (await plugin(async (name) => all[name] ?? null)) as Made;
}

function application(...commands: string[]) {
  const hasCommand = (id: string) => commands.includes(id);
  return { commands: { addCommand: vi.fn(), execute: vi.fn(), hasCommand }, shell: { add: vi.fn(), activateById: vi.fn() } };
}

interface Command {
  execute(): void;
  label(args?: object): string;
  icon(args?: object): unknown;
}

it("is a plugin of JupyterLab that needs a notebook tracker alone", async () => {
  const extension = await made({});
  expect([extension.requires, extension.optional]).toEqual([["tracker"], []]);
  const app = application();
  extension.activate(app, tracker, null, null);
  expect(app.shell.add).toHaveBeenCalledWith(expect.anything(), "right", expect.anything());
  (app.commands.addCommand.mock.calls[0]?.[1] as Command).execute();
  expect(app.shell.activateById).toHaveBeenCalledWith("valechat-dock");
});

it("is in the palette, the View menu and the launcher, by a name that fits each", async () => {
  const extension = await made({
    "@jupyterlab/apputils": { ICommandPalette: "palette" },
    "@jupyterlab/launcher": { ILauncher: "launcher" },
    "@jupyterlab/mainmenu": { IMainMenu: "menu" },
    "@jupyterlab/ui-components": { LabIcon: class {} },
  });
  expect(extension.optional).toEqual(["palette", "launcher", "menu"]);
  const [palette, launcher, viewMenu] = [{ addItem: vi.fn() }, { add: vi.fn() }, { addItem: vi.fn() }];
  const app = application();
  extension.activate(app, tracker, palette, launcher, { viewMenu });
  const [id, command] = app.commands.addCommand.mock.calls[0] as [string, Command];
  const seen = [palette.addItem, viewMenu.addItem, launcher.add].map((added) => {
    const item = added.mock.calls[0]?.[0] as { command: string; args?: object };
    expect(item.command).toBe(id);
    return [command.label(item.args), command.icon(item.args) !== undefined];
  });
  expect(seen).toEqual([["Chat beside the notebook", false], ["ValeChat", false], ["ValeChat", true]]);
  expect(launcher.add.mock.calls[0]?.[0]).toMatchObject({ category: "Other" });
});

it("takes a service for what it is where another one is missing", async () => {
  const extension = await made({ "@jupyterlab/launcher": { ILauncher: "launcher" } });
  const launcher = { add: vi.fn() };
  extension.activate(application(), tracker, launcher);
  expect(launcher.add).toHaveBeenCalledTimes(1);
});

it("offers a new notebook where there is none, once JupyterLab can make one", async () => {
  const extension = await made({});
  for (const commands of [[], ["notebook:create-new"]]) {
    const app = application(...commands);
    extension.activate(app, { currentWidget: null, currentChanged: new Signal() });
    const shown = app.shell.add.mock.calls[0]?.[0] as Widget & { onAfterShow(): void };
    shown.onAfterShow();
    await settled();
    shown.node.querySelector("button")?.click();
    expect(app.commands.execute.mock.calls).toEqual(commands.map((id) => [id]));
  }
});

it("is found by JupyterLab as a container whose modules come from the share scope", async () => {
  await import("../src/dock/remote");
  const { _JUPYTERLAB: containers } = globalThis as unknown as {
    _JUPYTERLAB: Record<string, { init(scope: object): void; get(name: string): Promise<() => { default: { id: string; requires: unknown[] } }> }>;
  };
  const shared = (version: string) => ({ get: async () => () => ({ INotebookTracker: `tracker ${version}` }) });
  containers["valechat"]?.init({ "@jupyterlab/notebook": { "4.9.0": shared("4.9.0"), "4.10.0": shared("4.10.0") } });
  const factory = await containers["valechat"]?.get("./extension");
  expect(factory?.().default.requires).toEqual(["tracker 4.10.0"]);
});
