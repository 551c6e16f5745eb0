/**
 * Formulas in Markdown: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and LaTeX's own environments. Prices, shell variables and
 * escaped brackets stay text.
 *
 * A formula leaves the parser as `<code>` with one of the classes below, so that what is drawn is sanitised first and
 * the formula comes last. Whoever writes that markup by hand gets a formula, which is all it can do.
 */
import type { Lexer, MarkedExtension, TokenizerAndRendererExtension, Tokens } from "marked";

export const INLINE = "language-vc-tex";
export const DISPLAY = "language-vc-tex-display";

/** Characters of the longest formula. */
export const LONGEST = 5_000;

interface Formula extends Tokens.Generic {
  readonly tex: string;
  readonly display: boolean;
}

/** How far a formula is looked for: unclosed ones would be looked for to the end, again and again. */
const REACH = LONGEST + 100;

const BLANK_LINE = /\n[ \t]*\n/;

const BLOCK = /^ {0,3}(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\]|(\\begin\{((?:align|alignat|aligned|cases|equation|gather|multline|[bpvV]?matrix)\*?)\}[^]+?\\end\{\4\}))[ \t]*(?:\n+|$)/;

const OPEN = /^ {0,3}(?:\$\$|\\\[)/;

const INLINES: readonly [RegExp, boolean][] = [
  [/^\$\$((?:\\[^]|[^\\$]|\$(?!\$))+?)\$\$/, true],
  [/^\$(?!\$)((?:\\[^]|[^\\$`])+?)\$(?![\w$])/, false],
  [/^\\\(([^]+?)\\\)/, false],
  [/^\\\[([^]+?)\\\](?!\()/, true],
];

/** Words as in a sentence, and amounts of money. */
const PROSE = /[A-Za-z]{3,},?\s+[A-Za-z]{2,}/;
const PRICE = /^\d[\d.,]*\s*(?:[kKmM]\b)?[\s/,–—-]+[A-Za-z]{2,}/;

/** What tells a formula from a bracket that was only escaped. */
const MATHS = /[\\^_=<>+{}]|\d\s*[*/-]/;

function isFormula(tex: string, opener: string): boolean {
  if (tex.trim() === "" || tex.length > LONGEST || BLANK_LINE.test(tex)) return false;
  if (opener === "\\[") return MATHS.test(tex);
  if (opener === "$$") return true;
  if (opener === "$" && (/^\s|\s$/.test(tex) || PRICE.test(tex))) return false;
  return !PROSE.test(tex.replace(/\\[A-Za-z]+\*?\s*(?:\{[^{}]*\})?/g, " \\ "));
}

const block: TokenizerAndRendererExtension = {
  name: "vcFormulaBlock",
  level: "block",
  start(src) {
    return first(src, /\n {0,3}(?:\$\$|\\\[|\\begin\{)/);
  },
  tokenizer(src): Formula | undefined {
    if (!/^ {0,3}[$\\]/.test(src)) return undefined;
    const near = src.slice(0, REACH);
    const found = BLOCK.exec(near);
    const tex = found?.[1] ?? found?.[2] ?? found?.[3];
    const escapedOnly = found?.[2] !== undefined && !found[2].includes("\n") && !MATHS.test(found[2]);
    if (found && !escapedOnly && tex !== undefined && tex.length <= LONGEST && !BLANK_LINE.test(tex) && tex.trim() !== "") {
      return { type: "vcFormulaBlock", raw: found[0], tex: tex.trim(), display: true };
    }
    // Its end may be on the way: until then it is no emphasis and no list, but what it is.
    if (growing(this.lexer as Lexer) && OPEN.test(src) && src.length < REACH && !BLANK_LINE.test(src.trimEnd())) {
      return { type: "vcFormulaBlock", raw: src, tex: "", display: true, source: src };
    }
    return undefined;
  },
  renderer(token) {
    const { tex, source } = token as Formula;
    return tex ? `<p>${formulaHtml(tex, true)}</p>\n` : `<p><code>${escaped(String(source ?? ""))}</code></p>\n`;
  },
};

const inline: TokenizerAndRendererExtension = {
  name: "vcFormula",
  level: "inline",
  start(src) {
    return first(src, /(?<![\w$])\$|\\[([]/);
  },
  tokenizer(src): Formula | undefined {
    if (src[0] !== "$" && src[0] !== "\\") return undefined;
    const near = src.slice(0, REACH);
    for (const [pattern, display] of INLINES) {
      const found = pattern.exec(near);
      const tex = found?.[1];
      if (!found || tex === undefined) continue;
      const opener = near.startsWith("$$") ? "$$" : near[0] === "$" ? "$" : near.slice(0, 2);
      if (isFormula(tex, opener)) return { type: "vcFormula", raw: found[0], tex: tex.trim(), display };
    }
    return undefined;
  },
  renderer(token) {
    const { tex, display } = token as Formula;
    return formulaHtml(tex, display);
  },
};

function first(src: string, pattern: RegExp): number | undefined {
  const at = src.search(pattern);
  if (at < 0) return undefined;
  return src[at] === "\n" ? at + 1 : at;
}

function growing(lexer: Lexer): boolean {
  return (lexer.options as { growing?: boolean }).growing === true;
}

export const formulas: MarkedExtension = { extensions: [block, inline] };

/** A formula on its way through the sanitiser. */
export function formulaHtml(tex: string, display: boolean): string {
  return `<code class="${display ? DISPLAY : INLINE}">${escaped(tex)}</code>`;
}

/** What cannot be one formula, though it is written in LaTeX. */
const DOCUMENT = /\\(?:documentclass|usepackage|begin\{document\}|(?:sub)*section|newcommand|def\b|item\b|includegraphics|caption)|^\s*%/m;

/** The formula in a fenced block, without the delimiters that may stand around it; null where it holds none. */
export function fencedFormula(language: string, code: string): string | null {
  if (!["math", "katex", "latex", "tex"].includes(language) || code.length > LONGEST || code.trim() === "") return null;
  const bare = /^\s*(?:\$\$([^]+)\$\$|\\\[([^]+)\\\])\s*$/.exec(code);
  const tex = (bare?.[1] ?? bare?.[2] ?? code).trim();
  if (language === "math" || language === "katex") return tex;
  return DOCUMENT.test(tex) || /\$|\\[[(]/.test(tex) || BLANK_LINE.test(tex) ? null : tex;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character] ?? "");
}
