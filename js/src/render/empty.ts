/** What stands in an empty conversation: who answers, at what price, and three questions to click. */
import { html, type TemplateResult } from "lit-html";

import { formatPrice, isZero } from "../format";
import { icon } from "../icons";
import type { ModelShown } from "../protocol";
import { strings } from "../strings";
import type { View } from "../store";

export function emptyState(view: View, ask: (text: string) => void): TemplateResult {
  const model = view.models.find((m) => m.id === view.model);
  const usable = model?.usable ?? false;
  return html`<div class="vc-empty">
    <h2>${strings.emptyTitle}</h2>
    <p class="vc-empty-model">${introduction(view.model, model)}</p>
    <ul class="vc-examples" aria-label=${strings.examplesLabel}>
      ${strings.examples.map(
        (text) => html`<li>
          <button type="button" ?disabled=${!usable} @click=${() => ask(text)}>
            <span>${text}</span>${icon("send")}
          </button>
        </li>`,
      )}
    </ul>
  </div>`;
}

function introduction(id: string, model: ModelShown | undefined): TemplateResult | string {
  if (!model) return id === "" ? strings.emptyNoModel : html`<strong>${id}</strong>`;
  if (!model.usable) return html`<strong>${model.name || id}</strong>: ${model.why || strings.notUsable}`;
  return html`<strong>${model.name || id}</strong> ${terms(model)}`;
}

function isFree({ input_price: input, output_price: output }: ModelShown): boolean {
  return [input, output].every((price) => price === null || isZero(price));
}

function terms(model: ModelShown): string {
  if (model.demo) return isFree(model) ? strings.emptyDemo : strings.emptyDemoPriced;
  if (model.local) return strings.emptyLocal;
  const input = model.input_price === null ? null : formatPrice(model.input_price);
  const output = model.output_price === null ? null : formatPrice(model.output_price);
  return input === null || output === null ? strings.emptyUnpriced : strings.emptyPriced(input, output);
}
