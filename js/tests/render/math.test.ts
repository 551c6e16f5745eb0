import { Marked } from "marked";
import { describe, expect, it } from "vitest";

import { MarkdownView } from "../../src/render/markdown";
import { fencedFormula, formulas } from "../../src/render/math";
import type { Rich } from "../../src/rich/rich";

/** Draws each formula as what it was told, so that a test sees where formulas were found. */
const told: Rich = {
  formula(tex, display) {
    const node = document.createElement("span");
    node.textContent = display ? `«${tex}»` : `‹${tex}›`;
    return node;
  },
  diagram() {},
};

function drawn(text: string, done = true): string {
  const view = new MarkdownView(null, told);
  view.update(text, done);
  return (view.node.textContent ?? "").trim();
}

describe("a formula", () => {
  it.each([
    ["so $x$ is", "so ‹x› is"],
    ["$a_1$ and $b_2$", "‹a_1› and ‹b_2›"],
    ["**bold $a*b*c$**", "bold ‹a*b*c›"],
    ["$\\frac{1}{2}$.", "‹\\frac{1}{2}›."],
    ["is $10$ or $3.5$", "is ‹10› or ‹3.5›"],
    ["$2 \\times 3 = 6$", "‹2 \\times 3 = 6›"],
    ["$n$-th", "‹n›-th"],
    ["($x$)", "(‹x›)"],
    ["$\\text{the cost of it}$", "‹\\text{the cost of it}›"],
    ["$\\$5$", "‹\\$5›"],
    ["a $$x^2$$ b", "a «x^2» b"],
    ["$$\nx\n$$", "«x»"],
    ["Text\n$$\nx_1\n$$\nmore", "Text\n«x_1»\nmore"],
    ["with \\(x\\) in", "with ‹x› in"],
    ["with \\[ E = mc^2 \\] in", "with « E = mc^2 » in".replaceAll("« ", "«").replaceAll(" »", "»")],
    ["\\[\nE = mc^2\n\\]", "«E = mc^2»"],
    ["\\begin{align}\na &= b\n\\end{align}", "«\\begin{align}\na &= b\n\\end{align}»"],
    ["- $$\n  x\n  $$\n- $y$", "«x»\n‹y›"],
    ["```math\nx+1\n```", "«x+1»"],
    ["```latex\n\\alpha\n```", "«\\alpha»"],
    ["| $a$ |\n|---|\n| $b$ |", "‹a›\n‹b›"],
  ])("is found in %j", (text, expected) => {
    expect(drawn(text).replace(/\s*\n\s*/g, "\n")).toBe(expected);
  });

  it.each([
    "from $5 to $10",
    "it costs $5 and $10, or $3.50 and 20$ a month",
    "$20,$30",
    "US$5 and US$6",
    "set $HOME and $PATH",
    "$HOME/bin:$PATH",
    "$5/month or 50$",
    "a $ b $ c",
    "a lone $ here",
    "`$x$` is code",
    "``` $x$ ```",
    "    $indented$",
    "```sh\necho $A $B\n```",
    "```latex\n\\documentclass{article}\n```",
    "$not over\n\ntwo paragraphs$",
    "the $ sign, and the $ sign",
    "\\[a note\\]",
    "\\[link\\](https://example.org)",
    "$$ is the shell's own number",
  ])("is not found in %j", (text) => {
    expect(drawn(text)).not.toMatch(/[‹«]/);
  });

  it("whose end is on the way is shown as it is written, and drawn when its end is there", () => {
    const view = new MarkdownView(null, told);
    view.update("So\n\n$$\na_1 * b_1 * c", false);
    expect(view.node.querySelector("em, li")).toBeNull();
    expect(view.node.textContent).toContain("a_1 * b_1 * c");
    view.update("So\n\n$$\na_1 * b_1 * c\n$$\n", false);
    expect(view.node.textContent).toContain("«a_1 * b_1 * c»");
  });

  it("in a fence that is not closed yet stays code", () => {
    const view = new MarkdownView(null, told);
    view.update("```math\nx", false);
    expect(view.node.querySelector(".vc-code")).not.toBeNull();
    view.update("```math\nx\n```\n", false);
    expect(view.node.textContent).toContain("«x»");
  });

  it("without anything that draws it is code", () => {
    const view = new MarkdownView();
    view.update("so $a<b$", true);
    expect(view.node.querySelector("code")?.textContent).toBe("a<b");
  });
});

it("is no formula when it is longer than one can be", () => {
  expect(drawn(`$${"x".repeat(5_001)}$`)).not.toMatch(/[‹«]/);
  expect(fencedFormula("math", "x".repeat(5_001))).toBeNull();
});

it.each([
  ["unclosed brackets", "\\[\n".repeat(4_000)],
  ["unclosed dollars", "$$ a\n".repeat(4_000)],
  ["single dollars", "$a ".repeat(8_000)],
  ["environments", "\\begin{align}\n".repeat(2_000)],
])("reads %s without going over them again and again", (_, text) => {
  const marked = new Marked({}, formulas);
  const begun = performance.now();
  marked.lexer(text);
  expect(performance.now() - begun).toBeLessThan(4_000);
});

it.each([
  ["latex", "$$x$$", "x"],
  ["latex", "\\section{A}", null],
  ["tex", "\\alpha", "\\alpha"],
  ["tex", "text with $x$ in it", null],
  ["python", "x", null],
])("a fence of %s with %j holds the formula %j", (language, code, formula) => {
  expect(fencedFormula(language, code)).toBe(formula);
});
