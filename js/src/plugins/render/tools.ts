/** A plugin's tools: what each does, a switch, and a form to try it. Drawn when unfolded, the first hundred at first. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../../icons";
import type { PluginShown, Switch, ToolShown } from "../protocol";
import { type Store, toolKey } from "../store";
import { words } from "../strings";
import { errorOf, resultOf } from "./result";
import { type FieldOf, fieldsOf, fill, schemaForm, valuesOf } from "./schemaform";

const FIRST = 100;
const SEARCH_FROM = 9;

export class ToolList {
  private readonly shown = new Map<string, number>();
  private readonly searched = new Map<string, string>();
  private readonly asJson = new Set<string>();
  private readonly typed = new Map<string, string>();
  private readonly wrong = new Map<string, string>();

  constructor(
    private readonly store: Store,
    private readonly prefix: string,
  ) {}

  draw(plugin: PluginShown): TemplateResult {
    const all = this.store.tools.get(plugin.id);
    if (!all) return html`<p class="vcp-muted">${words.loading}</p>`;
    const search = this.searched.get(plugin.id) ?? "";
    const wanted = search === "" ? all : all.filter((tool) => matches(tool, search));
    const most = this.shown.get(plugin.id) ?? FIRST;
    const left = wanted.length - most;
    const outcome = this.store.outcomes.get(`switch ${plugin.id}`);
    return html`${all.length < SEARCH_FROM
      ? nothing
      : html`<label class="vcp-search">${icon("search")}<span class="vc-offscreen">${words.findTool}</span>
          <input type="search" placeholder=${words.findTool} .value=${search} @input=${(event: Event) => this.search(plugin.id, event)} /></label>`}
    ${outcome?.error ? errorOf(outcome.error) : nothing}
    <ul class="vcp-tools">
      ${repeat(wanted.slice(0, most), (tool) => tool.name, (tool) => this.row(plugin, tool))}
    </ul>
    ${wanted.length === 0 ? html`<p class="vcp-muted">${words.noTool}</p>` : nothing}
    ${left <= 0
      ? nothing
      : html`<button type="button" class="vc-button-text" @click=${() => this.more(plugin.id, most + 200)}>${words.moreTools(left)}</button>`}`;
  }

  private row(plugin: PluginShown, tool: ToolShown): TemplateResult {
    const key = toolKey(plugin.id, tool.name);
    const trying = this.store.trying.has(key);
    const running = plugin.state === "running";
    return html`<li class="vcp-tool ${tool.enabled ? "" : "vcp-off"}">
      <div class="vcp-tool-head">
        <input
          type="checkbox"
          role="switch"
          class="vcp-switch"
          aria-label=${words.offer(tool.name)}
          .checked=${tool.enabled}
          ?disabled=${this.store.busy(`switch ${plugin.id}`)}
          @change=${(event: Event) => this.switch(plugin.id, tool.name, event)}
        />
        <div class="vcp-tool-text">
          <p class="vcp-tool-name">
            <code>${tool.name}</code>
            ${tool.title && tool.title !== tool.name ? html`<span class="vcp-muted">${tool.title}</span>` : nothing}
            ${tool.read_only ? html`<span class="vcp-tag" title=${words.readOnlyTitle}>${words.readOnly}</span>` : nothing}
          </p>
          ${tool.problem ? html`<p class="vcp-tool-problem">${tool.problem}</p>` : nothing}
          ${tool.description ? html`<p class="vcp-tool-about">${tool.description}</p>` : nothing}
        </div>
        <span class="vcp-tokens vcp-muted" title=${words.tokensTitle}>${words.count(tool.tokens, "token")}</span>
        <button
          type="button"
          class="vc-button-text"
          aria-expanded=${String(trying)}
          aria-label=${words.tryTool(tool.name)}
          ?disabled=${!running && !trying}
          @click=${() => this.toggle(plugin.id, tool.name)}
        >
          ${words.tryIt}
        </button>
      </div>
      ${trying ? this.trial(plugin, tool, key) : nothing}
    </li>`;
  }

  private trial(plugin: PluginShown, tool: ToolShown, key: string): TemplateResult {
    const schema = this.store.schemas.get(key);
    if (schema === undefined) return html`<p class="vcp-muted">${words.loading}</p>`;
    const fields = fieldsOf(parsed(schema));
    const json = this.asJson.has(key);
    const trial = this.store.trials.get(key);
    const id = `${this.prefix}-try-${plugin.id}-${tool.name}`;
    const wrong = this.wrong.get(key) ?? "";
    return html`<form
      class="vcp-trial"
      novalidate
      @submit=${(event: Event) => this.run(event, plugin.id, tool.name, fields, trial?.call ?? null)}
    >
      ${fields.length === 0 && !json
        ? html`<p class="vcp-muted">${words.noArguments}</p>`
        : json
          ? html`<div class="vcp-field">
              <label class="vcp-label" for=${`${id}-json`}>${words.arguments}</label>
              <textarea id=${`${id}-json`} class="vcp-code vcp-json" rows="6" spellcheck="false" .defaultValue=${this.typed.get(key) ?? "{}"}></textarea>
              <span class="vcp-wrong" role="alert">${wrong}</span>
            </div>`
          : schemaForm(id, fields)}
      <div class="vcp-actions">
        <button type="submit" class="vc-button ${trial?.call ? "vcp-quiet" : ""}">${trial?.call ? words.stop : words.run}</button>
        <div class="vcp-segments" role="group" aria-label=${words.asFormLabel}>
          <button type="button" aria-pressed=${String(!json)} @click=${(event: Event) => this.form(event, key, fields)}>${words.asForm}</button>
          <button type="button" aria-pressed=${String(json)} @click=${(event: Event) => this.json(event, key, fields)}>${words.asJson}</button>
        </div>
        ${trial?.call ? html`<span class="vcp-muted" role="status">${trial.progress || words.running}</span>` : nothing}
      </div>
      ${trial?.result ? resultOf(trial.result) : nothing}
    </form>`;
  }

  private run(event: Event, id: string, tool: string, fields: readonly FieldOf[], call: string | null): void {
    event.preventDefault();
    if (call !== null) {
      this.store.send({ type: "stop_call", call });
      return;
    }
    const form = event.currentTarget as HTMLElement;
    const key = toolKey(id, tool);
    const area = form.querySelector<HTMLTextAreaElement>(".vcp-json");
    if (!area) {
      const values = valuesOf(form, fields);
      if (values) this.store.call(id, tool, JSON.stringify(values));
      return;
    }
    const problem = objectProblem(area.value);
    this.wrong.set(key, problem);
    if (problem === "") this.store.call(id, tool, area.value);
    else this.store.changed();
  }

  private json(event: Event, key: string, fields: readonly FieldOf[]): void {
    const form = (event.currentTarget as HTMLElement).closest("form");
    if (!form || this.asJson.has(key)) return;
    const values: Record<string, unknown> = form.querySelector(".vcp-fields") ? (valuesOf(form, fields.map((f) => ({ ...f, required: false }))) ?? {}) : {};
    this.typed.set(key, JSON.stringify(values, null, 2));
    this.asJson.add(key);
    this.store.changed();
  }

  private form(event: Event, key: string, fields: readonly FieldOf[]): void {
    const form = (event.currentTarget as HTMLElement).closest("form");
    const area = form?.querySelector<HTMLTextAreaElement>(".vcp-json");
    if (!form || !area) return;
    const values = parsed(area.value);
    this.asJson.delete(key);
    this.wrong.delete(key);
    this.store.changed();
    requestAnimationFrame(() => {
      if (typeof values === "object" && values !== null) fill(form, fields, values as Record<string, unknown>);
    });
  }

  private toggle(id: string, tool: string): void {
    const key = toolKey(id, tool);
    if (this.store.trying.delete(key)) {
      this.store.changed();
      return;
    }
    this.store.trying.add(key);
    if (!this.store.schemas.has(key)) this.store.send({ type: "ask_schema", id, tool });
    this.store.changed();
  }

  private switch(id: string, tool: string, event: Event): void {
    const on = (event.currentTarget as HTMLInputElement).checked;
    this.store.ask<Switch>(`switch ${id}`, { type: "switch", id, tool, on });
  }

  private search(id: string, event: Event): void {
    this.searched.set(id, (event.currentTarget as HTMLInputElement).value);
    this.shown.delete(id);
    this.store.changed();
  }

  private more(id: string, most: number): void {
    this.shown.set(id, most);
    this.store.changed();
  }
}

function matches(tool: ToolShown, search: string): boolean {
  const text = `${tool.name} ${tool.title} ${tool.description}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null; // what cannot be read has no fields
  }
}

function objectProblem(text: string): string {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? "" : words.noObject;
  } catch (error) {
    return words.noJson(error instanceof Error ? error.message : String(error));
  }
}
