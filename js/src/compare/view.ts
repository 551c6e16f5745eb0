/** A question and its answers beside each other; below each other where there is no room. */
import { html, nothing, type TemplateResult } from "lit-html";
import { guard } from "lit-html/directives/guard.js";
import { repeat } from "lit-html/directives/repeat.js";

import type { AskShown, ComparisonShown, MessageShown } from "../protocol";
import type { MessageViews } from "../render/message";
import type { View } from "../store";
import { comparing } from "./store";
import { strings } from "./strings";

const NO_ASKS: readonly AskShown[] = [];

export function comparisonView(view: View, messages: MessageViews, keep: (answer: string) => void): TemplateResult | typeof nothing {
  const { comparison } = view;
  if (!comparison) return nothing;
  const best = awards(comparison);
  return html`<section class="vc-comparison" aria-label=${strings.answers}>
    ${guard([comparison.question], () => messages.question(comparison.question))}
    <div class="vc-columns" style=${`--vc-columns: ${comparison.answers.length}`}>
      ${repeat(
        comparison.answers,
        (answer) => answer.id,
        (answer) => column(answer, view, messages, best.get(answer.id) ?? [], keep),
      )}
    </div>
  </section>`;
}

function column(
  answer: MessageShown,
  view: View,
  messages: MessageViews,
  best: readonly string[],
  keep: (answer: string) => void,
): TemplateResult {
  const live = answer.status === "streaming" && view.link !== "gone";
  const asks = live ? view.asks : NO_ASKS;
  const rest = view.rests[answer.id] ?? [];
  const title = strings.keepTitle(answer.model);
  return html`<section class="vc-column" aria-label=${answer.model}>
    <header class="vc-column-head">
      <span class="vc-column-model">${answer.model}</span>
      ${best.length > 0
        ? html`<span class="vc-column-awards">${best.map((award) => html`<span class="vc-chip vc-column-best">${award}</span>`)}</span>`
        : nothing}
      ${!live && answer.text !== "" && view.link !== "gone"
        ? html`<button type="button" class="vc-button" title=${title} aria-label=${title} @click=${() => keep(answer.id)}>${strings.keep}</button>`
        : nothing}
    </header>
    ${guard([answer, live, rest, asks.length > 0 ? {} : null, view.results], () =>
      messages.answer(answer, { live, retry: null, rest, asks, results: view.results }),
    )}
  </section>`;
}

/** Who was fastest and cheapest, once all have answered and it can be said. */
function awards(comparison: ComparisonShown): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const whole = comparison.answers.filter((answer) => answer.status === "complete");
  if (whole.length < 2 || comparing(comparison).length > 0) return found;
  const give = (award: string, of: (answer: MessageShown) => number | null) => {
    const figures = whole.map(of);
    const known = figures.filter((one): one is number => one !== null);
    const least = Math.min(...known);
    if (known.length < whole.length || known.filter((one) => one === least).length !== 1) return;
    const winner = whole[figures.indexOf(least)];
    if (winner) found.set(winner.id, [...(found.get(winner.id) ?? []), award]);
  };
  give(strings.fastest, (answer) => answer.duration_ms);
  // Compared, not added: a double tells two prices apart well enough.
  give(strings.cheapest, (answer) => (answer.cost === null ? null : Number(answer.cost)));
  return found;
}
