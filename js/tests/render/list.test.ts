import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LEAP, PAGE } from "../../src/paging";
import { Pace } from "../../src/render/list/pace";
import { guess } from "../../src/render/list/talk";
import { ALL, OVERSCAN, afforded, drawn, parts } from "../../src/render/list/window";
import { frame } from "../host";
import { message, question } from "../kernel";
import { all, el, host, panel, press } from "./page";

const range = (startIndex: number, endIndex: number) => ({ startIndex, endIndex });

describe("the rows to draw", () => {
  it("are all of a short list, wherever it is scrolled", () => {
    expect(drawn(ALL, range(3, 4), [])).toHaveLength(ALL);
  });

  it("are those in sight and a few beyond each edge", () => {
    expect(drawn(10_000, range(500, 502), [])).toEqual(Array.from({ length: 3 + 2 * OVERSCAN }, (_, i) => 500 - OVERSCAN + i));
  });

  it("end at the ends of the list", () => {
    expect(drawn(100, range(0, 1), [])[0]).toBe(0);
    expect(drawn(100, range(98, 99), []).at(-1)).toBe(99);
  });

  it("are the last while nothing is in sight", () => {
    expect(drawn(100, null, []).at(-1)).toBe(99);
  });

  it("have what is pinned among them, once and in order, and nothing that is not listed", () => {
    const indexes = drawn(1_000, range(500, 500), [7, 999, 7, 500, 1_000, -1]);
    expect(indexes[0]).toBe(7);
    expect(indexes.at(-1)).toBe(999);
    expect(new Set(indexes).size).toBe(indexes.length);
    expect(indexes).toHaveLength(2 + 1 + 2 * OVERSCAN);
  });

  it("leave room for the others between them", () => {
    const place = (index: number) => ({ start: index * 10, end: index * 10 + 10 });
    expect(parts([2, 3, 7], place, 100)).toEqual([
      { name: "room 0", room: 20 },
      { index: 2 },
      { index: 3 },
      { name: "room 1", room: 30 },
      { index: 7 },
      { name: "room below", room: 20 },
    ]);
  });
});

describe("the rows that a frame affords", () => {
  it("are those drawn already and a few others, what is in sight first", () => {
    const known = (index: number) => index < 2;
    expect(afforded([0, 1, 2, 3, 4, 5], known, range(3, 4), 2)).toEqual([0, 1, 3, 4]);
    expect(afforded([0, 1, 2, 3, 4, 5], known, range(3, 4), 9)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("are fewer the longer the last ones took, and never none", () => {
    const pace = new Pace();
    const before = pace.most;
    for (let i = 0; i < 5; i += 1) pace.took(1, 8);
    expect(pace.most).toBeLessThan(before);
    for (let i = 0; i < 9; i += 1) pace.took(1, 500);
    expect(pace.most).toBe(1);
    for (let i = 0; i < 20; i += 1) pace.took(10, 2);
    expect(pace.most).toBeGreaterThan(before);
  });
});

describe("a guessed height", () => {
  it("grows with the text, up to a bound", () => {
    expect(guess(message({ text: "x".repeat(2_000) }))).toBeGreaterThan(guess(message({ text: "x" })));
    expect(guess(message({ text: "x".repeat(1_000_000) }))).toBe(4_000);
  });
});

/** A conversation of so many messages, in a panel that is 600 pixels high. */
const talk = (count: number, parts = {}) => {
  const messages = Array.from({ length: count }, (_, i) =>
    i % 2 ? message({ id: `m${i}`, text: `Answer ${i}` }) : question(`Question ${i}`, { id: `m${i}` }),
  );
  return panel({ messages, ...parts });
};

const rows = () => all(".vc-row").map((row) => row.dataset["key"]);
const log = () => el.querySelector<HTMLElement>(".vc-log") as HTMLElement;

async function settled(): Promise<void> {
  let before = "";
  for (let i = 0; i < 60 && before !== rows().join(); i += 1) {
    before = rows().join();
    await frame();
  }
}

async function scrollTo(top: number): Promise<void> {
  log().scrollTop = top;
  log().dispatchEvent(new Event("scroll"));
  await settled();
}

describe("a panel with a long conversation", () => {
  beforeEach(() => {
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(800);
    // Every row is 100 pixels high, and the list as high as its rows and rooms together.
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(100);
    vi.spyOn(HTMLElement.prototype, "scrollHeight", "get").mockImplementation(() => {
      const rooms = all(".vc-room").map((room) => Number.parseFloat(room.style.height));
      return rooms.reduce((sum, room) => sum + room, 100 * all(".vc-row").length);
    });
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  // The panels of other tests would print as well, so this one comes first.
  it("draws everything for the printer", async () => {
    await talk(200);
    await settled();
    window.dispatchEvent(new Event("beforeprint"));
    expect(rows()).toHaveLength(200);
    window.dispatchEvent(new Event("afterprint"));
    await settled();
    expect(rows().length).toBeLessThan(40);
  });

  it("draws the newest messages and no others", async () => {
    await talk(2_000);
    await settled();
    expect(rows().at(-1)).toBe("m1999");
    expect(rows().length).toBeLessThan(40);
  });

  it("draws what is scrolled to, and lets go of what is not", async () => {
    await talk(2_000);
    await settled();
    await scrollTo(0);
    expect(rows()[0]).toBe("m0");
    expect(rows()).not.toContain("m1999");
    expect(rows().length).toBeLessThan(40);
  });

  it("tells a screen reader which of how many a message is, those not brought included", async () => {
    await talk(100, { earlier: 900 });
    await settled();
    const last = all(".vc-row article").at(-1);
    expect(last?.getAttribute("aria-posinset")).toBe("1000");
    expect(last?.getAttribute("aria-setsize")).toBe("1000");
  });

  it("keeps the message that has the focus, and the one that is written", async () => {
    await talk(1_000);
    host.say({
      type: "turn_started",
      seq: 2,
      turn: "t",
      question: question("?", { id: "q" }),
      answer: message({ id: "live", status: "streaming", turn: "t" }),
    });
    await settled();
    all('[data-key="m999"] button:not(:disabled)')[0]?.focus();
    expect(document.activeElement?.closest(".vc-row")).not.toBeNull();
    await scrollTo(0);
    expect(rows()).toContain("m0");
    expect(rows()).toContain("m999");
    expect(rows()).toContain("live");
  });

  it("keeps what is selected, from the first to the last message of the selection", async () => {
    await talk(1_000);
    await settled();
    const [from, to] = [el.querySelector('[data-key="m995"] article'), el.querySelector('[data-key="m998"] article')];
    document.getSelection()?.setBaseAndExtent(from as Element, 0, to as Element, 1);
    await scrollTo(0);
    expect(rows()).toEqual(expect.arrayContaining(["m0", "m995", "m996", "m997", "m998"]));
    document.getSelection()?.removeAllRanges();
  });

  it("asks for older messages before its top is reached, once", async () => {
    await talk(100, { earlier: 900 });
    await settled();
    expect(host.sentOf("show_earlier")).toEqual([]);
    await scrollTo(800);
    await scrollTo(400);
    expect(host.sentOf("show_earlier")).toEqual([{ type: "show_earlier", before: "m0", most: PAGE }]);
  });

  it("goes to the very first message, page by page, when Home is pressed", async () => {
    await talk(100, { earlier: 2 });
    await settled();
    press(log(), { key: "Home" });
    await scrollTo(0);
    expect(host.sentOf("show_earlier").map((one) => one.most)).toEqual([LEAP]);
    const messages = [question("First", { id: "x" }), message({ id: "y" })];
    host.say({ type: "earlier", seq: 2, before: "m0", messages, left: 0 });
    await settled();
    await scrollTo(0);
    expect(rows()[0]).toBe("x");
    expect(el.querySelector(".vc-earlier")).toBeNull();
  });

  it("goes there also while the page has yet to say that it was scrolled to the bottom", async () => {
    await talk(100, { earlier: 2 });
    await settled();
    press(log(), { key: "Home" });
    log().dispatchEvent(new Event("scroll"));
    await settled();
    expect(host.sentOf("show_earlier").map((one) => one.most)).toEqual([LEAP]);
  });
});
