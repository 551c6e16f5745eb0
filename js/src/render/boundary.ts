/**
 * Where drawing fails: a message that cannot be drawn is shown as plain text beside the others, and a panel that
 * cannot be drawn gives way to what happened, what was typed, and a way to try again.
 */
import { html, render, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { MessageShown } from "../protocol";
import { strings } from "../strings";
import { copyButton } from "./copy";

/** What `draw` draws, or the message's own text where that fails. */
export function drawnOrPlain(message: MessageShown, draw: () => unknown): unknown {
  try {
    return draw();
  } catch (error) {
    return html`<article class="vc-message vc-broken-message">${plain(message.text, error)}</article>`;
  }
}

/** A text that could not be drawn, as it is, in the place of what was drawn of it. */
export function plainInstead(place: HTMLElement, text: string, error: unknown): void {
  place.replaceChildren();
  render(plain(text, error), place);
}

function plain(text: string, error: unknown): TemplateResult {
  return html`${box(strings.brokenMessage, report(error), [])}
    <pre class="vc-rest">${text}</pre>`;
}

/** In the place of a panel that cannot be drawn. */
export function brokenPanel(error: unknown, draft: string, again: () => void): HTMLElement {
  const node = document.createElement("div");
  node.className = "vc-root vc-broken";
  const retry = document.createElement("button");
  retry.type = "button";
  retry.className = "vc-button";
  retry.textContent = strings.brokenAgain;
  retry.addEventListener("click", again);
  const typed = draft === "" ? [] : [copyButton(() => draft, strings.brokenDraft, "vc-button-text")];
  render(box(strings.brokenPanel, report(error), [retry, ...typed]), node);
  return node;
}

function box(what: string, details: string, buttons: readonly HTMLElement[]): TemplateResult {
  return html`<div class="vc-error" role="alert">
    ${icon("alert")}
    <div class="vc-error-body">
      <p class="vc-error-message">${what}</p>
      <div class="vc-broken-acts">${buttons}${copyButton(() => details, strings.brokenCopy, "vc-button-text")}</div>
      <details class="vc-fold">
        <summary>${strings.details}</summary>
        <pre tabindex="0">${details}</pre>
      </details>
    </div>
  </div>`;
}

/** What somebody who is to mend it needs: no word of the conversation but what the error itself says. */
function report(error: unknown): string {
  const what = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
  return `ValeChat, ${new Date().toISOString()}\n${navigator.userAgent}\n${what}`;
}
