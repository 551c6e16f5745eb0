/** What the question in the composer would cost: a line at its foot, and the figures behind it on hover or focus. */
import { html, nothing, type TemplateResult } from "lit-html";

import { exactCost, formatCost, formatCount, formatLeft, formatSize } from "../format";
import { icon } from "../icons";
import type { EstimateShown } from "../protocol";
import { strings } from "../strings";

/** `id` names the figures; each view of a page has its own. */
export function estimateLine(estimate: EstimateShown | null, id: string): TemplateResult | typeof nothing {
  if (estimate === null) return nothing;
  const { limit, warning } = estimate;
  const left = limit === null ? null : formatLeft(limit.remaining);
  return html`<button
      type="button"
      class=${warning === "" ? "vc-estimate" : "vc-estimate vc-estimate-warns"}
      aria-describedby=${id}
      @keydown=${dismissed}
    >
      ${warning === "" ? nothing : icon("alert")}
      <span class="vc-estimate-tokens">${strings.estimateTokens(formatSize(estimate.input_tokens))}</span>
      <span class="vc-estimate-cost">${likely(estimate)}</span>
      ${left === null ? nothing : html`<span class="vc-estimate-left">${strings.estimateLeft(left)}</span>`}
    </button>
    ${details(estimate, id)}`;
}

function details(estimate: EstimateShown, id: string): TemplateResult {
  const { limit, warning } = estimate;
  return html`<div class="vc-estimate-details" id=${id} role="tooltip" aria-label=${strings.estimateLabel}>
    <dl>
      <dt>${strings.estimateInput}</dt>
      <dd>${strings.estimateInputValue(formatCount(estimate.input_tokens), formatCount(estimate.most_input_tokens))}</dd>
      <dt>${strings.estimateOutput}</dt>
      <dd>${strings.estimateOutputValue(formatCount(estimate.most_output_tokens))}</dd>
      <dt>${strings.estimateCost}</dt>
      <dd>${costs(estimate)}</dd>
      ${limit === null
        ? nothing
        : html`<dt>${capital(limit.title)}</dt>
            <dd>
              ${strings.estimateLimitValue(formatLeft(limit.remaining) ?? limit.remaining, exactCost(limit.amount) ?? limit.amount)}${limit.resets ===
              ""
                ? ""
                : strings.estimateResets(limit.resets)}
            </dd>`}
    </dl>
    ${warning === "" ? nothing : html`<p class="vc-estimate-warning">${icon("alert")}<span>${warning}</span></p>`}
    <p>${strings.estimateNote}</p>
  </div>`;
}

/** The likely cost in a word. Unknown is said so, never as zero. */
function likely(estimate: EstimateShown): string {
  const cost = estimate.likely === null ? null : formatCost(estimate.likely);
  return cost === null ? strings.priceUnknown : `≈ ${cost}`;
}

function costs({ likely, most }: EstimateShown): string {
  const [low, high] = [likely, most].map((amount) => (amount === null ? null : formatCost(amount)));
  return low && high ? strings.estimateCostValue(low, high) : strings.priceUnknown;
}

/** Escape puts the figures away; it stops no answer then. */
function dismissed(event: KeyboardEvent): void {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  (event.currentTarget as HTMLElement).blur();
}

function capital(text: string): string {
  return text.replace(/^the /, "").replace(/^./, (letter) => letter.toUpperCase());
}
