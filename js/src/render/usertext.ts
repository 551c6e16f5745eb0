/** A question as it was typed: every character as it is, fenced code as code. */
import { CodeBlock, type CellInserter } from "./code";
import { strings } from "../strings";

const FENCE = /^(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)(?:\n\1[ \t]*(?=\n|$)|$)/gm;

/** Longer questions start folded. */
const LONG = { characters: 1200, lines: 14 };

export function userText(text: string, cells: CellInserter | null): HTMLElement {
  const body = document.createElement("div");
  body.className = "vc-typed";
  let end = 0;
  for (const match of text.matchAll(FENCE)) {
    plain(body, text.slice(end, match.index));
    const language = (match[2] ?? "").trim().split(/\s+/)[0] ?? "";
    const block = new CodeBlock(language.toLowerCase(), cells);
    block.update(match[3] ?? "", false);
    body.append(block.node);
    end = match.index + match[0].length;
  }
  plain(body, text.slice(end));
  const long = text.length > LONG.characters || text.split("\n", LONG.lines + 1).length > LONG.lines;
  return long ? folded(body) : body;
}

function plain(body: HTMLElement, text: string): void {
  const trimmed = text.replace(/^\n+|\s+$/g, "");
  if (trimmed === "") return;
  const part = document.createElement("div");
  part.className = "vc-plain";
  part.textContent = trimmed;
  body.append(part);
}

function folded(body: HTMLElement): HTMLElement {
  const frame = document.createElement("div");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "vc-button-text vc-more";
  const set = (open: boolean) => {
    body.classList.toggle("vc-folded", !open);
    button.textContent = open ? strings.showLess : strings.showAll;
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => set(body.classList.contains("vc-folded")));
  set(false);
  frame.append(body, button);
  return frame;
}
