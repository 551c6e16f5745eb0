/** KaTeX as the panel uses it. A file of its own, brought when the first formula is to be drawn. */
import katex from "katex";
import css from "katex/dist/katex.min.css?inline";

const FACES = /@font-face\s*\{[^}]*\}/g;

/** The fonts, which only a document can have, and the rules, which go where formulas are drawn. */
export const faces = (css.match(FACES) ?? []).join("\n");
export const rules = css.replace(FACES, "");

/**
 * Draws a formula as elements, without parsing any HTML. Nothing of it links, loads or names a class: `trust` is
 * off. Throws where KaTeX does not understand it.
 */
export function draw(tex: string, display: boolean): HTMLElement {
  const drawn = document.createElement("span");
  katex.render(tex, drawn, {
    displayMode: display,
    globalGroup: false,
    maxExpand: 500,
    maxSize: 25,
    output: "htmlAndMathml",
    strict: "ignore",
    throwOnError: true,
    trust: false,
  });
  return drawn;
}
