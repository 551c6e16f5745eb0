/** A page to open: its whole address, a link that tells it nothing of this page, and a box for where it ends. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../../icons";
import type { VisitShown } from "../../protocol";
import { strings } from "../../strings";
import { copyButton } from "../copy";
import type { CardContext } from "./cards";

/** Addresses that a click may follow. */
const WEB = /^https?:\/\//i;

export function visit(id: string, asked: VisitShown, { answer, calm }: CardContext): TemplateResult {
  const pasted = (event: Event) => {
    event.preventDefault();
    const field = (event.currentTarget as HTMLElement).querySelector("input");
    const text = field?.value.trim() ?? "";
    if (text === "") field?.focus();
    else answer("accept", text);
  };
  return html`<h3 class="vc-ask-title">${icon("key")}<span>${strings.visitAsk(asked.plugin)}</span></h3>
    ${asked.message ? html`<p class="vc-ask-text">${asked.message}</p>` : nothing}
    <div class="vc-ask-address">
      <code class="vc-ask-url" tabindex="0">${asked.url}</code>${copyOf(asked.url)}
    </div>
    ${WEB.test(asked.url) ? nothing : html`<p class="vc-ask-warning">${icon("alert")}<span>${strings.visitUnsafe}</span></p>`}
    <div class="vc-ask-actions">
      ${WEB.test(asked.url)
        ? html`<a class="vc-button vc-ask-open" href=${asked.url} target="_blank" rel="noopener noreferrer">
            ${icon("external")}${strings.visitOpen}
          </a>`
        : nothing}
      ${asked.paste
        ? nothing
        : html`<button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("accept", "")}>
            ${strings.visitOpened}
          </button>`}
      <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("decline")}>${strings.visitCancel}</button>
    </div>
    ${asked.paste
      ? html`<form class="vc-ask-paste" novalidate @submit=${pasted}>
          <label class="vc-ask-label" for="vc-paste-${id}">${strings.visitPaste}</label>
          <div class="vc-ask-row">
            <input class="vc-input" id="vc-paste-${id}" type="text" autocomplete="off" spellcheck="false" />
            <button type="submit" class="vc-button-quiet" ?disabled=${calm}>${strings.visitPasted}</button>
          </div>
        </form>`
      : nothing}`;
}

const copies = new Map<string, HTMLButtonElement>();

/** The same button for the same address, so that its flash survives a drawing. */
function copyOf(url: string): HTMLButtonElement {
  let button = copies.get(url);
  if (!button) {
    copies.clear();
    button = copyButton(() => url, "", "vc-button-icon");
    button.setAttribute("aria-label", strings.copyCode);
    button.title = strings.copyCode;
    copies.set(url, button);
  }
  return button;
}
