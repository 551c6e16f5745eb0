import { beforeEach, describe, expect, it } from "vitest";

import { MarkdownView } from "../../src/render/markdown";
import { frame } from "../host";
import { corpus, random } from "./corpus";

// In the same frame as another's end, an answer ends later.
beforeEach(frame);

function whole(text: string, done = true): string {
  const view = new MarkdownView();
  view.update(text, done);
  return view.node.innerHTML;
}

/** Cuts a text at random places, as deltas do. */
function prefixes(text: string, seed: number): string[] {
  const next = random(seed);
  const result: string[] = [];
  for (let end = 0; end < text.length; ) {
    end = Math.min(text.length, end + 1 + Math.floor(next() * 12));
    result.push(text.slice(0, end));
  }
  return result;
}

const all = Object.values(corpus).join("\n\n");

describe.each([...Object.entries(corpus), ["everything in one message", all] as const])("streamed %s", (_, text) => {
  it("looks at its last tick as if it had been drawn at once", () => {
    for (let seed = 1; seed <= 2; seed++) {
      const view = new MarkdownView();
      for (const prefix of prefixes(text, seed)) view.update(prefix, false);
      expect(view.node.innerHTML, `seed ${seed}`).toBe(whole(text, false));
    }
  });

  it("is the full parse once it has ended", () => {
    const view = new MarkdownView();
    for (const prefix of prefixes(text, 7)) view.update(prefix, false);
    view.update(text, true);
    expect(view.node.innerHTML).toBe(whole(text));
  });
});

describe("a growing answer", () => {
  it("leaves settled blocks alone", () => {
    const view = new MarkdownView();
    view.update("First.\n\nSecond.\n\nThird.\n\nFour", false);
    const first = view.node.firstElementChild;
    view.update("First.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth.", false);
    view.update("First.\n\nSecond.\n\nThird.\n\nFourth.\n\nFifth.", true);
    expect(view.node.firstElementChild).toBe(first);
  });

  it("keeps the element of a code block while its code grows", () => {
    const view = new MarkdownView();
    view.update("```python\na = 1", false);
    const block = view.node.querySelector(".vc-code");
    view.update("```python\na = 1\nb = 2\n```\n", false);
    expect(view.node.querySelector(".vc-code")).toBe(block);
    expect(block?.querySelector("code")?.textContent).toBe("a = 1\nb = 2");
  });

  it("parses no settled text again", () => {
    const view = new MarkdownView();
    const long = Array.from({ length: 120 }, (_, i) => `Paragraph ${i} with *some* words.`).join("\n\n");
    view.update(long, false);
    const touched: Node[] = [];
    const observer = new MutationObserver((records) => touched.push(...records.flatMap((r) => [...r.addedNodes])));
    observer.observe(view.node, { childList: true, subtree: true });
    view.update(`${long} One more.`, false);
    touched.push(...observer.takeRecords().flatMap((r) => [...r.addedNodes]));
    expect(touched.filter((n) => n instanceof Element).length).toBeLessThanOrEqual(2);
  });

  it("resolves a link defined at the very end", () => {
    const text = "See [the guide][g].\n\nA.\n\nB.\n\nC.\n\n[g]: https://example.org/guide";
    const view = new MarkdownView();
    for (const prefix of prefixes(text, 3)) view.update(prefix, false);
    view.update(text, true);
    expect(view.node.querySelector("a")?.getAttribute("href")).toBe("https://example.org/guide");
  });

  it("ends one of several that end together in each frame, and all of them", async () => {
    const text = "See [the guide][g].\n\nA.\n\nB.\n\nC.\n\n[g]: https://example.org/guide";
    const views = [0, 1, 2].map(() => new MarkdownView());
    for (const view of views) view.update(text.slice(0, -30), false);
    const ended = () => views.map((view) => view.node.querySelector("a") !== null);
    for (const view of views) view.update(text, true);
    expect(ended()).toEqual([true, false, false]);
    await new Promise(requestAnimationFrame);
    expect(ended()).toEqual([true, true, false]);
    await new Promise(requestAnimationFrame);
    expect(ended()).toEqual([true, true, true]);
  });

  it("shows the authoritative text where it differs from what was streamed", () => {
    const view = new MarkdownView();
    view.update("Streamed *wrong*.\n\nSame.", false);
    view.update("Right.\n\nSame.", true);
    expect(view.node.textContent).toContain("Right.");
    expect(view.node.textContent).not.toContain("wrong");
  });
});

it("hides the head of a table that has none to show", () => {
  const view = new MarkdownView();
  view.update("| | |\n|--|--|\n| a | 1 |\n\n| x | |\n|--|--|\n| a | 1 |", true);
  expect([...view.node.querySelectorAll("thead")].map((head) => head.hidden)).toEqual([true, false]);
});

describe("code", () => {
  it("has its language, a copy button and colours", () => {
    const view = new MarkdownView();
    view.update('```python\nx = "a"\n```', true);
    expect(view.node.querySelector(".vc-code-language")?.textContent).toBe("python");
    expect(view.node.querySelector(".vc-code button")?.textContent).toBe("Copy");
    expect(view.node.querySelector(".hljs-string")?.textContent).toBe('"a"');
  });

  it("offers a cell only for the languages the notebook takes", () => {
    const inserted: string[] = [];
    const cells = {
      accepts: (language: string) => language === "python",
      insert: (code: string) => inserted.push(code) > 0,
    };
    const view = new MarkdownView(cells);
    view.update("```python\n1 + 1\n```\n\n```rust\nfn main() {}\n```", true);
    const buttons = [...view.node.querySelectorAll<HTMLElement>(".vc-code")].map((block) =>
      [...block.querySelectorAll("button")].map((b) => b.textContent),
    );
    expect(buttons).toEqual([["Insert below", "Copy"], ["Copy"]]);
    view.node.querySelector<HTMLButtonElement>(".vc-code button")?.click();
    expect(inserted).toEqual(["1 + 1"]);
  });
});
