/** May this tool run? Asked on the call's own card, or, where there is none, with the call in it. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../../icons";
import type { ApprovalShown } from "../../protocol";
import { strings } from "../../strings";
import { spelled } from "../json";
import type { CardContext } from "./cards";

export function approval(asked: ApprovalShown, { answer, calm }: CardContext, within: boolean): TemplateResult {
  return html`<h3 class="vc-ask-title">
      ${icon("shield")}<span>${strings.toolAsk(asked.plugin, asked.tool)}</span>
    </h3>
    ${asked.changed ? html`<p class="vc-ask-warning">${icon("alert")}<span>${strings.toolChanged}</span></p>` : nothing}
    ${asked.title && asked.title !== asked.tool ? html`<p class="vc-ask-text">${asked.title}</p>` : nothing}
    ${asked.description ? html`<p class="vc-ask-description">${asked.description}</p>` : nothing}
    ${hint(asked)}
    ${within
      ? nothing
      : html`<h4 class="vc-ask-label">${strings.toolArguments}</h4>
          <pre class="vc-ask-pre" tabindex="0" aria-label=${strings.toolArguments}>${spelled(asked.arguments)}</pre>`}
    <div class="vc-ask-actions">
      <button type="button" class="vc-button" ?disabled=${calm} @click=${() => answer("once")}>${strings.allowOnce}</button>
      <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("no")}>${strings.refuseOnce}</button>
      ${asked.each_time ? nothing : html`<span class="vc-ask-lasting">
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("always_tool")}>
          ${strings.allowTool}
        </button>
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("always_plugin")}>
          ${strings.allowPlugin}
        </button>
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("never")}>
          ${strings.refuseTool}
        </button>
      </span>`}
    </div>`;
}

/** What the server says of its tool, marked as its words. */
function hint(asked: ApprovalShown): TemplateResult {
  const text = asked.read_only ? strings.toolReadOnly : asked.destructive ? strings.toolChanges : strings.toolMayChange;
  const kind = asked.read_only ? "vc-hint-reads" : "vc-hint-changes";
  return html`<p class="vc-ask-hint ${kind}">${icon(asked.read_only ? "info" : "alert")}<span>${text}</span></p>`;
}
