/** What cannot be drawn takes nothing else with it, and says what to do. */
import { afterEach, expect, test, vi } from "vitest";

import { MarkdownView } from "../../src/render/markdown";
import { ModelMenu } from "../../src/render/models";
import { strings } from "../../src/strings";
import { frame } from "../host";
import { message, question } from "../kernel";
import { all, el, host, labelled, panel, type } from "./page";

afterEach(() => vi.restoreAllMocks());

function button(name: string): HTMLButtonElement | undefined {
  return [...el.querySelectorAll("button")].find((one) => one.textContent?.trim() === name);
}

test("a message that cannot be drawn is shown as plain text, beside the others", async () => {
  const real = MarkdownView.prototype.update;
  vi.spyOn(MarkdownView.prototype, "update").mockImplementation(function (this: MarkdownView, source: string, done: boolean) {
    if (source.includes("poison")) throw new Error("no such block");
    real.call(this, source, done);
  });
  await panel({ messages: [question("One"), message({ text: "poison *here*" }), question("Two"), message({ text: "fine" })] });
  const [broken] = all(".vc-broken-message");
  expect(broken?.textContent).toContain("poison *here*");
  expect(broken?.textContent).toContain("no such block");
  expect(el.textContent).toContain("fine");
  expect(labelled("Message")).not.toBeNull();
});

test("an answer that fails in a later frame is shown as plain text too", async () => {
  const view = new MarkdownView();
  view.update("A word. ".repeat(700), false);
  vi.spyOn(MarkdownView.prototype as unknown as { show: () => void }, "show").mockImplementation(() => {
    throw new Error("no such block");
  });
  await frame();
  expect(view.node.textContent).toContain("A word. ".repeat(700));
  expect(view.node.textContent).toContain("no such block");
  expect(() => view.update("More.", false)).toThrow("no such block");
});

test("a panel that cannot be drawn says so, keeps what was typed, and can be tried again", async () => {
  await panel({ messages: [question("One"), message({ text: "fine" })] });
  type("half typed");
  await frame();
  const broken = vi.spyOn(ModelMenu.prototype, "update").mockImplementation(() => {
    throw new Error("menu gone");
  });
  host.say({ type: "notice", seq: 2, text: "news", error: null });
  await frame();
  expect(el.querySelector(".vc-panel")).toBeNull();
  expect(el.textContent).toContain(strings.brokenPanel);
  expect(el.textContent).toContain("menu gone");
  expect(button(strings.brokenDraft)).toBeDefined();
  broken.mockRestore();
  button(strings.brokenAgain)?.click();
  await frame();
  expect(el.querySelector(".vc-broken")).toBeNull();
  expect(el.querySelector("textarea")?.value).toBe("half typed");
  expect(el.textContent).toContain("fine");
});

test("the details to copy hold no word of the conversation", async () => {
  await panel({ messages: [question("Top secret"), message({ text: "also secret" })] });
  vi.spyOn(ModelMenu.prototype, "update").mockImplementation(() => {
    throw new Error("menu gone");
  });
  host.say({ type: "notice", seq: 2, text: "news", error: null });
  await frame();
  expect(el.querySelector(".vc-broken pre")?.textContent).not.toContain("secret");
});
