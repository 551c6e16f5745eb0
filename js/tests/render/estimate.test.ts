import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { EstimateShown } from "../../src/protocol";
import { Panel } from "../../src/render/panel";
import { Session } from "../../src/session";
import { Host } from "../host";
import { message, question, state } from "../kernel";

const TOLD: EstimateShown = {
  input_tokens: 1240,
  most_input_tokens: 4310,
  most_output_tokens: 16384,
  likely: "0.0042",
  most: "0.0512",
  limit: { title: "the daily limit", amount: "5", remaining: "3.2399", resets: "00:00 on 23 November 2026 (Europe/Berlin)" },
  warning: "",
};

let host: Host;
let el: HTMLElement;
let panel: Panel;
let session: Session;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "requestAnimationFrame", "cancelAnimationFrame"] });
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  session = new Session(host);
  panel = new Panel(session, el);
  host.say(state(1));
  vi.advanceTimersByTime(50);
});

afterEach(() => {
  panel.dispose();
  vi.useRealTimers();
});

function type(text: string): void {
  session.setDraft(text);
  vi.advanceTimersByTime(50);
}

/** Rests, and gives the last question's number. */
function rested(): number {
  vi.advanceTimersByTime(1000);
  return host.sentOf("estimate").at(-1)?.number ?? NaN;
}

function line(): string {
  return el.querySelector(".vc-estimate")?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

describe("the kernel is asked", () => {
  it("once the composer rests, not at each key", () => {
    for (const text of ["W", "Wh", "Why", "Why?"]) type(text);
    expect(host.sentOf("estimate")).toEqual([]);
    rested();
    expect(host.sentOf("estimate")).toEqual([{ type: "estimate", number: expect.any(Number), text: "Why?", model: "demo/echo" }]);
  });

  it("again when model or conversation are others, and not when nothing changed", () => {
    type("Why?");
    rested();
    session.selectModel("lab/two");
    rested();
    expect(host.sentOf("estimate").map((m) => m.model)).toEqual(["demo/echo", "lab/two"]);
    host.say({ type: "notice", seq: 2, text: "hm", error: null });
    rested();
    expect(host.sentOf("estimate")).toHaveLength(2);
  });

  it("about attachments by their sizes, without their bytes", async () => {
    const file = Object.assign(new File(["12345"], "notes.md"), { arrayBuffer: async () => new ArrayBuffer(5) });
    session.attach([file]);
    await vi.waitFor(() => expect(session.view.chips[0]?.bytes).not.toBeNull());
    rested();
    expect(host.sentOf("estimate").at(-1)).toMatchObject({ text: "", attachments: [{ name: "notes.md" }], sizes: [5] });
    expect(host.buffers[host.sent.findLastIndex((one) => one.type === "estimate")]).toEqual([]);
  });

  it("about a long text by its beginning and the bytes of the rest", () => {
    type("é".repeat(30_000));
    rested();
    const sent = host.sentOf("estimate").at(-1);
    expect(sent?.text).toHaveLength(20_000);
    expect(sent?.more).toBe(20_000);
  });

  it("nothing while an answer is under way", () => {
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: question("One?"),
      answer: message({ status: "streaming", turn: "t1" }),
    });
    type("Two?");
    rested();
    expect(host.sentOf("estimate")).toEqual([]);
  });
});

describe("the estimate", () => {
  it("is a line with tokens, likely cost and what is left, rounded down", () => {
    type("Why?");
    host.say({ type: "estimated", seq: 2, number: rested(), estimate: TOLD });
    vi.advanceTimersByTime(50);
    expect(line()).toBe("≈ 1.2K tokens ≈ $0.0042 $3.23 left");
  });

  it("has its figures, with the limit and when it resets, behind it", () => {
    type("Why?");
    host.say({ type: "estimated", seq: 2, number: rested(), estimate: { ...TOLD, warning: "Too much." } });
    vi.advanceTimersByTime(50);
    const button = el.querySelector(".vc-estimate");
    const details = document.getElementById(button?.getAttribute("aria-describedby") ?? "");
    expect(details?.textContent).toContain("about 1,240 tokens, at most 4,310");
    expect(details?.textContent).toContain("likely $0.0042, at most $0.0512");
    expect(details?.textContent?.replace(/\s+/g, " ")).toContain(
      "Daily limit $3.23 of $5 left, resets at 00:00 on 23 November 2026 (Europe/Berlin)",
    );
    expect(details?.querySelector(".vc-estimate-warning")?.textContent).toBe("Too much.");
  });

  it("of a model without a price says so", () => {
    type("Why?");
    host.say({ type: "estimated", seq: 2, number: rested(), estimate: { ...TOLD, likely: null, most: null, limit: null } });
    vi.advanceTimersByTime(50);
    expect(line()).toBe("≈ 1.2K tokens price unknown");
  });

  it("of an older question is dropped", () => {
    type("Why?");
    const old = rested();
    type("Why not?");
    host.say({ type: "estimated", seq: 2, number: old, estimate: TOLD });
    vi.advanceTimersByTime(50);
    expect(line()).toBe("");
  });

  it("goes when the composer is emptied", () => {
    type("Why?");
    host.say({ type: "estimated", seq: 2, number: rested(), estimate: TOLD });
    type("");
    expect(line()).toBe("");
  });
});
