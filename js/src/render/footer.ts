/** The line below an answer: who answered, how fast, how many tokens, what it cost. */
import { html, nothing, type TemplateResult } from "lit-html";

import { exactCost, formatCost, formatCount, formatDuration } from "../format";
import type { MessageShown } from "../protocol";
import { strings } from "../strings";

/** The figures of a finished answer. */
export function figures(message: MessageShown): TemplateResult {
  const { model, first_token_ms: first, duration_ms: duration } = message;
  return html`<span class="vc-figure vc-figure-model" title=${model}>${shortName(model)}</span>
    ${first === null ? nothing : html`<span class="vc-figure">${strings.firstToken(formatDuration(first))}</span>`}
    ${duration === null
      ? nothing
      : html`<span class="vc-figure" title=${strings.durationTitle}>${formatDuration(duration)}</span>`}
    ${tokens(message)} ${cost(message)}`;
}

/** `openai/gpt-5-mini` as `gpt-5-mini`: the full name is in the title. */
export function shortName(model: string): string {
  return model.slice(model.indexOf("/") + 1);
}

function tokens({ input_tokens: input, output_tokens: output }: MessageShown): TemplateResult | typeof nothing {
  if (input === null && output === null) return nothing;
  const text = strings.tokens(count(input), count(output));
  return html`<span class="vc-figure" title=${strings.tokensTitle}>${text}</span>`;
}

function count(tokens: number | null): string {
  return tokens === null ? "?" : formatCount(tokens);
}

/** Cost of one answer. Unknown is said in words and never as zero. */
export function cost(message: Pick<MessageShown, "cost" | "cost_source">): TemplateResult | typeof nothing {
  const { cost, cost_source: source } = message;
  const short = cost === null ? null : formatCost(cost);
  if (source === "unpriced" || (source !== null && short === null)) {
    return html`<span class="vc-figure vc-cost" title=${strings.priceUnknownTitle}>${strings.priceUnknown}</span>`;
  }
  if (cost === null || short === null) return nothing;
  const exact = exactCost(cost) ?? short;
  const title =
    source === "estimated"
      ? strings.estimatedTitle(exact)
      : source === "reported"
        ? strings.reportedTitle(exact)
        : strings.pricedTitle(exact);
  return html`<span class="vc-figure vc-cost" title=${title}>${source === "estimated" ? `≈ ${short}` : short}</span>`;
}

/** Cost of the conversation, with how many of its requests are not in it. */
export function total(totalCost: string | null, unpriced: number): TemplateResult | typeof nothing {
  const short = totalCost === null ? null : formatCost(totalCost);
  if (short === null && unpriced === 0) return nothing;
  const exact = totalCost === null ? null : exactCost(totalCost);
  return html`<span class="vc-total" role="group" aria-label=${strings.totalLabel}>
    ${short === null ? nothing : html`<span class="vc-total-cost" title=${strings.totalTitle(exact ?? short)}>${short}</span>`}
    ${unpriced > 0
      ? html`<span class="vc-total-unpriced" title=${strings.unpricedTitle}
          >${short === null ? "" : "+ "}${strings.unpriced(formatCount(unpriced))}</span
        >`
      : nothing}
  </span>`;
}
