/** The end of a plugin's log, which stays at its end while it grows unless one has scrolled up. */
import { html, type TemplateResult } from "lit-html";
import { ref } from "lit-html/directives/ref.js";
import { repeat } from "lit-html/directives/repeat.js";

import type { LogShown } from "../protocol";
import { words } from "../strings";

const NEAR_END = 24;

export function logView(lines: readonly LogShown[] | undefined): TemplateResult {
  if (!lines) return html`<p class="vcp-muted">${words.loading}</p>`;
  if (lines.length === 0) return html`<p class="vcp-muted">${words.emptyLog}</p>`;
  return html`<div class="vcp-log" role="log" aria-live="off" aria-label=${words.log} tabindex="0" ${ref((element) => follow(element))}>
    ${repeat(
      lines,
      (line) => line,
      (line) => html`<div class="vcp-log-line vcp-log-${line.level}">
        <time>${line.at}</time><span class="vcp-log-source">${line.source}</span><span class="vcp-log-text">${line.text}</span>
      </div>`,
    )}
  </div>`;
}

function follow(element: Element | undefined): void {
  if (!(element instanceof HTMLElement)) return;
  // Called before this drawing's lines are in place: where it stands now is where the reader is.
  const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END;
  if (near) requestAnimationFrame(() => (element.scrollTop = element.scrollHeight));
}
