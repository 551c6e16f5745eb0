import { describe, expect, it } from "vitest";

import widget from "../../src/widget";
import { Host, frame } from "../host";
import { message, model, question, state } from "../kernel";
import { all, el, host, labelled, mount, panel, press, type } from "./page";

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

  it("can be asked for again, each with its own question", async () => {
    await panel({ messages: [question("One?"), message({ text: "1" }), question("Two?"), message({ id: "two", text: "2" })] });
    expect(all('[aria-label="Ask again"]')).toHaveLength(2);
    all('[aria-label="Ask again"]')[1]?.click();
    expect(host.sentOf("regenerate").map((m) => m.message)).toEqual(["two"]);
  });

  it("shows tool calls with arguments and result as text", async () => {
    const tool = { id: "1", name: "read", arguments: '{"path":"a"}', result: "<img src=x>", is_error: true };
    await panel({ messages: [question("?"), message({ tools: [tool] })] });
    expect(el.querySelector(".vc-tool")?.textContent).toContain("failed");
    expect(el.querySelector(".vc-tool-body")?.textContent).toContain("<img src=x>");
    expect(el.querySelector(".vc-tool img")).toBeNull();
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
    const element = document.createElement("div");
    element.className = "jupyter-widgets-disconnected";
    document.body.replaceChildren(element);
    mount(new Host(), element);
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
    const shared = new Host();
    const { initialize, render } = widget();
    initialize({ model: shared });
    const views = [document.createElement("div"), document.createElement("div")] as const;
    document.body.replaceChildren(...views);
    const cleanups = views.map((view) => render({ model: shared, el: view }));
    shared.say(state(1));
    await frame();
    expect(shared.sentOf("hello")).toHaveLength(1);
    const field = views[0].querySelector("textarea") as HTMLTextAreaElement;
    field.value = "shared";
    field.dispatchEvent(new Event("input", { bubbles: true }));
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
    const outer = document.createElement("div");
    document.body.replaceChildren(outer);
    const inner = document.createElement("div");
    outer.attachShadow({ mode: "open" }).append(inner);
    mount(new Host(), inner);
    host.say(state(1));
    await frame();
    press(type("Why?"), { key: "Enter" });
    expect(host.sentOf("send")).toHaveLength(1);
  });
});
