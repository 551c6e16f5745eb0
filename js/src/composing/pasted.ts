/** A long text that was pasted may better be a file: its offer, above the composer's text. */
import { html, render } from "lit-html";

import { formatBytes } from "../format";
import { icon } from "../icons";
import { strings } from "../variables/strings";

/** From this many characters or lines on. */
const LONG = { characters: 4_000, lines: 60 };

/** Whether a pasted text is worth the question. */
export function isLong(text: string): boolean {
  return text.length >= LONG.characters || text.split("\n", LONG.lines + 1).length > LONG.lines;
}

/** A file of the text, named by what it seems to be. */
export function asFile(text: string): File {
  const json = /^\s*[[{]/.test(text) && parses(text);
  const [name, type] = json ? ["pasted.json", "application/json"] : ["pasted.txt", "text/plain"];
  return new File([text], name, { type });
}

/** The offer. `attach` is called when it is taken; it takes itself away then, and when it is put away. */
export function pasteOffer(text: string, attach: () => void): HTMLElement {
  const node = document.createElement("div");
  node.className = "vc-pasted";
  node.setAttribute("role", "status");
  const away = () => node.remove();
  render(
    html`<span>${strings.pasted(formatBytes(new TextEncoder().encode(text).length))}</span>
      <button
        type="button"
        class="vc-button-text"
        @click=${() => {
          away();
          attach();
        }}
      >
        ${strings.pastedAttach}
      </button>
      <button type="button" class="vc-button-icon" aria-label=${strings.close} title=${strings.close} @click=${away}>${icon("close")}</button>`,
    node,
  );
  return node;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
