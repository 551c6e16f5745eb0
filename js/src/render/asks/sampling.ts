/** May a plugin's server have a model answer something, at the user's cost? */
import { html, nothing, type TemplateResult } from "lit-html";

import { formatCost, formatCount } from "../../format";
import { icon } from "../../icons";
import type { SamplingShown } from "../../protocol";
import { strings } from "../../strings";
import { visible } from "../../visible";
import type { CardContext } from "./cards";

export function sampling(asked: SamplingShown, { answer, calm }: CardContext): TemplateResult {
  const tokens = formatCount(asked.max_tokens);
  const most = asked.most_cost === null ? null : formatCost(asked.most_cost);
  return html`<h3 class="vc-ask-title">
      ${icon("shield")}<span>${strings.samplingAsk(asked.plugin, asked.model)}</span>
    </h3>
    <p class="vc-ask-text">${most === null ? strings.samplingUnpriced(tokens) : strings.samplingCost(most, tokens)}</p>
    ${asked.system ? part(strings.samplingSystem, asked.system) : nothing} ${part(strings.samplingText, asked.text)}
    <div class="vc-ask-actions">
      <button type="button" class="vc-button" ?disabled=${calm} @click=${() => answer("once")}>${strings.allowOnce}</button>
      <button type="button" class="vc-button-quiet" ?disabled=${calm} @click=${() => answer("no")}>${strings.refuseOnce}</button>
      <span class="vc-ask-lasting">
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("always_plugin")}>
          ${strings.allowAlwaysAsk}
        </button>
        <button type="button" class="vc-button-text" ?disabled=${calm} @click=${() => answer("never")}>
          ${strings.refuseTool}
        </button>
      </span>
    </div>`;
}

function part(label: string, text: string): TemplateResult {
  return html`<h4 class="vc-ask-label">${label}</h4>
    <pre class="vc-ask-pre" tabindex="0" aria-label=${label}>${visible(text)}</pre>`;
}
