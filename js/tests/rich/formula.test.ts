import { describe, expect, it } from "vitest";

import * as katex from "../../src/assets/katex";
import { Formulas, type Katex } from "../../src/rich/formula";
import { harmlessFormula } from "../../src/rich/harmless";
import payloads from "../../../tests/xss/payloads.json";

function code(text: string): HTMLElement {
  const element = document.createElement("code");
  element.textContent = text;
  return element;
}

async function drawn(tex: string, display = false): Promise<HTMLElement> {
  const formulas = new Formulas(async () => katex as Katex, () => undefined);
  const node = formulas.node(tex, display, code(tex));
  await Promise.resolve();
  await Promise.resolve();
  return node;
}

describe("a formula", () => {
  it("is its source until KaTeX is there, and then drawn, with its meaning for screen readers", async () => {
    let bring: (katex: Katex) => void = () => undefined;
    const formulas = new Formulas(() => new Promise((done) => (bring = done)), () => undefined);
    const node = formulas.node("x^2", false, code("x^2"));
    expect(node.textContent).toBe("x^2");
    bring(katex);
    await new Promise((done) => setTimeout(done));
    expect(node.querySelector(".katex-html")).not.toBeNull();
    expect(node.querySelector("math annotation")?.textContent).toBe("x^2");
  });

  it("that KaTeX cannot read stays its source and says why", async () => {
    const node = await drawn("\\frac{a}{");
    expect(node.textContent).toBe("\\frac{a}{");
    expect(node.title).toContain("could not be drawn");
  });

  it("stays its source while KaTeX cannot be brought, and the next one tries again", async () => {
    let tries = 0;
    const formulas = new Formulas(() => ((tries += 1), Promise.reject(new Error("gone"))), () => undefined);
    expect(formulas.node("x", false, code("x")).textContent).toBe("x");
    await new Promise((done) => setTimeout(done));
    formulas.node("y", false, code("y"));
    expect(tries).toBe(2);
  });

  it("that stands alone can be copied as TeX", async () => {
    expect((await drawn("x", true)).querySelector("button")?.getAttribute("aria-label")).toBe("Copy as TeX");
  });

  it.each([
    "\\href{https://canary.invalid}{x}",
    "\\url{https://canary.invalid}",
    "\\includegraphics{https://canary.invalid/x.png}",
    "\\htmlClass{vc-send}{x}",
    "\\htmlId{vc}{x}",
    "\\htmlStyle{position:fixed}{x}",
    "\\htmlData{commandlinker-command=notebook:run}{x}",
    "\\def\\a{\\a\\a}\\a",
    "{".repeat(4_000),
  ])("is not drawn, or drawn without effect, from %j", async (tex) => {
    const node = await drawn(tex.slice(0, 4_999));
    expect(node.querySelector("a, img, [id], [href], [src], .vc-send")).toBeNull();
    expect(node.querySelector('[style*="fixed"], [data-commandlinker-command]')).toBeNull();
  });

  it("made of any script in disguise has nothing that runs, loads or leaves its place", async () => {
    const bad: string[] = [];
    for (const [i, { payload }] of payloads.payloads.entries()) {
      const forms = [payload, `\\text{${payload}}`, `\\color{${payload}}x`, `\\href{${payload}}{x}`];
      const node = await drawn((forms[i % forms.length] ?? "").slice(0, 4_999));
      const elements = [...node.querySelectorAll("*")];
      bad.push(...elements.filter((e) => e.matches("script, img, iframe, a, object, embed, form, style, link, input")).map((e) => e.outerHTML));
      const attributes = elements.flatMap((e) => [...e.attributes]);
      bad.push(...attributes.filter((a) => /^on|^(src|href|xlink:href|id|action|formaction)$/.test(a.name)).map((a) => a.name));
      bad.push(...attributes.filter((a) => a.name === "style" && /url|fixed|absolute/.test(a.value)).map((a) => a.value));
    }
    expect(bad).toEqual([]);
  });

  it("keeps all that KaTeX needs: fractions, roots, matrices, accents, colours", async () => {
    const all =
      "\\frac{a}{b}\\sqrt[3]{x}\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}\\hat{x}\\overbrace{a}\\vec{v}\\color{red}{x}\\cancel{y}\\boxed{z}\\underline{u}\\int_0^1";
    const raw = katex.draw(all, true).outerHTML;
    expect(harmlessFormula(katex.draw(all, true)).outerHTML).toBe(raw);
  });
});
