import { beforeEach, describe, expect, it, vi } from "vitest";

import { CodeBlock } from "../../src/render/code";
import { MarkdownView } from "../../src/render/markdown";
import { Diagram } from "../../src/rich/diagram";
import { harmlessPicture } from "../../src/rich/harmless";
import type { Rich } from "../../src/rich/rich";
import { frame } from "../host";

// In the same frame as another's end, an answer ends later.
beforeEach(frame);

const SVG = '<svg viewBox="0 0 40 20"><style>#a{fill:red}</style><linearGradient id="g"/><g id="a"><text>hi</text></g></svg>';

function text(url: string): string {
  return decodeURIComponent(url.slice(url.indexOf(",") + 1));
}

describe("a drawn diagram", () => {
  it("becomes an image of its own size that is well-formed XML", () => {
    const { url, width, height } = harmlessPicture(SVG);
    expect([width, height]).toEqual([40, 20]);
    const parsed = new DOMParser().parseFromString(text(url), "image/svg+xml");
    expect(parsed.querySelector("parsererror")).toBeNull();
    expect(parsed.querySelector("linearGradient")).not.toBeNull();
    expect(parsed.querySelector("style")?.textContent).toContain("fill:red");
  });

  it.each([
    '<script>alert(1)</script>',
    '<g onload="alert(1)"/>',
    '<foreignObject><img src="https://canary.invalid"/></foreignObject>',
    '<image href="https://canary.invalid/x.png"/>',
    '<a href="https://canary.invalid"><text>x</text></a>',
    '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
    '<use href="https://canary.invalid/x.svg#a"/>',
    '<rect style="fill:url(https://canary.invalid/x)"/>',
    '<rect fill="url(//canary.invalid/x)"/>',
    '<rect style="background:image-set(\'https://canary.invalid/x\' 1x)"/>',
    '<style>@import "https://canary.invalid/x.css";</style>',
    "<style>text{background:url( 'https://canary.invalid/x')}</style>",
    "<style>text{background:u\\72l(https://canary.invalid/x)}</style>",
    '<animate attributeName="href" values="javascript:alert(1)"/>',
    '<set attributeName="onload" to="alert(1)"/>',
    '<filter><feImage href="https://canary.invalid/x"/></filter>',
  ])("has nothing of %s that runs, loads or leads away", (bad) => {
    const svg = text(harmlessPicture(SVG.replace("</svg>", `${bad}</svg>`)).url);
    expect(svg).not.toMatch(/canary|alert|javascript|foreignObject|@import/);
    expect(svg).toContain("hi");
  });

  it("is well-formed even where its text has what XML cannot have", () => {
    const { url } = harmlessPicture(SVG.replace("hi", "h\u0001\u000c\ud800i"));
    const parsed = new DOMParser().parseFromString(text(url), "image/svg+xml");
    expect(parsed.querySelector("text")?.textContent).toBe("hi");
  });

  it("keeps references to its own parts", () => {
    const svg = '<svg viewBox="0 0 1 1"><path marker-end="url(#arrow)" fill="url(#g)" d="M0 0"/></svg>';
    expect(text(harmlessPicture(svg).url)).toContain('marker-end="url(#arrow)"');
  });

  it.each(["", "<p>no picture</p>", "<svg/>", '<svg viewBox="0 0 -1 0"/>'])("is refused when it is %j", (svg) => {
    expect(() => harmlessPicture(svg)).toThrow();
  });
});

function diagram(draw: (source: string, dark: boolean) => Promise<string>, source = "graph TD\nA-->B") {
  const block = new CodeBlock("mermaid", null);
  block.update(source, false);
  const made = new Diagram(source, block, draw);
  const pre = block.node.querySelector("pre") as HTMLElement;
  const toggle = [...block.node.querySelectorAll("button")].find((b) => /Source|Diagram/.test(b.textContent ?? ""));
  const message = block.node.querySelector(".vc-diagram-message") as HTMLElement;
  return { made, node: block.node, pre, toggle, message };
}

describe("a diagram in an answer", () => {
  it("stands in the place of its source, which a button shows and hides again", async () => {
    const { made, node, pre, toggle, message } = diagram(async () => SVG);
    await made.redraw(false);
    expect(node.querySelector("img")?.alt).toContain("flowchart");
    expect([pre.hidden, message.hidden]).toEqual([true, true]);
    toggle?.click();
    expect([pre.hidden, toggle?.getAttribute("aria-pressed")]).toEqual([false, "true"]);
    toggle?.click();
    expect(pre.hidden).toBe(true);
  });

  it("that is wrong shows its source and what mermaid says", async () => {
    const { made, pre, toggle, message } = diagram(() => Promise.reject(new Error("Parse error on line 2")));
    await made.redraw(false);
    expect(message.textContent).toContain("Parse error on line 2");
    expect([pre.hidden, toggle?.hidden, message.hidden]).toEqual([false, true, false]);
  });

  it("with a very long source is not drawn", async () => {
    const draw = vi.fn(async () => SVG);
    const { made, message } = diagram(draw, `graph TD\n${"A-->B\n".repeat(4_000)}`);
    await made.redraw(false);
    expect(draw).not.toHaveBeenCalled();
    expect(message.textContent).toContain("too long");
  });

  it("is drawn once its fence is closed, while the answer goes on", () => {
    const sources: string[] = [];
    const rich: Rich = { formula: (_, __, source) => source as HTMLElement, diagram: (source) => void sources.push(source) };
    const view = new MarkdownView(null, rich);
    const whole = "```mermaid\ngraph TD\nA-->B\n```\n\nand so on, and on";
    for (let end = 1; end <= whole.length; end += 1) view.update(whole.slice(0, end), false);
    view.update(whole, true);
    expect(sources).toEqual(["graph TD\nA-->B"]);
  });

  it("inside a list is drawn when the answer has ended", () => {
    const sources: string[] = [];
    const rich: Rich = { formula: (_, __, source) => source as HTMLElement, diagram: (source) => void sources.push(source) };
    const view = new MarkdownView(null, rich);
    const whole = "- one\n\n  ```mermaid\n  pie\n  ```\n- two";
    for (let end = 1; end <= whole.length; end += 1) view.update(whole.slice(0, end), false);
    expect(sources).toEqual([]);
    view.update(whole, true);
    expect(sources).toEqual(["pie"]);
  });
});
