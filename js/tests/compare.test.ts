/** Comparing: choosing models, asking them all, answers side by side, keeping one. */
import { beforeEach, expect, test } from "vitest";

import { strings } from "../src/compare/strings";
import type { ComparisonShown, MessageShown } from "../src/protocol";
import { frame } from "./host";
import { message, model, question } from "./kernel";
import { all, el, host, labelled, panel, press, type } from "./render/page";

const MODELS = ["lab/one", "lab/two", "lab/three"].map((id) => model(id));

function streaming(id: string, of: string): MessageShown {
  return message({ id, model: of, status: "streaming", turn: `t-${id}` });
}

function comparison(): ComparisonShown {
  return { turn: "t", question: question("Who?", { id: "q" }), answers: [streaming("a", "lab/one"), streaming("b", "lab/two")] };
}

function pick(...names: string[]): void {
  labelled(strings.compare)?.click();
  for (const row of all(".vc-compare-model")) {
    if (names.some((name) => row.textContent?.includes(name))) row.querySelector("input")?.click();
  }
  press(document.activeElement ?? el, { key: "Escape" });
}

function ended(seq: number, answer: MessageShown): void {
  const turn = `t-${answer.id}`;
  host.say({ type: "column_ended", seq, turn, answer: { ...answer, turn: null, status: "complete" }, total_cost: "0.03", unpriced: 0 });
}

beforeEach(async () => {
  await panel({ models: MODELS, model: "lab/one" });
});

test("a question goes to all chosen models, the chat's own among them", async () => {
  pick("two");
  await frame();
  expect(el.querySelector(".vc-compare-chosen")?.textContent).toContain("lab/two");
  press(type("Who?"), { key: "Enter" });
  expect(host.sentOf("compare")[0]).toMatchObject({ text: "Who?", models: ["lab/one", "lab/two"] });
  expect(host.sentOf("send")).toEqual([]);
});

test("fewer than two models are no comparison", () => {
  pick("one");
  press(type("Who?"), { key: "Enter" });
  expect(host.sentOf("send")).toHaveLength(1);
  expect(el.querySelector<HTMLElement>(".vc-compare-chosen")?.hidden).toBe(true);
});

test("answers stream beside each other, each with what came for it", async () => {
  host.say({ type: "compare_started", seq: 2, conversation: "c1", comparison: comparison() });
  host.say({ type: "deltas", seq: 3, deltas: [{ turn: "t-a", text: "I am one." }, { turn: "t-b", text: "I am two." }] });
  await frame();
  expect(all(".vc-column").map((one) => one.querySelector(".vc-md")?.textContent?.trim())).toEqual(["I am one.", "I am two."]);
  expect(all(".vc-column .vc-button")).toEqual([]);
  expect(labelled("Stop")).not.toBeNull();
});

test("a stop ends all that still come", async () => {
  host.say({ type: "compare_started", seq: 2, conversation: "c1", comparison: comparison() });
  ended(3, message({ id: "a", model: "lab/one", text: "I am one." }));
  await frame();
  labelled("Stop")?.click();
  expect(host.sentOf("stop").map((one) => one.turn)).toEqual(["t-b"]);
});

test("the fastest and the cheapest are said once all are there", async () => {
  host.say({ type: "compare_started", seq: 2, conversation: "c1", comparison: comparison() });
  ended(3, message({ id: "a", model: "lab/one", text: "1", duration_ms: 900, cost: "0.02" }));
  await frame();
  expect(all(".vc-column-best")).toEqual([]);
  ended(4, message({ id: "b", model: "lab/two", text: "2", duration_ms: 1200, cost: "0.01" }));
  await frame();
  expect(all(".vc-column").map((one) => one.querySelector(".vc-column-best")?.textContent)).toEqual([strings.fastest, strings.cheapest]);
});

test("an answer of unknown cost leaves the cheapest unsaid", async () => {
  host.say({ type: "compare_started", seq: 2, conversation: "c1", comparison: comparison() });
  ended(3, message({ id: "a", model: "lab/one", text: "1", cost: null }));
  ended(4, message({ id: "b", model: "lab/two", text: "2", cost: "0.01" }));
  await frame();
  expect(all(".vc-column-best").map((one) => one.textContent)).not.toContain(strings.cheapest);
});

test("keeping one asks the kernel to go on with it", async () => {
  host.say({ type: "compare_started", seq: 2, conversation: "c1", comparison: comparison() });
  ended(3, message({ id: "a", model: "lab/one", text: "I am one." }));
  ended(4, message({ id: "b", model: "lab/two", text: "I am two." }));
  await frame();
  labelled(strings.keepTitle("lab/two"))?.click();
  expect(host.sentOf("keep_answer")).toEqual([{ type: "keep_answer", answer: "b" }]);
  host.say({ type: "compare_ended", seq: 5 });
  await frame();
  expect(el.querySelector(".vc-comparison")).toBeNull();
});

test("a page that opens meanwhile shows the comparison, and its question once", async () => {
  const under = comparison();
  await panel({ models: MODELS, messages: [question("Before"), message({ text: "Yes." }), under.question, streaming("z", "lab/one")], comparison: under });
  expect(all(".vc-question").map((one) => one.textContent?.trim())).toEqual(["Before", "Who?"]);
  expect(all(".vc-column")).toHaveLength(2);
});

test("a refused comparison gives the question back", async () => {
  pick("two");
  press(type("Who?"), { key: "Enter" });
  const turn = host.sentOf("compare")[0]?.turn ?? "";
  host.say({ type: "refused", seq: 2, turn, text: "Who?", error: { kind: "LimitReached", message: "No room.", fix: "" } });
  await frame();
  expect(el.querySelector("textarea")?.value).toBe("Who?");
  expect(el.textContent).toContain("No room.");
});

test("the chat's own model is among them also where the models are known only once the menu is open", async () => {
  host.say({ type: "models", seq: 2, model: "lab/one", models: [model("demo/echo")] });
  await frame();
  labelled(strings.compare)?.click();
  host.say({ type: "models", seq: 3, model: "lab/one", models: MODELS });
  await frame();
  const ticked = all(".vc-compare-model").filter((row) => row.querySelector("input")?.checked);
  expect(ticked.map((row) => row.textContent?.trim())).toEqual([expect.stringContaining("one")]);
});
