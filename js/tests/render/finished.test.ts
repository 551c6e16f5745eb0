/** A long answer's end is told where one is when the page is hidden. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { prefer } from "../../src/settings/preferences";
import { message, question } from "../kernel";
import { host, panel } from "./page";

const told: string[] = [];

class Told {
  static permission = "granted";
  constructor(title: string) {
    told.push(title);
  }
  addEventListener(): void {}
  close(): void {}
}

async function answered(seconds: number): Promise<void> {
  const answer = message({ id: "a1", model: "demo/echo", status: "streaming", turn: "t1" });
  await panel({ messages: [question("Why?", { turn: "t1" }), answer] });
  vi.spyOn(performance, "now").mockReturnValue(performance.now() + seconds * 1000);
  host.say({ type: "turn_ended", seq: 2, turn: "t1", answer: { ...answer, status: "complete", turn: null }, total_cost: null, unpriced: 0 });
}

beforeEach(() => {
  told.length = 0;
  vi.stubGlobal("Notification", Told);
  vi.spyOn(document, "hidden", "get").mockReturnValue(true);
  prefer({ notify: true });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a long one, on a hidden page", async () => {
  await answered(11);
  expect(told).toEqual(["demo/echo has answered"]);
});

test("not a short one", async () => {
  await answered(5);
  expect(told).toEqual([]);
});

test("not on a page in sight", async () => {
  vi.spyOn(document, "hidden", "get").mockReturnValue(false);
  await answered(11);
  expect(told).toEqual([]);
});

test("not unless the user asked for it", async () => {
  prefer({ notify: false });
  await answered(11);
  expect(told).toEqual([]);
});
