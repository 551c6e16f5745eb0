/** The list of conversations: what is shown, what a click or a key sends, and what comes of it. */
import { beforeEach, describe, expect, test, vi } from "vitest";

import { strings } from "../../src/conversations/strings";
import type { ConversationShown, FromPanel } from "../../src/protocol";
import { frame } from "../host";
import { message, question, state } from "../kernel";
import { all, el, host, labelled, panel, press, type } from "../render/page";
import { done, listed, talk } from "./talks";

let seq = 1;

function dialog(): HTMLElement {
  return el.querySelector("dialog.vc-talks") as HTMLElement;
}

function row(id: string): HTMLElement {
  return dialog().querySelector(`[data-talk="${id}"]`) as HTMLElement;
}

function last<T extends FromPanel["type"]>(type: T): Extract<FromPanel, { type: T }> {
  const found = host.sentOf(type).at(-1);
  if (!found) throw new Error(`no ${type} was sent`);
  return found;
}

function button(within: HTMLElement, text: string): HTMLElement {
  const found = [...within.querySelectorAll("button")].find((one) => one.textContent?.trim() === text);
  if (!found) throw new Error(`no button ${text}`);
  return found;
}

/** A file that can be read; jsdom's cannot. */
function file(): File {
  return Object.assign(new File(["{}"], "x.json"), { text: () => Promise.resolve("{}") });
}

async function answer(): Promise<void> {
  await new Promise((soon) => setTimeout(soon));
  await frame();
}

async function open(conversations: ConversationShown[], parts = {}): Promise<void> {
  labelled(strings.conversations)?.click();
  host.say(listed(++seq, last("list_conversations").number, conversations, parts));
  await answer();
}

async function turn(id: string, verb: string): Promise<void> {
  row(id).querySelector<HTMLElement>(".vc-talk-more")?.click();
  button(row(id), verb).click();
  await frame();
}

beforeEach(async () => {
  seq = 1;
  await panel({ conversation_id: "a" });
});

describe("the list", () => {
  test("shows title, model, messages, cost, tags and what is open", async () => {
    await open([talk("a", { message_count: 1, total_cost: "0.00042", tags: ["x"], model: "openai/gpt-5" }), talk("b", { answering: true })]);
    expect(row("a").textContent?.replace(/\s+/g, " ")).toContain("gpt-5 · 1 message · $0.00042");
    expect(row("a").querySelector(".vc-tag")?.textContent).toBe("x");
    expect(row("a").querySelector(".vc-talk-open")?.getAttribute("aria-current")).toBe("true");
    expect(row("b").textContent).toContain(strings.answering);
    expect(document.activeElement).toBe(dialog().querySelector("input"));
  });

  test("draws what was said as text, with the hits marked", async () => {
    await open([talk("a")]);
    const field = dialog().querySelector("input") as HTMLInputElement;
    field.value = "west";
    field.dispatchEvent(new Event("input"));
    await vi.waitFor(() => expect(last("list_conversations").search).toBe("west"));
    host.say(listed(++seq, last("list_conversations").number, [talk("b", { title: "<img src=x>", snippet: "the <b>west</b>" })]));
    await frame();
    expect(row("b").querySelector("img, b")).toBeNull();
    expect([...row("b").querySelectorAll("mark")].map((mark) => mark.textContent)).toEqual(["west"]);
    expect(row("b").querySelector(".vc-talk-snippet")?.textContent).toBe("the <b>west</b>");
  });

  test("takes the answer to the newest search alone", async () => {
    await open([talk("a")]);
    const first = last("list_conversations").number;
    const field = dialog().querySelector("input") as HTMLInputElement;
    field.value = "x";
    field.dispatchEvent(new Event("input"));
    await vi.waitFor(() => expect(last("list_conversations").number).not.toBe(first));
    host.say(listed(++seq, first, [talk("old")]));
    await frame();
    expect(row("old")).toBeNull();
  });

  test("is filtered by a tag, and not by it any more", async () => {
    await open([talk("a")], { tags: [{ name: "work", count: 3 }] });
    const chip = () => dialog().querySelector(".vc-talks-tags button") as HTMLElement;
    chip().click();
    await vi.waitFor(() => expect(last("list_conversations").tag).toBe("work"));
    await frame();
    expect(chip().getAttribute("aria-pressed")).toBe("true");
    chip().click();
    await vi.waitFor(() => expect(last("list_conversations").tag).toBe(""));
  });

  test("asks for what follows once, when its end comes near", async () => {
    await open([talk("a")], { more: true });
    await vi.waitFor(() => expect(last("list_conversations").skip).toBe(1));
    const asked = host.sentOf("list_conversations").length;
    await frame();
    expect(host.sentOf("list_conversations")).toHaveLength(asked);
    host.say(listed(++seq, last("list_conversations").number, [talk("b")]));
    await frame();
    expect(row("b")).not.toBeNull();
  });

  test("opens by its keys and closes by Escape, which stops no answer", async () => {
    host.say(state(++seq, { messages: [question("Q", { turn: "t" }), message({ status: "streaming", turn: "t" })] }));
    await frame();
    press(el.querySelector("textarea") as Element, { key: "O", ctrlKey: true, shiftKey: true });
    expect(dialog().hasAttribute("open")).toBe(true);
    press(dialog().querySelector("input") as Element, { key: "Escape" });
    expect(host.sentOf("stop")).toEqual([]);
  });

  test("is moved through by arrows", async () => {
    await open([talk("a"), talk("b"), talk("c")]);
    press(dialog().querySelector("input") as Element, { key: "ArrowDown" });
    expect(document.activeElement).toBe(row("a").querySelector(".vc-talk-open"));
    press(document.activeElement as Element, { key: "End" });
    expect(document.activeElement).toBe(row("c").querySelector(".vc-talk-open"));
    press(document.activeElement as Element, { key: "ArrowUp" });
    expect(document.activeElement).toBe(row("b").querySelector(".vc-talk-open"));
    expect(all('.vc-talk-open[tabindex="0"]')).toHaveLength(1);
  });
});

describe("a conversation", () => {
  test("is opened, and the list goes away when it is there", async () => {
    await open([talk("b")]);
    (dialog() as HTMLDialogElement).close = () => dialog().removeAttribute("open");
    row("b").querySelector<HTMLElement>(".vc-talk-open")?.click();
    const { number, conversation } = last("open_conversation");
    expect(conversation).toBe("b");
    expect(dialog().hasAttribute("open")).toBe(true);
    host.say(done(++seq, number, [talk("b")]));
    await answer();
    expect(dialog().hasAttribute("open")).toBe(false);
  });

  test("that is gone says so, and the list stays", async () => {
    await open([talk("b")]);
    row("b").querySelector<HTMLElement>(".vc-talk-open")?.click();
    host.say(done(++seq, last("open_conversation").number, [], "There is no conversation b."));
    await answer();
    expect(dialog().querySelector('[role="alert"]')?.textContent).toContain("no conversation b");
  });

  test("is renamed by Enter and not by Escape", async () => {
    await open([talk("b")]);
    await turn("b", strings.rename);
    const field = row("b").querySelector("input") as HTMLInputElement;
    expect(document.activeElement).toBe(field);
    field.value = "Better";
    press(field, { key: "Enter" });
    expect(last("change_conversation")).toMatchObject({ conversation: "b", title: "Better" });
    host.say(done(++seq, last("change_conversation").number, [talk("b", { title: "Better" })]));
    await answer();
    expect(row("b").querySelector(".vc-talk-title")?.textContent).toBe("Better");
    await turn("b", strings.rename);
    (row("b").querySelector("input") as HTMLInputElement).value = "Worse";
    press(row("b").querySelector("input") as Element, { key: "Escape" });
    await frame();
    expect(host.sentOf("change_conversation")).toHaveLength(1);
    expect(row("b").querySelector("input")).toBeNull();
  });

  test("gets tags and loses them", async () => {
    await open([talk("b", { tags: ["x"] })]);
    await turn("b", strings.editTags);
    const field = row("b").querySelector("input") as HTMLInputElement;
    field.value = "y";
    press(field, { key: "Enter" });
    expect(last("change_conversation").tags).toEqual(["x", "y"]);
    host.say(done(++seq, last("change_conversation").number, [talk("b", { tags: ["x", "y"] })]));
    await answer();
    row("b").querySelector<HTMLElement>(`[aria-label="${strings.removeTag("x")}"]`)?.click();
    expect(last("change_conversation").tags).toEqual(["y"]);
  });

  test("is deleted only after a second yes", async () => {
    await open([talk("b"), talk("c")]);
    await turn("b", strings.delete);
    expect(host.sentOf("delete_conversation")).toEqual([]);
    expect(row("b").textContent).toContain(strings.confirmDelete);
    button(row("b"), strings.delete).click();
    host.say(done(++seq, last("delete_conversation").number));
    await answer();
    expect(row("b")).toBeNull();
    expect(row("c")).not.toBeNull();
  });

  test("is copied, and the copy stands first", async () => {
    await open([talk("b")]);
    await turn("b", strings.duplicate);
    host.say(done(++seq, last("duplicate_conversation").number, [talk("d", { title: "Title b (copy)" })]));
    await answer();
    expect(dialog().querySelector("[data-talk]")?.getAttribute("data-talk")).toBe("d");
    expect(dialog().querySelector('[role="status"]')?.textContent).toBe(strings.duplicated("Title b (copy)"));
  });

  test("is downloaded as a file of its name", async () => {
    const saved: string[] = [];
    URL.createObjectURL = () => "blob:x";
    URL.revokeObjectURL = () => {};
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      saved.push(this.download);
    });
    await open([talk("b")]);
    await turn("b", strings.formats.notebook);
    expect(last("export_conversation").format).toBe("notebook");
    host.say({ type: "exported", seq: ++seq, number: last("export_conversation").number, name: "b.ipynb", media_type: "x/y", text: "{}" });
    await answer();
    expect(saved).toEqual(["b.ipynb"]);
    vi.restoreAllMocks();
  });
});

test("the command /export opens what can be done with the conversation on show", async () => {
  (el.querySelector("textarea") as HTMLElement).focus();
  type("/export");
  await frame();
  press(el.querySelector("textarea") as Element, { key: "Enter" });
  host.say(listed(++seq, last("list_conversations").number, [talk("b"), talk("a")]));
  await answer();
  expect(button(row("a"), strings.formats.markdown)).toBeTruthy();
});

describe("a file", () => {
  async function choose(...files: File[]): Promise<void> {
    const field = dialog().querySelector('input[type="file"]') as HTMLInputElement;
    Object.defineProperty(field, "files", { value: files, configurable: true });
    Object.defineProperty(field, "value", { value: "", writable: true, configurable: true });
    field.dispatchEvent(new Event("change"));
    await answer();
  }

  test("is imported, and what it held stands first", async () => {
    await open([talk("b")]);
    await choose(file());
    await vi.waitFor(() => expect(last("import_conversations").text).toBe("{}"));
    host.say(done(++seq, last("import_conversations").number, [talk("n")]));
    await answer();
    expect(row("n")).not.toBeNull();
    expect(dialog().querySelector('[role="status"]')?.textContent).toBe(strings.imported(1));
  });

  test("that is too large is refused without being read", async () => {
    await open([talk("b")]);
    const large = file();
    Object.defineProperty(large, "size", { value: 50_000_000 });
    await choose(large);
    expect(host.sentOf("import_conversations")).toEqual([]);
    expect(dialog().querySelector('[role="alert"]')?.textContent).toContain("%valechat import");
  });

  test("dropped on the list is no attachment", async () => {
    await open([talk("b")]);
    const event = new Event("drop", { bubbles: true, cancelable: true });
    Object.assign(event, { dataTransfer: { types: ["Files"], files: [file()] } });
    dialog().dispatchEvent(event);
    await vi.waitFor(() => expect(host.sentOf("import_conversations")).toHaveLength(1));
    expect(all(".vc-chip")).toEqual([]);
  });
});

test("a new conversation can begin while an answer arrives", async () => {
  host.say(state(++seq, { conversation_id: "a", messages: [question("Q", { turn: "t" }), message({ status: "streaming", turn: "t" })] }));
  await frame();
  el.querySelector<HTMLElement>(".vc-new")?.click();
  expect(host.sentOf("new_conversation")).toHaveLength(1);
  type("x");
});
