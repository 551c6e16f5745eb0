/** A plugin's entry in the file, secrets hidden, and what of it is changed here: timeouts and permissions. */
import { html, nothing, type TemplateResult } from "lit-html";

import type { Change, PluginShown } from "../protocol";
import type { Store } from "../store";
import { words } from "../strings";
import { errorOf } from "./result";

export class ConfigurationView {
  private readonly wrong = new Map<string, string>();

  constructor(
    private readonly store: Store,
    private readonly prefix: string,
  ) {}

  draw(plugin: PluginShown): TemplateResult {
    const found = this.store.configurations.get(plugin.id);
    if (!found) return html`<p class="vcp-muted">${words.loading}</p>`;
    const place = `change ${plugin.id}`;
    const outcome = this.store.outcomes.get(place);
    const id = `${this.prefix}-conf-${plugin.id}`;
    return html`<p class="vcp-label">${words.configurationText}</p>
      <pre class="vcp-pre" tabindex="0" aria-label=${words.configurationText}>${found.text}</pre>
      <form class="vcp-conf" novalidate @submit=${(event: Event) => this.save(event, plugin.id)}>
        <div class="vcp-two">
          ${this.seconds(`${id}-start`, "timeout", words.timeout, found.timeout)}
          ${this.seconds(`${id}-call`, "call_timeout", words.callTimeout, found.call_timeout)}
        </div>
        <div class="vcp-field">
          <label class="vcp-label" for=${`${id}-permissions`}>${words.permissions}</label>
          <textarea id=${`${id}-permissions`} name="permissions" class="vcp-code" rows=${found.permissions ? 5 : 2} spellcheck="false" aria-describedby=${`${id}-hint`} .defaultValue=${found.permissions}></textarea>
          <span class="vcp-hint" id=${`${id}-hint`}>${words.permissionsHint}</span>
        </div>
        <div class="vcp-actions">
          <button type="submit" class="vcp-button" ?disabled=${outcome?.busy ?? false}>${outcome?.busy ? words.saving : words.save}</button>
          ${outcome && !outcome.busy && !outcome.error ? html`<span class="vcp-muted" role="status">${words.saved}</span>` : nothing}
          <span class="vcp-wrong" role="alert">${this.wrong.get(plugin.id) ?? ""}</span>
        </div>
        ${outcome?.error ? errorOf(outcome.error) : nothing}
      </form>`;
  }

  private seconds(id: string, name: string, title: string, value: number): TemplateResult {
    return html`<div class="vcp-field">
      <label class="vcp-label" for=${id}>${title}, ${words.seconds}</label>
      <input id=${id} name=${name} type="text" inputmode="decimal" autocomplete="off" .defaultValue=${String(value)} />
    </div>`;
  }

  private save(event: Event, id: string): void {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const fields: Record<string, unknown> = {};
    let problem = "";
    for (const name of ["timeout", "call_timeout"]) {
      const value = Number(data.get(name));
      if (!(value > 0) || !Number.isFinite(value)) problem = words.notSeconds;
      fields[name] = value;
    }
    const permissions = String(data.get("permissions") ?? "").trim();
    try {
      fields["permissions"] = permissions === "" ? null : (JSON.parse(permissions) as unknown);
    } catch (error) {
      problem = words.noJson(error instanceof Error ? error.message : String(error));
    }
    this.wrong.set(id, problem);
    if (problem === "") this.store.ask<Change>(`change ${id}`, { type: "change", id, fields: JSON.stringify(fields) });
    else this.store.changed();
  }
}
