import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ToPanel, VariableRead, VariableShown } from "../../src/protocol";
import { Panel } from "../../src/render/panel";
import { Session } from "../../src/session";
import { REST_MS } from "../../src/variables/state";
import { Host } from "../host";
import { question, state } from "../kernel";

let host: Host;
let el: HTMLElement;
let panel: Panel;
let seq = 1;

const DF: VariableShown = { name: "df", kind: "DataFrame", size: "1,000 × 4", tokens: 320 };
const FIG: VariableShown = { name: "fig", kind: "Figure", size: "image", tokens: 1500 };
const READ: VariableRead = {
  path: "df",
  kind: "DataFrame",
  size: "1,000 × 4",
  tokens: 321,
  text: "pandas DataFrame, 1,000 rows × 4 columns",
  what: "schema, statistics and 10 of 1,000 rows",
  pictures: [],
  hidden: [],
  problem: "",
};

beforeEach(() => {
  // Drafts are kept by the browser.
  localStorage.clear();
  sessionStorage.clear();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  panel = new Panel(new Session(host), el);
  seq = 1;
  say(state(seq));
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function say(...messages: ToPanel[]): void {
  host.say(...messages);
  vi.advanceTimersByTime(50);
}

function field(): HTMLTextAreaElement {
  return el.querySelector("textarea") as HTMLTextAreaElement;
}

function type(value: string): void {
  field().focus();
  field().value = value;
  field().dispatchEvent(new Event("input", { bubbles: true }));
  vi.advanceTimersByTime(50);
}

function press(key: string, target: Element = field()): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  vi.advanceTimersByTime(50);
  return event;
}

function text(node: Element | null | undefined): string {
  return node?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

function list(): void {
  const { number } = host.sentOf("list_variables").at(-1) ?? { number: 0 };
  say({ type: "variables", seq: ++seq, number, variables: [DF, FIG], files: [{ name: "data.csv", size: 2048 }] });
}

function read(parts: Partial<VariableRead> = {}): void {
  vi.advanceTimersByTime(REST_MS);
  const { number } = host.sentOf("read_variables").at(-1) ?? { number: 0 };
  say({ type: "variables_read", seq: ++seq, number, found: [{ ...READ, ...parts }] });
}

function options(): string[] {
  return [...el.querySelectorAll(".vc-mention [role=option]")].map((one) => one.getAttribute("aria-label") ?? "");
}

function chip(): HTMLButtonElement {
  return el.querySelector(".vc-variable-show") as HTMLButtonElement;
}

describe("an at sign in the composer", () => {
  it("asks what there is and offers variables and files with their size and cost", () => {
    type("plot @");
    expect(options()).toEqual([]);
    list();
    expect(options()).toEqual([
      "df, DataFrame · 1,000 × 4, ≈ 320 tokens",
      "fig, Figure · image, ≈ 1,500 tokens",
      "data.csv, 2 KB",
    ]);
    expect([...el.querySelectorAll(".vc-mention .vc-menu-provider")].map(text)).toEqual(["Variables", "Files beside the notebook"]);
    expect(field().getAttribute("aria-activedescendant")).toBe(el.querySelector(".vc-mention [aria-selected=true]")?.id);
  });

  it("finds by what is typed, and Enter completes the name without sending", () => {
    type("plot @");
    list();
    type("plot @fi");
    expect(options()).toEqual(["fig, Figure · image, ≈ 1,500 tokens"]);
    expect(press("Enter").defaultPrevented).toBe(true);
    expect(field().value).toBe("plot @fig ");
    expect(host.sentOf("send")).toEqual([]);
  });

  it("goes by the arrow keys and is put away by Escape", () => {
    type("@");
    list();
    press("ArrowDown");
    expect(el.querySelector(".vc-mention [aria-selected=true]")?.getAttribute("aria-label")).toContain("fig");
    press("Escape");
    expect(options()).toEqual([]);
    expect(field().value).toBe("@");
  });

  it("attaches a file and takes its sign out of the text", () => {
    type("read @data");
    list();
    press("Tab");
    expect(host.sentOf("attach_file").map((one) => one.name)).toEqual(["data.csv"]);
    expect(field().value).toBe("read ");
  });

  it("is only text once the kernel is gone", () => {
    host.trigger("comm:close");
    type("@");
    expect(host.sentOf("list_variables")).toEqual([]);
  });
});

describe("a variable in the text", () => {
  it("becomes a chip with what it is and costs", () => {
    type("plot @df please");
    read();
    expect(host.sentOf("read_variables").at(-1)?.asked).toEqual([{ path: "df", known: false, reveal: false }]);
    expect(text(chip())).toBe("@df DataFrame · 1,000 × 4 · ≈ 321 tokens");
  });

  it("goes with the question", () => {
    type("plot @df");
    read();
    press("Enter");
    expect(host.sentOf("send").at(-1)?.variables).toEqual([{ path: "df", known: true, reveal: false }]);
    expect(chip()).toBeNull();
  });

  it("that was not looked up yet goes as one that may be none", () => {
    type("ask @nobody");
    press("Enter");
    expect(host.sentOf("send").at(-1)?.variables).toEqual([{ path: "nobody", known: false, reveal: false }]);
  });

  it("shows the very text that is sent, read anew", () => {
    type("plot @df");
    read();
    chip().click();
    vi.advanceTimersByTime(50);
    expect(host.sentOf("read_variables").at(-1)?.asked).toEqual([{ path: "df", known: true, reveal: false }]);
    expect(text(el.querySelector(".vc-variable-preview pre"))).toBe(READ.text);
    expect(press("Escape", el.querySelector(".vc-variable-preview pre") as Element).defaultPrevented).toBe(true);
    expect(el.querySelector(".vc-variable-preview")).toBeNull();
  });

  it("says what is hidden, and shows it when the user wants it sent", () => {
    type("plot @df");
    read({ hidden: ["column `password`"] });
    expect(chip().getAttribute("aria-label")).toContain("something is hidden");
    chip().click();
    vi.advanceTimersByTime(50);
    expect(text(el.querySelector(".vc-variable-hidden"))).toContain("column `password`");
    (el.querySelector(".vc-variable-hidden input") as HTMLInputElement).click();
    read();
    press("Enter");
    expect(host.sentOf("send").at(-1)?.variables).toEqual([{ path: "df", known: true, reveal: true }]);
  });

  it("that is taken off stays in the text and is not sent", () => {
    type("plot @df");
    read();
    (el.querySelector('[aria-label="Do not send @df"]') as HTMLElement).click();
    vi.advanceTimersByTime(50);
    expect(chip()).toBeNull();
    press("Enter");
    expect(host.sentOf("send").at(-1)).not.toHaveProperty("variables");
  });

  it("that cannot be read says why on its chip", () => {
    type("plot @df.town");
    read({ path: "df.town", problem: "`@df.town` cannot be read: it does not exist." });
    expect(text(el.querySelector(".vc-variable .vc-file-problem"))).toContain("cannot be read");
  });

  it("draws no picture that could ask somebody", () => {
    type("see @df");
    read({ pictures: ["https://example.org/x.png"] });
    expect(el.querySelector(".vc-variable img")).toBeNull();
  });

  it("is not sent twice when a question is asked again with what went with it", () => {
    const attachments = [{ id: "q/1", name: "@df", media_type: "text/plain", size: 9, preview: null }];
    say(state(++seq, { messages: [question("plot @df", { attachments })] }));
    const session = (panel as unknown as { session: Session }).session;
    session.ask("plot @df", [{ key: "k", name: "@df", size: 9, preview: null, bytes: null, id: "q/1", unsure: false, problem: "" }]);
    expect(host.sentOf("send").at(-1)).not.toHaveProperty("variables");
  });

  it("counts in the estimate", () => {
    type("plot @df");
    read({ pictures: ["data:image/png;base64,aGk="] });
    vi.advanceTimersByTime(1000);
    const estimate = host.sentOf("estimate").at(-1);
    expect(estimate?.more).toBe(new TextEncoder().encode(READ.text).length);
    expect(estimate?.attachments).toEqual([{ name: "variable.png" }]);
  });
});

describe("earlier questions", () => {
  beforeEach(() => say(state(++seq, { messages: [question("first"), question("second")] })));

  it("come by arrow up in an empty composer, and what stood there comes back by arrow down", () => {
    press("ArrowUp");
    expect(field().value).toBe("second");
    press("ArrowUp");
    expect(field().value).toBe("first");
    press("ArrowUp");
    expect(field().value).toBe("first");
    press("ArrowDown");
    press("ArrowDown");
    expect(field().value).toBe("");
  });

  it("stay away from a text that is being written", () => {
    type("half");
    expect(press("ArrowUp").defaultPrevented).toBe(false);
    expect(field().value).toBe("half");
  });

  it("of the conversation before come after this one's", () => {
    say(state(++seq, { conversation_id: "c2", messages: [question("third")] }));
    press("ArrowUp");
    press("ArrowUp");
    expect(field().value).toBe("second");
  });
});

describe("commands", () => {
  it("are offered after a slash, and Enter runs the one that is marked", () => {
    type("/n");
    expect([...el.querySelectorAll(".vc-slash [role=option]")].map(text)).toEqual(["/new command Begin a new conversation"]);
    press("Enter");
    expect(host.sentOf("new_conversation")).toHaveLength(1);
    expect(field().value).toBe("");
  });

  it("open the variables' menu", () => {
    type("/var");
    press("Enter");
    list();
    expect(options().length).toBe(3);
  });
});

describe("a long text that is pasted", () => {
  function paste(value: string): void {
    const event = new Event("paste", { bubbles: true, cancelable: true });
    Object.defineProperty(event, "clipboardData", { value: { files: [], types: ["text/plain"], getData: () => value } });
    field().dispatchEvent(event);
    type(`look: ${value}`);
  }

  it("can be attached as a file instead", () => {
    // jsdom's files cannot be read this way.
    vi.spyOn(Session.prototype, "attach").mockImplementationOnce(function (this: Session, files) {
      expect(files.map((file) => [file.name, file.size])).toEqual([["pasted.txt", 5000]]);
    });
    paste("x".repeat(5000));
    expect(text(el.querySelector(".vc-pasted"))).toContain("A long text was pasted (5 KB).");
    (el.querySelector(".vc-pasted .vc-button-text") as HTMLElement).click();
    expect(Session.prototype.attach).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(50);
    expect(field().value).toBe("look: ");
  });

  it("that is short is only pasted", () => {
    paste("short");
    expect(el.querySelector(".vc-pasted")).toBeNull();
  });
});
