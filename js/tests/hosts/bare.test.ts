/**
 * The built panel in hosts that give a widget less than JupyterLab does, as VS Code's renderer and Colab's widget manager
 * do (microsoft/vscode-jupyter src/webviews/webview-side/ipywidgets, googlecolab/colab-cdn-widget-manager src/manager.ts):
 * a model with a comm, or without one, and an element. No document, no signals, and in a sandboxed frame few of a page's
 * powers.
 */
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { PanelModel } from "../../src/notebook";
import type { ToPanel } from "../../src/protocol";
import { strings } from "../../src/strings";
import { Host, Signal, frame } from "../host";
import { message, question, state } from "../kernel";
import { loaded, type Widget } from "./bundle";

/** A model as anywidget hands it over: functions bound to the real one, another object for each view. */
function handed(host: Host): PanelModel {
  return {
    get: host.get.bind(host),
    on: host.on.bind(host),
    off: host.off.bind(host),
    send: (...message) => host.send(...message),
    widget_manager: host.widget_manager,
  };
}

const ends: (() => void)[] = [];
const faults: unknown[] = [];
const fault = (event: { reason?: unknown; error?: unknown }) => faults.push(event.reason ?? event.error);

/** Runs the widget as anywidget does: `initialize` once for the model, `render` for a view of it. */
async function started(host: Host, early: readonly ToPanel[] = [], fresh = false): Promise<{ widget: Widget; el: HTMLElement }> {
  const widget = await loaded(fresh);
  ends.push(widget.initialize({ model: handed(host) }));
  host.say(...early);
  const el = view(widget, host);
  await frame();
  return { widget, el };
}

function view(widget: Widget, host: Host): HTMLElement {
  const el = document.createElement("div");
  document.body.append(el);
  ends.unshift(widget.render({ model: handed(host), el }));
  return el;
}

function field(el: HTMLElement): HTMLTextAreaElement {
  return el.querySelector("textarea") as HTMLTextAreaElement;
}

function type(el: HTMLElement, text: string): void {
  field(el).value = text;
  field(el).dispatchEvent(new Event("input", { bubbles: true }));
}

function enter(el: HTMLElement): void {
  field(el).dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
}

/** Asks, and answers as the kernel. */
async function talked(host: Host, el: HTMLElement, answer: string): Promise<void> {
  type(el, "Why?");
  await frame();
  enter(el);
  const turn = host.sentOf("send").at(-1)?.turn ?? "";
  host.say(
    { type: "turn_started", seq: 2, turn, question: question("Why?", { turn }), answer: message({ id: "a", turn, status: "streaming" }) },
    { type: "deltas", seq: 3, deltas: [{ turn, text: answer }] },
    { type: "turn_ended", seq: 4, turn, answer: message({ id: "a", text: answer }), total_cost: null, unpriced: 0 },
  );
  await frame();
}

/** What a page has and such a host may lack, or refuse. */
const REFUSED = ["localStorage", "sessionStorage", "indexedDB"];
const ABSENT = ["Notification", "Worker", "SharedWorker", "BroadcastChannel", "ResizeObserver", "IntersectionObserver", "matchMedia", "caches"];

function refused(): never {
  throw new DOMException("The operation is insecure.", "SecurityError");
}

/** Takes away what a sandboxed frame with a strict policy does not have. */
function sandboxed(): void {
  for (const name of REFUSED) vi.stubGlobal(name, undefined);
  for (const name of REFUSED) Object.defineProperty(globalThis, name, { configurable: true, get: refused });
  for (const name of ABSENT) vi.stubGlobal(name, undefined);
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  URL.createObjectURL = refused;
}

const had = new Map(REFUSED.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
const createObjectURL = URL.createObjectURL;

beforeEach(() => {
  process.on("unhandledRejection", fault);
  window.addEventListener("error", fault);
});

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await new Promise((done) => setTimeout(done));
  process.off("unhandledRejection", fault);
  window.removeEventListener("error", fault);
  vi.unstubAllGlobals();
  for (const [name, descriptor] of had) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
  Reflect.deleteProperty(navigator, "clipboard");
  URL.createObjectURL = createObjectURL;
  document.body.replaceChildren();
  expect(faults.splice(0)).toEqual([]);
});

const shown = (el: HTMLElement) => el.querySelector(".vc-messages")?.textContent ?? "";

describe("a model and an element are enough", () => {
  test("to ask, to see the answer and its code, with a way to copy and none to insert", async () => {
    const host = new Host();
    const { el } = await started(host);
    expect(host.sentOf("hello")).toHaveLength(1);
    host.say(state(1));
    await frame();
    await talked(host, el, "So:\n\n```python\nprint(1)\n```\n");
    expect(shown(el)).toContain("print(1)");
    const buttons = [...el.querySelectorAll(".vc-code button")].map((one) => one.textContent);
    expect(buttons.join()).toContain("Copy");
    expect(buttons.join()).not.toContain("Insert");
  });

  test("without storage, clipboard, notifications, observers, workers and addresses for bytes", async () => {
    sandboxed();
    const host = new Host();
    expect(() => localStorage).toThrow();
    const { el } = await started(host, [], true);
    host.say(state(1));
    await frame();
    await talked(host, el, "Because $x^2$.\n\n```mermaid\ngraph TD; A-->B\n```\n\n```python\nprint(1)\n```\n");
    expect(shown(el)).toContain("Because");
    expect(shown(el)).toContain("print(1)");
    for (const button of el.querySelectorAll<HTMLButtonElement>(".vc-header button, .vc-code button, .vc-message button")) {
      button.click();
      await frame();
    }
    type(el, "kept");
    await frame();
    expect(field(el).value).toBe("kept");
  });

  test("with neither a drawn formula nor a diagram where modules and frames from bytes are refused", async () => {
    sandboxed();
    const host = new Host();
    const { el } = await started(host, [], true);
    host.say(state(1));
    await frame();
    await talked(host, el, "Here: $x^2$ and\n\n```mermaid\ngraph TD; A-->B\n```\n");
    expect(host.sentOf("need_asset").map((one) => one.name)).toEqual(expect.arrayContaining(["katex", "mermaid"]));
    for (const { name, at } of host.sentOf("need_asset")) {
      const packed = gzipSync("export default 1");
      host.sayWith({ type: "asset", seq: 5, name, at, left: 0 }, [new DataView(new Uint8Array(packed).buffer)]);
    }
    await new Promise((done) => setTimeout(done, 50));
    await frame();
    expect(shown(el)).toContain("x^2");
    expect(shown(el)).toContain("A-->B");
  });
});

describe("the order of things is the host's", () => {
  test("messages that come before a view are in it", async () => {
    const host = new Host();
    const { el } = await started(host, [state(1, { messages: [question("Early?"), message({ text: "Yes." })] })]);
    expect(shown(el)).toContain("Early?");
    expect(shown(el)).toContain("Yes.");
  });

  test("messages before the first state are no trouble, and neither is what a newer kernel says", async () => {
    const host = new Host();
    const strange = { type: "novelty", seq: 2 } as unknown as ToPanel;
    const { el } = await started(host, [{ type: "deltas", seq: 7, deltas: [] }, strange]);
    host.say(state(1, { messages: [question("Late?")] }), strange);
    await frame();
    expect(shown(el)).toContain("Late?");
  });

  test("a view without `initialize` works", async () => {
    const host = new Host();
    const el = view(await loaded(), host);
    host.say(state(1, { messages: [question("Alone?")] }));
    await frame();
    expect(shown(el)).toContain("Alone?");
  });

  test("two views show the same, and one goes on when the other is closed", async () => {
    const host = new Host();
    const { widget, el } = await started(host, [state(1)]);
    const second = document.createElement("div");
    document.body.append(second);
    const close = widget.render({ model: handed(host), el: second });
    type(el, "half");
    await frame();
    expect(field(second).value).toBe("half");
    close();
    expect(second.childElementCount).toBe(0);
    type(el, "");
    await talked(host, el, "Still here.");
    expect(shown(el)).toContain("Still here.");
    expect(host.sentOf("hello")).toHaveLength(1);
  });

  test("a view drawn into an element that is on no page yet, and then twice into the same", async () => {
    const host = new Host();
    const widget = await loaded();
    ends.push(widget.initialize({ model: handed(host) }));
    const el = document.createElement("div");
    widget.render({ model: handed(host), el })();
    ends.unshift(widget.render({ model: handed(host), el }));
    host.say(state(1));
    await frame();
    expect(el.querySelectorAll(".vc-panel")).toHaveLength(1);
  });
});

describe("the way to the kernel", () => {
  test("closed: what was typed stays, and the panel says what to do", async () => {
    const host = new Host();
    const { el } = await started(host, [state(1)]);
    type(el, "half");
    host.trigger("comm:close");
    await frame();
    expect(el.textContent).toContain(strings.gone);
    expect(field(el).value).toBe("half");
  });

  test("closed before a view is drawn", async () => {
    const host = new Host();
    const widget = await loaded();
    ends.push(widget.initialize({ model: handed(host) }));
    host.trigger("comm:close");
    const el = view(widget, host);
    await frame();
    expect(el.textContent).toContain(strings.gone);
  });

  test("that throws, as a comm does whose kernel was replaced: the question comes back", async () => {
    const host = new Host();
    const { el } = await started(host, [state(1)]);
    vi.spyOn(host, "send").mockImplementation(() => {
      throw new Error("Cannot send");
    });
    type(el, "Why?");
    await frame();
    enter(el);
    await frame();
    expect(field(el).value).toBe("Why?");
    expect(el.textContent).toContain(strings.gone);
  });

  test("that leads nowhere, as for a widget that was saved: the panel says that the kernel does not answer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const host = new Host();
      vi.spyOn(host, "send").mockImplementation(() => undefined);
      const widget = await loaded();
      ends.push(widget.initialize({ model: handed(host) }));
      const el = view(widget, host);
      vi.advanceTimersByTime(9000);
      await frame();
      expect(el.textContent).toContain(strings.silent);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a widget manager of another make", () => {
  test("as Colab's, which knows neither a notebook nor a kernel, and throws when it is asked for comms", async () => {
    const manager = {
      get_model: () => Promise.reject(new Error("not found")),
      _get_comm_info: () => {
        throw new Error("Method not implemented.");
      },
    };
    const host = new Host(manager);
    const { el } = await started(host, [state(1)]);
    await talked(host, el, "Fine.");
    expect(shown(el)).toContain("Fine.");
  });

  test("as VS Code's, whose kernel is a stand-in with signals and no notebook: a restart is seen", async () => {
    const kernel = { statusChanged: new Signal(), connectionStatusChanged: new Signal() };
    const host = new Host({ kernel });
    const { el } = await started(host, [state(1)]);
    kernel.connectionStatusChanged.emit("disconnected");
    await frame();
    expect(el.textContent).toContain(strings.lost);
    kernel.statusChanged.emit("restarting");
    await frame();
    expect(el.textContent).toContain(strings.gone);
    for (const end of ends.splice(0)) end();
    expect([kernel.statusChanged.count, kernel.connectionStatusChanged.count]).toEqual([0, 0]);
  });

  test("as one that was disposed, and throws at each look", async () => {
    const manager = new Proxy({}, { get: refused });
    const host = new Host(manager);
    const { el } = await started(host, [state(1)]);
    await talked(host, el, "Fine.");
    expect(shown(el)).toContain("Fine.");
  });
});

test.each([
  ["a view into the message's bytes, as JupyterLab and VS Code do", (bytes: Uint8Array<ArrayBuffer>) => new DataView(bytes.buffer, 1, bytes.length - 2)],
  ["bytes, as Colab does", (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(1, -1)],
  ["a plain buffer, as other managers do", (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(1, -1).buffer],
])("binary data may come as %s", async (_name, given) => {
  const { AssetFetcher } = await import("../../src/rich/fetcher");
  const fetcher = new AssetFetcher(() => true);
  const coming = fetcher.bytes("katex");
  fetcher.answered({ type: "asset", seq: 1, name: "katex", at: 0, left: 0 }, [given(new Uint8Array([9, 1, 2, 3, 9])) as DataView]);
  expect([...(await coming)]).toEqual([1, 2, 3]);
});

test("a page without Jupyter's theme has a fallback for each of its variables", () => {
  // The side panel's own frame is JupyterLab's alone.
  const sheets = readdirSync("src/styles").filter((name) => name !== "dock.css");
  const bare = sheets.flatMap((name) => readFileSync(`src/styles/${name}`, "utf8").match(/var\(--jp-[\w-]+\)/g) ?? []);
  expect(sheets.length).toBeGreaterThan(10);
  expect(bare).toEqual([]);
});
