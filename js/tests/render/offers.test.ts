import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { PluginShown, PromptShown, ResourceShown, ToPanel } from "../../src/protocol";
import { Panel } from "../../src/render/panel";
import { Session } from "../../src/session";
import { Host } from "../host";
import { state } from "../kernel";

let host: Host;
let el: HTMLElement;
let panel: Panel;
let seq = 1;

const FILES: PluginShown = {
  id: "files",
  name: "Files",
  state: "running",
  used: true,
  tools: 12,
  tokens: 1240,
  problem: "",
  prompts: true,
  resources: true,
};
const MAIL: PluginShown = { ...FILES, id: "mail", name: "Mail", state: "error", tools: 0, tokens: 0, problem: "It ended. Look at its log." };
const OFF: PluginShown = { ...FILES, id: "git", name: "Git", state: "stopped", used: false, tools: 0, tokens: 0 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  panel = new Panel(new Session(host), el);
  seq = 1;
  say(state(seq, { plugins: [FILES, MAIL, OFF] }));
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function say(...messages: ToPanel[]): void {
  host.say(...messages);
  vi.advanceTimersByTime(50);
}

/** Lets promises settle, and draws. */
async function settled(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  vi.advanceTimersByTime(50);
}

function text(node: Element | null | undefined): string {
  return node?.textContent?.replace(/\s+/g, " ").trim() ?? "";
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

function press(target: Element, key: string): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  vi.advanceTimersByTime(50);
  return event;
}

describe("the plugins menu", () => {
  function open(): HTMLElement {
    el.querySelector<HTMLElement>(".vc-plugins-button")?.click();
    return el.querySelector(".vc-plugins-menu") as HTMLElement;
  }

  it("tells how many are in use, how each is and what they cost in a request", () => {
    expect(el.querySelector(".vc-plugins-button")?.getAttribute("aria-label")).toBe("Plugins: 2 in use");
    const menu = open();
    expect([...menu.querySelectorAll(".vc-plugin")].map(text)).toEqual([
      "Files 12 tools · ≈ 1.2K tokens",
      "Mail error It ended. Look at its log.",
      "Git stopped",
    ]);
    expect(text(menu.querySelector(".vc-plugins-foot span"))).toBe("≈ 1.2K tokens in each request");
  });

  it("switches a plugin on and off for this chat", () => {
    const [files, , git] = [...open().querySelectorAll<HTMLInputElement>("input")];
    expect([files?.checked, git?.checked]).toEqual([true, false]);
    git?.click();
    files?.click();
    expect(host.sentOf("use_plugin")).toEqual([
      { type: "use_plugin", plugin: "git", on: true },
      { type: "use_plugin", plugin: "files", on: false },
    ]);
  });

  it("keeps the last click when the answer to the one before comes after it", () => {
    const [files] = [...open().querySelectorAll<HTMLInputElement>("input")];
    files?.click();
    files?.click();
    say({ type: "plugins", seq: ++seq, plugins: [{ ...FILES, used: false }, MAIL, OFF], problem: "" });
    expect(files?.checked).toBe(true);
    say({ type: "plugins", seq: ++seq, plugins: [FILES, MAIL, OFF], problem: "" });
    say({ type: "plugins", seq: ++seq, plugins: [{ ...FILES, used: false }, MAIL, OFF], problem: "" });
    expect(files?.checked).toBe(false);
  });

  it("shows what the kernel has where it does not do what was clicked", () => {
    const [files] = [...open().querySelectorAll<HTMLInputElement>("input")];
    files?.click();
    expect(files?.checked).toBe(false);
    vi.advanceTimersByTime(5_000);
    expect(files?.checked).toBe(true);
  });

  it("follows what happens while it is open", () => {
    const menu = open();
    say({ type: "plugins", seq: ++seq, plugins: [{ ...OFF, state: "running", used: true, tools: 1, tokens: 90 }], problem: "" });
    expect(text(menu.querySelector(".vc-plugin"))).toBe("Git 1 tool · ≈ 90 tokens");
  });

  it("says what is wrong with the plugins' file", () => {
    say({ type: "plugins", seq: ++seq, plugins: [], problem: "Line 3: a comma is missing." });
    expect(text(el.querySelector(".vc-plugins-count"))).toBe("!");
    expect(text(open())).toContain("Line 3: a comma is missing.");
  });

  it("leads to the manager, where there are no cells by saying how", () => {
    const manage = [...open().querySelectorAll("button")].find((one) => text(one) === "Manage…");
    manage?.click();
    vi.advanceTimersByTime(50);
    expect(text(el.querySelector(".vc-good"))).toContain("valechat.plugin_manager()");
  });

  it("closes on Escape without stopping an answer", () => {
    press(open().querySelector("input") as Element, "Escape");
    expect(el.querySelector(".vc-plugin")).toBeNull();
    expect(host.sentOf("stop")).toEqual([]);
  });
});

const REVIEW: PromptShown = {
  plugin: "git",
  name: "review",
  title: "",
  description: "Reviews <b>a</b> change",
  arguments: [
    { name: "branch", title: "Branch", description: "Which one", required: true },
    { name: "style", title: "style", description: "", required: false },
  ],
};
const HELLO: PromptShown = { plugin: "files", name: "hello", title: "Say hello", description: "", arguments: [] };

function offers(prompts: PromptShown[], resources: ResourceShown[] = []): void {
  const what = resources.length > 0 ? "resources" : "prompts";
  say({ type: "offers", seq: ++seq, what, prompts, resources, problems: [] });
}

describe("a slash in the composer", () => {
  function options(): string[] {
    return [...el.querySelectorAll(".vc-slash [role=option]")].map(text);
  }

  it("offers the prompts that plugins have, asked for once", () => {
    type("/");
    expect(host.sentOf("list_offers")).toEqual([{ type: "list_offers", what: "prompts" }]);
    offers([REVIEW, HELLO]);
    expect(options().slice(-2)).toEqual(["/review branch, style? git Reviews <b>a</b> change", "/hello files Say hello"]);
    expect(el.querySelector(".vc-slash b")).toBeNull();
    expect(field().getAttribute("aria-activedescendant")).toBe(el.querySelector(".vc-option-active")?.id);
  });

  it("finds by what is typed after it, and is gone with the first blank", () => {
    type("/");
    offers([REVIEW, HELLO]);
    type("/hel");
    expect(options()).toEqual(["/hello files Say hello"]);
    type("/hello you");
    expect(options()).toEqual([]);
  });

  it("puts a prompt's text into the composer", async () => {
    type("/he");
    offers([REVIEW, HELLO]);
    expect(press(field(), "Enter").defaultPrevented).toBe(true);
    const [asked] = host.sentOf("use_prompt");
    expect(asked).toMatchObject({ plugin: "files", name: "hello", arguments: "{}" });
    const attachments = [{ id: "m/1", name: "a.txt", media_type: "text/plain", size: 3, preview: null }];
    say({ type: "fetched", seq: ++seq, number: asked?.number ?? 0, text: "Hello, world", attachments, error: null });
    await settled();
    expect(field().value).toBe("Hello, world");
    expect(text(el.querySelector(".vc-composer .vc-file-name"))).toBe("a.txt");
    expect(host.sentOf("send")).toEqual([]);
  });

  it("asks for a prompt's arguments, with the plugin's help, and for what is missing", async () => {
    type("/rev");
    offers([REVIEW]);
    press(field(), "ArrowDown");
    press(field(), "Tab");
    const form = el.querySelector(".vc-arguments") as HTMLFormElement;
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    expect(text(form.querySelector(".vc-form-problem"))).toBe("This is needed.");
    expect(host.sentOf("use_prompt")).toEqual([]);
    const branch = form.querySelector("input") as HTMLInputElement;
    branch.value = "ma";
    branch.dispatchEvent(new Event("input", { bubbles: true }));
    vi.advanceTimersByTime(500);
    const [completing] = host.sentOf("complete").slice(-1);
    expect(completing).toMatchObject({ plugin: "git", kind: "prompt", ref: "review", argument: "branch", value: "ma", filled: "{}" });
    say({ type: "completed", seq: ++seq, number: completing?.number ?? 0, values: ["main", "master"] });
    await settled();
    expect([...form.querySelectorAll("datalist option")].map((one) => (one as HTMLOptionElement).value)).toEqual(["main", "master"]);
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    const [asked] = host.sentOf("use_prompt");
    expect(asked).toMatchObject({ plugin: "git", name: "review", arguments: '{"branch":"ma"}' });
    say({ type: "fetched", seq: ++seq, number: asked?.number ?? 0, text: "Review ma", attachments: [], error: null });
    await settled();
    expect(field().value).toBe("Review ma");
    expect(el.querySelector(".vc-arguments")).toBeNull();
  });

  it("that failed says why and leaves what was typed", async () => {
    type("/he");
    offers([HELLO]);
    press(field(), "Enter");
    const error = { kind: "PluginError", message: "It ended.", fix: "" };
    say({ type: "fetched", seq: ++seq, number: host.sentOf("use_prompt")[0]?.number ?? 0, text: "", attachments: [], error });
    await settled();
    expect(field().value).toBe("/he");
    expect(text(el.querySelector(".vc-notice"))).toContain("It ended.");
  });

  it("put away by Escape stays away until something else is typed, and Enter sends then", () => {
    type("/he");
    offers([HELLO]);
    press(field(), "Escape");
    expect(options()).toEqual([]);
    press(field(), "Enter");
    expect(host.sentOf("send").map((one) => one.text)).toEqual(["/he"]);
  });

  it("that nothing fits is text like any other", () => {
    type("/usr");
    offers([REVIEW, HELLO]);
    expect(options()).toEqual([]);
    press(field(), "Enter");
    expect(host.sentOf("send").map((one) => one.text)).toEqual(["/usr"]);
  });
});

describe("a plugin's resources", () => {
  const NOTES: ResourceShown = {
    plugin: "files",
    uri: "file:///notes.md",
    name: "notes.md",
    title: "",
    description: "",
    media_type: "text/markdown",
    size: 1200,
    variables: [],
  };
  const ROW: ResourceShown = {
    ...NOTES,
    uri: "db:///{table}/{row}",
    name: "row",
    size: null,
    variables: [
      { name: "table", title: "table", description: "", required: true },
      { name: "row", title: "row", description: "", required: true },
    ],
  };

  function open(): void {
    el.querySelector<HTMLElement>(".vc-resources-button")?.click();
    offers([], [NOTES, ROW]);
  }

  it("are offered only where a plugin has any", () => {
    const button = el.querySelector<HTMLElement>(".vc-resources-button");
    expect(button?.hidden).toBe(false);
    say({ type: "plugins", seq: ++seq, plugins: [{ ...FILES, resources: false }], problem: "" });
    expect(button?.hidden).toBe(true);
  });

  it("are listed, found and attached without their bytes passing through here", async () => {
    open();
    expect(host.sentOf("list_offers")).toEqual([{ type: "list_offers", what: "resources" }]);
    expect([...el.querySelectorAll(".vc-resources [role=option]")].map(text)).toEqual([
      "notes.md 1.2 KB files file:///notes.md",
      "row files db:///{table}/{row}",
    ]);
    press(el.querySelector(".vc-resources input") as Element, "Enter");
    const [asked] = host.sentOf("attach_resource");
    expect(asked).toMatchObject({ plugin: "files", uri: "file:///notes.md", name: "notes.md" });
    const attachments = [{ id: "m/1", name: "notes.md", media_type: "text/markdown", size: 1200, preview: null }];
    say({ type: "fetched", seq: ++seq, number: asked?.number ?? 0, text: "", attachments, error: null });
    await settled();
    type("What?");
    press(field(), "Enter");
    expect(host.sentOf("send")[0]?.attachments).toEqual([{ name: "notes.md", id: "m/1" }]);
  });

  it("that a plugin could not list are missed aloud", () => {
    el.querySelector<HTMLElement>(".vc-resources-button")?.click();
    say({ type: "offers", seq: ++seq, what: "resources", prompts: [], resources: [NOTES], problems: ["Mail: no answer"] });
    expect(text(el.querySelector(".vc-resources .vc-plugins-problem"))).toBe("Mail: no answer");
    expect(el.querySelectorAll(".vc-resources [role=option]")).toHaveLength(1);
  });

  it("with variables ask for them", async () => {
    open();
    const input = el.querySelector(".vc-resources input") as Element;
    press(input, "ArrowDown");
    press(input, "Enter");
    const form = el.querySelector(".vc-arguments") as HTMLFormElement;
    for (const [i, value] of ["users", "7"].entries()) {
      const one = form.querySelectorAll("input")[i] as HTMLInputElement;
      one.value = value;
      one.dispatchEvent(new Event("input", { bubbles: true }));
    }
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    expect(host.sentOf("attach_resource")[0]).toMatchObject({ uri: "db:///{table}/{row}", variables: '{"table":"users","row":"7"}' });
  });

  it("that cannot be read say why", async () => {
    open();
    press(el.querySelector(".vc-resources input") as Element, "Enter");
    const error = { kind: "TooLarge", message: "notes.md is too large", fix: "" };
    say({ type: "fetched", seq: ++seq, number: host.sentOf("attach_resource")[0]?.number ?? 0, text: "", attachments: [], error });
    await settled();
    expect(text(el.querySelector(".vc-notice"))).toContain("too large");
    expect(el.querySelector(".vc-composer .vc-file")).toBeNull();
  });
});
