/** The providers: where each key was found, entering and forgetting keys, and a server of one's own. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../icons";
import type { ProviderSettingShown } from "../protocol";
import type { KeyForms } from "../render/keyform";
import { strings } from "./strings";
import type { Outcome } from "./talk";

export interface ProviderActions {
  readonly forms: KeyForms;
  readonly forget: (provider: string) => Promise<Outcome>;
  readonly add: (name: string, address: string) => Promise<Outcome>;
  readonly redraw: () => void;
}

export class Providers {
  private filter = "";
  private entering = "";
  private sure = "";
  private problem: Outcome = null;
  private adding: Outcome = null;

  constructor(private readonly actions: ProviderActions) {}

  /** A key was stored: its form is not needed any more. */
  settled(): void {
    this.entering = "";
  }

  draw(providers: readonly ProviderSettingShown[]): TemplateResult {
    const found = providers.filter((one) => one.name.includes(this.filter));
    return html`<input
        type="search"
        class="vc-input vc-settings-filter"
        aria-label=${strings.providerFilter}
        placeholder=${strings.providerFilter}
        .value=${this.filter}
        @input=${(event: Event) => this.become(() => (this.filter = (event.target as HTMLInputElement).value.trim().toLowerCase()))}
      />
      <ul class="vc-providers">
        ${repeat(
          found,
          (one) => one.name,
          (one) => this.row(one),
        )}
      </ul>
      ${this.problem ? wrong(this.problem) : nothing} ${this.form()}`;
  }

  private row(one: ProviderSettingShown): TemplateResult {
    const state = one.source !== "" ? strings.keyIn(one.source) : one.local ? strings.keyLocal : strings.keyNone;
    const form = this.entering === one.name ? this.actions.forms.at("settings", one.name) : null;
    return html`<li class="vc-provider">
      <div class="vc-provider-line">
        <span class="vc-provider-name">${one.name}<small>${one.base_url}</small></span>
        <span class="vc-chip ${one.source === "" ? "" : "vc-provider-ready"}">${state}</span>
        <span class="vc-provider-acts">
          <button type="button" class="vc-button-text" aria-label=${`${one.name}: ${enter(one)}`} @click=${() => this.open(one.name)}>
            ${enter(one)}
          </button>
          ${one.stored
            ? html`<button type="button" class="vc-button-text" aria-label=${`${one.name}: ${strings.keyForget}`} @click=${() => void this.forget(one.name)}>
                ${this.sure === one.name ? strings.keyForgetSure : strings.keyForget}
              </button>`
            : nothing}
        </span>
      </div>
      ${form?.node ?? nothing}
    </li>`;
  }

  private form(): TemplateResult {
    return html`<details class="vc-fold vc-settings-add">
      <summary>${strings.providerNew}</summary>
      <form class="vc-settings-form" novalidate @submit=${(event: SubmitEvent) => void this.add(event)}>
        <label>${strings.providerName}<input name="name" class="vc-input" autocomplete="off" spellcheck="false" placeholder="mylab" /></label>
        <small>${strings.providerNameHelp}</small>
        <label
          >${strings.providerUrl}<input name="url" class="vc-input" autocomplete="off" spellcheck="false" placeholder="http://127.0.0.1:8000/v1"
        /></label>
        <small>${strings.providerUrlHelp}</small>
        ${this.adding ? wrong(this.adding) : nothing}
        <button type="submit" class="vc-button">${strings.add}</button>
      </form>
    </details>`;
  }

  private open(provider: string): void {
    this.become(() => (this.entering = this.entering === provider ? "" : provider));
    if (this.entering !== "") this.actions.forms.at("settings", provider)?.focus();
  }

  private async forget(provider: string): Promise<void> {
    if (this.sure !== provider) {
      this.become(() => (this.sure = provider));
      return;
    }
    const outcome = await this.actions.forget(provider);
    this.become(() => {
      this.sure = "";
      this.problem = outcome;
    });
  }

  private async add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const typed = new FormData(form);
    const outcome = await this.actions.add(String(typed.get("name")).trim(), String(typed.get("url")).trim());
    if (outcome === null) form.reset();
    this.become(() => (this.adding = outcome));
  }

  private become(change: () => void): void {
    change();
    this.actions.redraw();
  }
}

function enter(one: ProviderSettingShown): string {
  return one.stored ? strings.keyReplace : strings.keyEnter;
}

export function wrong(problem: Exclude<Outcome, null>): TemplateResult {
  return html`<p class="vc-setting-wrong" role="alert">${icon("alert")}<span>${`${problem.message} ${problem.fix}`.trim()}</span></p>`;
}
