import { beforeEach, describe, expect, it } from "vitest";

import widget from "../../src/widget";
import { Host, frame } from "../host";
import { message, model, question, state } from "../kernel";
import type { State } from "../../src/protocol";

let host: Host;
let el: HTMLElement;

async function panel(parts: Partial<State> = {}, manager?: unknown): Promise<void> {
  host = new Host(manager);
  el = document.createElement("div");
  document.body.replaceChildren(el);
  const { initialize, render } = widget();
  initialize({ model: host });
  render({ model: host, el });
  host.say(state(1, parts));
  await frame();
}

function all(selector: string): HTMLElement[] {
  return [...el.querySelectorAll<HTMLElement>(selector)];
}

function labelled(label: string): HTMLElement | null {
  return el.querySelector(`[aria-label="${label}"]`);
}

function type(text: string): HTMLTextAreaElement {
  const field = el.querySelector("textarea") as HTMLTextAreaElement;
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return field;
}

function press(target: Element, init: KeyboardEventInit): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, composed: true, ...init });
  target.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  document.body.replaceChildren();
});

describe("an empty conversation", () => {
  it("says that the demonstration is one", async () => {
    await panel();
    expect(el.querySelector(".vc-empty")?.textContent).toContain("demonstration");
  });

  it("says that the demonstration's prices are invented where it has any", async () => {
    await panel({ models: [model("demo/echo", { demo: true, input_price: "1.25", output_price: "10" })] });
    expect(el.querySelector(".vc-empty")?.textContent).toContain("prices are invented");
  });

  it("says what a paid model costs", async () => {
    const paid = model("openai/gpt-5-mini", { input_price: "0.25", output_price: "2" });
    await panel({ model: paid.id, models: [paid] });
    expect(el.querySelector(".vc-empty")?.textContent).toContain("$0.25 in and $2 out per million tokens");
  });

  it("sends an example when it is clicked", async () => {
    await panel();
    const [example] = all(".vc-examples button");
    example?.click();
    expect(host.sentOf("send")[0]?.text).toBe(example?.textContent?.trim());
  });
});

describe("a question", () => {
  it("shows at once, leaves the composer and turns its button into Stop", async () => {
    await panel();
    press(type("Why?"), { key: "Enter" });
    await frame();
    expect(el.querySelector(".vc-question")?.textContent).toContain("Why?");
    expect(el.querySelector("textarea")?.value).toBe("");
    expect(labelled("Stop")).not.toBeNull();
  });

  it("is shown as it was typed, never as markup", async () => {
    await panel({ messages: [question("# no title\n<b>x</b> *y*")] });
    expect(el.querySelector(".vc-plain")?.textContent).toBe("# no title\n<b>x</b> *y*");
    expect(el.querySelector(".vc-plain")?.childElementCount).toBe(0);
  });

  it("that is refused is back in the composer with the reason beside it", async () => {
    await panel();
    press(type("Why?"), { key: "Enter" });
    const turn = host.sentOf("send")[0]?.turn ?? "";
    const error = { kind: "LimitReached", message: "The daily limit is reached", fix: "Raise it" };
    host.say({ type: "refused", seq: 2, turn, text: "Why?", error });
    await frame();
    expect(el.querySelector("textarea")?.value).toBe("Why?");
    expect(el.querySelector(".vc-notice")?.textContent).toContain("The daily limit is reached");
    expect(el.querySelector(".vc-notice")?.textContent).toContain("Raise it");
  });
});

describe("an answer", () => {
  async function streaming(): Promise<void> {
    await panel();
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: question("Why?"),
      answer: message({ id: "a", status: "streaming", turn: "t1" }),
    });
    await frame();
  }

  it("without a word yet shows that it is awaited, and then its words", async () => {
    await streaming();
    expect(el.querySelector(".vc-waiting")).not.toBeNull();
    host.say({ type: "deltas", seq: 3, deltas: [{ turn: "t1", text: "**Because**" }] });
    await frame();
    expect(el.querySelector(".vc-waiting")).toBeNull();
    expect(el.querySelector(".vc-answer strong")?.textContent).toBe("Because");
  });

  it("is drawn once a frame, however many messages come", async () => {
    await streaming();
    const records: MutationRecord[] = [];
    const observer = new MutationObserver((r) => records.push(...r));
    observer.observe(el.querySelector(".vc-messages") as Element, { childList: true, subtree: true });
    for (let i = 0; i < 50; i++) host.say({ type: "deltas", seq: 3 + i, deltas: [{ turn: "t1", text: `w${i} ` }] });
    expect(observer.takeRecords()).toEqual([]);
    await frame();
    expect(el.querySelector(".vc-answer")?.textContent).toContain("w49");
  });

  it("is read out in sentences, not in tokens", async () => {
    await streaming();
    const log = el.querySelector('[role="log"]') as HTMLElement;
    host.say({ type: "deltas", seq: 3, deltas: [{ turn: "t1", text: "First sentence. And then a sec" }] });
    await frame();
    expect(log.textContent).toContain("First sentence.");
    expect(log.textContent).not.toContain("And then");
    const answer = message({ id: "a", text: "First sentence. And then a second" });
    host.say({ type: "turn_ended", seq: 4, turn: "t1", answer, total_cost: null, unpriced: 0 });
    await frame();
    expect(log.textContent).toContain("And then a second");
    expect(log.textContent).toContain("Answer complete");
  });

  it("stops on Escape, wherever in the panel the focus is", async () => {
    await streaming();
    press(el.querySelector(".vc-log") as Element, { key: "Escape" });
    expect(host.sentOf("stop")).toEqual([{ type: "stop", turn: "t1" }]);
  });

  it("tells its model, speed, tokens and exact cost", async () => {
    const answer = message({
      text: "So.",
      model: "openai/gpt-5-mini",
      first_token_ms: 420,
      duration_ms: 2134,
      input_tokens: 312,
      output_tokens: 1204,
      cost: "0.001234567",
      cost_source: "priced",
    });
    await panel({ messages: [question("Why?"), answer], total_cost: "0.001234567", unpriced: 2 });
    expect(all(".vc-figure").map((f) => f.textContent)).toEqual([
      "gpt-5-mini",
      "420 ms to first token",
      "2.1 s",
      "312 in, 1,204 out",
      "$0.00123",
    ]);
    expect(el.querySelector<HTMLElement>(".vc-cost")?.title).toContain("$0.001234567");
    expect(el.querySelector(".vc-total")?.textContent?.replace(/\s+/g, " ").trim()).toBe("$0.00123 + 2 unpriced");
  });

  it.each([
    ["unpriced", null, "price unknown"],
    ["unpriced", "0", "price unknown"],
    ["estimated", "0.002", "≈ $0.002"],
    ["priced", "0", "$0"],
  ])("with cost source %s and cost %s shows %s", async (cost_source, cost, shown) => {
    await panel({ messages: [question("Why?"), message({ text: "So.", cost, cost_source })] });
    expect(el.querySelector(".vc-cost")?.textContent).toBe(shown);
  });

  it.each([
    ["cancelled", "stopped"],
    ["failed", "failed"],
    ["limit", "limit reached"],
  ])("that is %s says so", async (status, shown) => {
    await panel({ messages: [question("Why?"), message({ text: "S", status })] });
    expect(el.querySelector(".vc-chip")?.textContent).toBe(shown);
  });

  it("can be asked for again if it is the last, with the same question", async () => {
    await panel({ messages: [question("One?"), message({ text: "1" }), question("Two?"), message({ text: "2" })] });
    expect(all('[aria-label="Ask again"]')).toHaveLength(1);
    labelled("Ask again")?.click();
    expect(host.sentOf("send").map((m) => m.text)).toEqual(["Two?"]);
  });

  it("shows tool calls with arguments and result as text", async () => {
    const tool = { id: "1", name: "read", arguments: '{"path":"a"}', result: "<img src=x>", is_error: true };
    await panel({ messages: [question("?"), message({ tools: [tool] })] });
    expect(el.querySelector(".vc-tool")?.textContent).toContain("failed");
    expect(el.querySelector(".vc-tool-body")?.textContent).toContain("<img src=x>");
    expect(el.querySelector(".vc-tool img")).toBeNull();
  });
});

describe("a key", () => {
  const error = { kind: "MissingKey", message: "No key for openai", fix: "Enter one", provider: "openai" };

  async function entered(): Promise<HTMLInputElement> {
    await panel({ messages: [question("Why?"), message({ status: "failed", error })] });
    const field = el.querySelector("input[type=password]") as HTMLInputElement;
    field.value = "sk-invented";
    field.form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    return field;
  }

  it("is asked for where it is missing, sent once and gone from the page", async () => {
    const field = await entered();
    expect(host.sentOf("set_key")).toEqual([{ type: "set_key", provider: "openai", key: "sk-invented" }]);
    expect(field.value).toBe("");
    expect(field.autocomplete).toBe("off");
    await frame();
    expect(document.documentElement.outerHTML).not.toContain("sk-invented");
  });

  it("half typed survives what the kernel says meanwhile", async () => {
    await panel({ messages: [question("Why?"), message({ status: "failed", error })] });
    const field = el.querySelector("input[type=password]") as HTMLInputElement;
    field.value = "sk-ha";
    host.say({ type: "models", seq: 2, model: "demo/echo", models: [model("demo/echo")] });
    await frame();
    expect(el.querySelector<HTMLInputElement>("input[type=password]")?.value).toBe("sk-ha");
  });

  it("can be entered again after the kernel's answer", async () => {
    const field = await entered();
    const save = field.form?.querySelector("button");
    expect(save?.disabled).toBe(true);
    host.say({ type: "notice", seq: 2, text: "Stored in the keychain", error: null });
    await frame();
    expect(save?.disabled).toBe(false);
    expect(el.querySelector(".vc-good")?.textContent).toContain("Stored in the keychain");
  });

  it("is not asked for after other errors", async () => {
    const other = { kind: "ServerDown", message: "No answer", fix: "" };
    await panel({ messages: [question("Why?"), message({ status: "failed", error: other })] });
    expect(el.querySelector("input[type=password]")).toBeNull();
  });
});

describe("the model menu", () => {
  const models = [
    model("demo/echo", { demo: true, input_price: "0", output_price: "0" }),
    model("openai/gpt-5-mini", { input_price: "0.25", output_price: "2" }),
    model("anthropic/claude", { usable: false, why: "No key for anthropic", needs_key: true }),
  ];

  async function opened(): Promise<HTMLInputElement> {
    await panel({ models });
    el.querySelector<HTMLElement>(".vc-models-button")?.click();
    return el.querySelector('[role="combobox"]') as HTMLInputElement;
  }

  it("groups by provider and tells prices, badges and why one cannot be used", async () => {
    await opened();
    expect(all(".vc-menu-provider span").map((p) => p.textContent)).toEqual(["demo", "openai", "anthropic"]);
    const [echo, mini, claude] = all('[role="option"]').map((o) => o.textContent?.replace(/\s+/g, " "));
    expect(echo).toContain("demonstration");
    expect(echo).toContain("free");
    expect(mini).toContain("$0.25 / $2");
    expect(claude).toContain("No key for anthropic");
    expect(all('[aria-disabled="true"]')).toHaveLength(1);
  });

  it("finds by words and chooses with the keyboard", async () => {
    const search = await opened();
    search.value = "mini open";
    search.dispatchEvent(new Event("input"));
    expect(all('[role="option"]')).toHaveLength(1);
    press(search, { key: "Enter" });
    expect(host.sentOf("select_model")).toEqual([{ type: "select_model", model: "openai/gpt-5-mini" }]);
    expect(el.querySelector(".vc-models-button")?.getAttribute("aria-expanded")).toBe("false");
  });

  it("moves with the arrow keys and tells which is active", async () => {
    const search = await opened();
    press(search, { key: "ArrowDown" });
    const active = search.getAttribute("aria-activedescendant") ?? "";
    expect(document.getElementById(active)?.textContent).toContain("gpt-5-mini");
  });

  it("closes on Escape without stopping an answer", async () => {
    const search = await opened();
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: question("?"),
      answer: message({ status: "streaming", turn: "t1" }),
    });
    press(search, { key: "Escape" });
    expect(host.sentOf("stop")).toEqual([]);
    expect(all('[role="option"]')).toHaveLength(0);
  });

  it("chooses no model that cannot be used, and offers to enter its key", async () => {
    await opened();
    all('[role="option"]')[2]?.click();
    expect(host.sentOf("select_model")).toEqual([]);
    expect(el.querySelector(".vc-notice input[type=password]")).not.toBeNull();
  });
});

describe("in its host", () => {
  it("is marked as live and hides its shortcuts from JupyterLab", async () => {
    await panel();
    const root = el.firstElementChild;
    expect(root?.classList.contains("vc-live")).toBe(true);
    expect(root?.classList.contains("vc-panel")).toBe(true);
    expect(root?.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });

  it("lets no key typed in it reach the page around it", async () => {
    await panel();
    let seen = 0;
    document.body.addEventListener("keydown", () => seen++);
    press(type("x"), { key: "Enter", ctrlKey: true });
    press(el.querySelector(".vc-log") as Element, { key: "d" });
    expect(seen).toBe(0);
  });

  it("keeps what was said readable when the kernel is gone, and says what to do", async () => {
    await panel({ messages: [question("Why?"), message({ text: "Because." })] });
    host.trigger("comm:close");
    await frame();
    expect(el.querySelector(".vc-answer")?.textContent).toContain("Because.");
    expect(el.querySelector(".vc-banner")?.textContent).toContain("Kernel is gone; run the cell again");
    expect(labelled("Ask again")).toBeNull();
  });

  it("leaves the saved transcript visible when there is no kernel to ask", async () => {
    host = new Host();
    el = document.createElement("div");
    el.className = "jupyter-widgets-disconnected";
    document.body.replaceChildren(el);
    const { initialize, render } = widget();
    initialize({ model: host });
    render({ model: host, el });
    await frame();
    expect(el.querySelector(".vc-live")).toBeNull();
    expect(el.textContent).toContain("Kernel is gone; run the cell again");
  });

  it("notices that its widget was disconnected", async () => {
    await panel();
    el.classList.add("jupyter-widgets-disconnected");
    host.trigger("comm_live_update");
    await frame();
    expect(el.querySelector(".vc-banner-gone")).not.toBeNull();
  });

  it("shares one conversation and one draft between two views of a model", async () => {
    host = new Host();
    const { initialize, render } = widget();
    initialize({ model: host });
    const views = [document.createElement("div"), document.createElement("div")] as const;
    document.body.replaceChildren(...views);
    const cleanups = views.map((view) => render({ model: host, el: view }));
    host.say(state(1));
    await frame();
    expect(host.sentOf("hello")).toHaveLength(1);
    el = views[0];
    type("shared");
    await frame();
    expect(views[1].querySelector("textarea")?.value).toBe("shared");
    cleanups[0]?.();
    expect(views[0].childElementCount).toBe(0);
    expect(views[1].childElementCount).toBe(1);
  });

  it("saves the notebook on Ctrl+S instead of the page", async () => {
    let saved = 0;
    await panel({}, { context: { save: async () => void saved++ } });
    const event = press(el.querySelector("textarea") as Element, { key: "s", ctrlKey: true });
    expect(saved).toBe(1);
    expect(event.defaultPrevented).toBe(true);
  });

  it("works in a shadow root", async () => {
    host = new Host();
    const outer = document.createElement("div");
    document.body.replaceChildren(outer);
    el = document.createElement("div");
    outer.attachShadow({ mode: "open" }).append(el);
    const { initialize, render } = widget();
    initialize({ model: host });
    render({ model: host, el });
    host.say(state(1));
    await frame();
    press(type("Why?"), { key: "Enter" });
    expect(host.sentOf("send")).toHaveLength(1);
  });
});
