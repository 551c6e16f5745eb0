/** May a plugin's sandbox be widened by this? The value is drawn whole: it is exactly what is granted. */
import { html, type TemplateResult } from "lit-html";

import { grants } from "../../grants";
import { icon } from "../../icons";
import type { GrantShown } from "../../protocol";
import type { CardContext } from "./cards";

export function grant(asked: GrantShown, { answer, calm }: CardContext): TemplateResult {
  return html`<h3 class="vc-ask-title">${icon("shield")}<span>${grants.ask(asked.plugin)}</span></h3>
    <pre class="vc-ask-pre" tabindex="0">${grants.what(asked.permit, asked.value)}</pre>
    <p class="vc-ask-text">${asked.proven ? grants.proven : grants.seen} ${grants.lasts}</p>
    <div class="vc-ask-actions">
      <button type="button" class="vc-button" ?disabled=${calm} @click=${() => answer("accept")}>
        ${grants.allow(asked.permit, asked.value)}
      </button>
      <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("decline")}>${grants.decline}</button>
    </div>`;
}
