/** An error in place: what happened, what to do, the rest folded, and the key form where a key is the cure. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { ErrorShown } from "../protocol";
import { strings } from "../strings";
import type { KeyForm } from "./keyform";

/** Longer messages are cut here and told in full under details. */
const MOST = 280;

export function errorBox(error: ErrorShown, form: KeyForm | null): TemplateResult {
  const long = error.message.length > MOST;
  return html`<div class="vc-error" role="alert">
    ${icon("alert")}
    <div class="vc-error-body">
      <p class="vc-error-message">${long ? `${error.message.slice(0, MOST)}…` : error.message}</p>
      ${error.fix ? html`<p class="vc-error-fix">${error.fix}</p>` : nothing} ${form?.node ?? nothing}
      <details class="vc-fold">
        <summary>${strings.details}</summary>
        <pre tabindex="0">${error.kind}${error.provider ? ` (${error.provider})` : ""}${long ? `\n${error.message}` : ""}</pre>
      </details>
    </div>
  </div>`;
}

/** News outside any answer: an error, or a line that something went well. */
export function noticeBox(text: string, error: ErrorShown | null, form: KeyForm | null): TemplateResult | typeof nothing {
  if (error) return errorBox(error, form);
  return text === "" ? nothing : html`<p class="vc-good" role="status">${icon("check")}<span>${text}</span></p>`;
}
