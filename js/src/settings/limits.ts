/** Limits: over all, of one model, and what may be asked of a provider in a minute. */
import { html, nothing, type TemplateResult } from "lit-html";

import { strings } from "./strings";
import type { Outcome } from "./talk";
import { wrong } from "./providers";

export interface LimitActions {
  readonly change: (changes: Readonly<Record<string, string>>) => Promise<Outcome>;
  readonly redraw: () => void;
}

/** A setting's place in words: `limits.models.openai/gpt-5.daily` is the model and `daily`. */
export function ofOne(name: string, table: string): { readonly of: string; readonly part: string } | null {
  if (!name.startsWith(table)) return null;
  const rest = name.slice(table.length);
  const dot = rest.lastIndexOf(".");
  return { of: rest.slice(0, dot), part: rest.slice(dot + 1) };
}

/** A form that adds a limit for a model, or for a provider. */
export class LimitForm {
  private problem: Outcome = null;

  constructor(
    private readonly what: "models" | "rate",
    private readonly actions: LimitActions,
  ) {}

  draw(offers: readonly string[]): TemplateResult {
    const models = this.what === "models";
    const list = `vc-limit-${this.what}`;
    return html`<details class="vc-fold vc-settings-add">
      <summary>${models ? strings.addModelLimit : strings.addRateLimit}</summary>
      <form class="vc-settings-form" novalidate @submit=${(event: SubmitEvent) => void this.add(event)}>
        <label>${models ? strings.model : strings.provider}<input name="of" class="vc-input" list=${list} autocomplete="off" spellcheck="false" /></label>
        <datalist id=${list}>${offers.map((one) => html`<option>${one}</option>`)}</datalist>
        <label>${models ? strings.amount : strings.requests}<input name="amount" class="vc-input" inputmode="decimal" autocomplete="off" /></label>
        ${this.problem ? wrong(this.problem) : nothing}
        <button type="submit" class="vc-button">${strings.add}</button>
      </form>
    </details>`;
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const typed = new FormData(form);
    const field = this.what === "models" ? "monthly" : "requests_per_minute";
    const of = String(typed.get("of")).trim();
    const amount = String(typed.get("amount")).trim();
    const empty = of === "" || amount === "";
    this.problem = empty ? null : await this.actions.change({ [`limits.${this.what}.${of}.${field}`]: amount });
    if (!empty && this.problem === null) form.reset();
    this.actions.redraw();
  }
}
