/** One plugin: how it is, what can be done with it, and its parts, each drawn when it is unfolded. */
import { html, nothing, type TemplateResult } from "lit-html";

import { formatDuration } from "../../format";
import { grants } from "../../grants";
import { icon } from "../../icons";
import type { Act, PluginShown, ProblemShown, SetSecret } from "../protocol";
import type { Store } from "../store";
import { words } from "../strings";
import { ConfigurationView } from "./configuration";
import { logView } from "./log";
import { needsOf, permitsOf } from "./needs";
import { errorOf } from "./result";
import { ToolList } from "./tools";

type Part = "tools" | "configuration" | "log";

export class Cards {
  private readonly tools: ToolList;
  private readonly configuration: ConfigurationView;
  private readonly open = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly prefix: string,
  ) {
    this.tools = new ToolList(store, prefix);
    this.configuration = new ConfigurationView(store, prefix);
  }

  /** Every part that is open is asked for again: the kernel forgot, or is another. */
  renew(): void {
    for (const key of this.open) {
      const [id = "", part] = key.split("\n");
      this.store.send({ type: "unfold", id, part: part as Part, open: true });
    }
  }

  draw(plugin: PluginShown): TemplateResult {
    const title = `${this.prefix}-${plugin.id}`;
    const place = `card ${plugin.id}`;
    const outcome = this.store.outcomes.get(place);
    return html`<article class="vcp-card vcp-${plugin.state} ${plugin.enabled ? "" : "vcp-disabled"}" aria-labelledby=${title}>
      <header class="vcp-card-head">
        <span class="vcp-dot" aria-hidden="true"></span>
        <div class="vcp-names">
          <h4 class="vcp-name" id=${title}>${plugin.name}</h4>
          <p class="vcp-line">${this.line(plugin)}</p>
        </div>
        <div class="vcp-verbs">${this.verbs(plugin, place)}</div>
      </header>
      ${plugin.description ? html`<p class="vcp-about">${plugin.description}</p>` : nothing}
      ${this.store.removing.has(plugin.id) ? this.removal(plugin, place) : nothing}
      ${plugin.problem ? this.problem(plugin, plugin.problem) : nothing}
      ${needsOf(this.store, plugin)}
      ${outcome?.error ? errorOf(outcome.error) : nothing}
      <div class="vcp-parts">
        ${plugin.tools > 0 ? this.part(plugin, "tools", words.tools(plugin.tools), () => this.tools.draw(plugin)) : nothing}
        ${this.part(plugin, "configuration", words.configuration, () => this.configuration.draw(plugin))}
        ${this.part(plugin, "log", words.log, () => logView(this.store.logs.get(plugin.id)))}
        <details class="vc-fold">
          <summary aria-label=${words.named(words.about, plugin.name)}>${words.about}</summary>
          <div class="vcp-part">${about(this.store, plugin)}</div>
        </details>
      </div>
    </article>`;
  }

  private line(plugin: PluginShown): TemplateResult {
    const state = plugin.state === "stopped" && !plugin.enabled ? words.disabled : (words.state[plugin.state] ?? plugin.state);
    const facts: (string | TemplateResult)[] = [];
    if (plugin.tools > 0) facts.push(words.toolsOn(plugin.offered, plugin.tools));
    if (plugin.offered > 0) facts.push(html`<span title=${words.tokensTitle}>${words.tokensPerRequest(plugin.tokens)}</span>`);
    return html`<span class="vcp-state">${state}</span>${facts.map((fact) => html` <span class="vcp-sep" aria-hidden="true">·</span> ${fact}`)}
      <code class="vcp-id" title=${words.id}>${plugin.id}</code>`;
  }

  private verbs(plugin: PluginShown, place: string): TemplateResult {
    const busy = this.store.busy(place);
    const on = plugin.enabled || !["stopped", "stopping"].includes(plugin.state);
    const button = (verb: Act["verb"], text: string, look: string) =>
      html`<button
        type="button"
        class=${look}
        aria-label=${words.named(text, plugin.name)}
        ?disabled=${busy}
        @click=${() => this.store.ask<Act>(place, { type: "act", id: plugin.id, verb })}
      >
        ${text}
      </button>`;
    return html`${plugin.signs_in
        ? plugin.signed_in
          ? button("sign_out", words.signOut, "vc-button-text")
          : button("sign_in", words.signIn, "vcp-button")
        : nothing}
      ${on ? button("restart", words.restart, "vc-button-text") : nothing}
      <button
        type="button"
        class="vc-button-text"
        aria-label=${words.named(words.remove, plugin.name)}
        aria-expanded=${String(this.store.removing.has(plugin.id))}
        ?disabled=${busy}
        @click=${(event: Event) => this.askRemoval(event, plugin.id)}
      >
        ${words.remove}
      </button>
      ${on ? button("disable", words.disable, "vcp-button") : button("enable", words.enable, "vcp-button vcp-primary")}`;
  }

  private askRemoval(event: Event, id: string): void {
    const card = (event.currentTarget as HTMLElement).closest("article");
    if (!this.store.removing.delete(id)) this.store.removing.add(id);
    this.store.changed();
    requestAnimationFrame(() => card?.querySelector<HTMLElement>(".vcp-keep")?.focus());
  }

  private removal(plugin: PluginShown, place: string): TemplateResult {
    const keep = (event: Event) => {
      const card = (event.currentTarget as HTMLElement).closest("article");
      this.store.removing.delete(plugin.id);
      this.store.changed();
      card?.querySelector<HTMLElement>(".vcp-verbs [aria-expanded]")?.focus();
    };
    return html`<div
      class="vcp-sure"
      role="group"
      aria-label=${words.named(words.remove, plugin.name)}
      @keydown=${(event: KeyboardEvent) => event.key === "Escape" && keep(event)}
    >
      <p>${words.removeSure(plugin.name)}</p>
      <div class="vcp-actions">
        <button type="button" class="vcp-button vcp-keep" @click=${keep}>${words.keep}</button>
        <button
          type="button"
          class="vcp-button vcp-danger"
          ?disabled=${this.store.busy(place)}
          @click=${() => {
            this.store.removing.delete(plugin.id);
            this.store.ask<Act>(place, { type: "act", id: plugin.id, verb: "remove" });
          }}
        >
          ${words.remove}
        </button>
      </div>
    </div>`;
  }

  private problem(plugin: PluginShown, problem: ProblemShown): TemplateResult {
    const passed = (Date.now() - (this.store.heard.get(plugin.id) ?? Date.now())) / 1000;
    const left = problem.retry_in === null ? null : Math.ceil(problem.retry_in - passed);
    return html`<div class="vc-error" role="alert">
      ${icon("alert")}
      <div class="vc-error-body">
        <p class="vc-error-message">${problem.message}</p>
        ${problem.fix && left === null ? html`<p class="vc-error-fix">${problem.fix}</p>` : nothing}
        ${problem.secret ? this.secret(plugin, problem.secret) : nothing}
        ${left === null
          ? nothing
          : html`<p class="vcp-retry" aria-live="off">${left > 0 ? words.retrying(problem.attempt, problem.most, left) : words.retryingNow(problem.attempt, problem.most)}</p>`}
      </div>
    </div>`;
  }

  /** A value that is missing can be given here; it goes to the keychain and is forgotten. */
  private secret(plugin: PluginShown, name: string): TemplateResult {
    const place = `secret ${plugin.id}`;
    const outcome = this.store.outcomes.get(place);
    const submit = (event: Event) => {
      event.preventDefault();
      const field = (event.currentTarget as HTMLElement).querySelector("input");
      const value = field?.value ?? "";
      if (!field || value.trim() === "") return;
      field.value = "";
      this.store.ask<SetSecret>(place, { type: "set_secret", id: plugin.id, name, value });
    };
    return html`<form class="vcp-secret" novalidate @submit=${submit}>
      <label class="vcp-label" for=${`${this.prefix}-secret-${plugin.id}`}>${words.secretFor(name)}</label>
      <div class="vcp-row">
        <input id=${`${this.prefix}-secret-${plugin.id}`} type="password" autocomplete="off" spellcheck="false" data-1p-ignore="true" data-lpignore="true" />
        <button type="submit" class="vcp-button vcp-primary" ?disabled=${outcome?.busy ?? false}>${words.secretSave}</button>
      </div>
      <span class="vcp-hint">${words.secretNote}</span>
      ${outcome?.error ? html`<span class="vcp-wrong" role="alert">${outcome.error.message} ${outcome.error.fix}</span>` : nothing}
    </form>`;
  }

  private part(plugin: PluginShown, part: Part, title: string, body: () => TemplateResult): TemplateResult {
    const key = `${plugin.id}\n${part}`;
    const toggled = (event: Event) => {
      const { open } = event.currentTarget as HTMLDetailsElement;
      if (open === this.open.has(key)) return;
      if (open) this.open.add(key);
      else this.open.delete(key);
      this.store.send({ type: "unfold", id: plugin.id, part, open });
      this.store.changed();
    };
    return html`<details class="vc-fold" @toggle=${toggled}>
      <summary aria-label=${`${title}, ${plugin.name}`}>${title}</summary>
      ${this.open.has(key) ? html`<div class="vcp-part">${body()}</div>` : nothing}
    </details>`;
  }
}

function about(store: Store, plugin: PluginShown): TemplateResult {
  const since = Date.now() - (store.heard.get(plugin.id) ?? Date.now());
  const rows: [string, string | TemplateResult][] = [];
  if (plugin.server) rows.push([words.server, plugin.server]);
  rows.push([words.transport, plugin.transport]);
  if (plugin.protocol) rows.push([words.protocol, plugin.protocol]);
  if (plugin.pid !== null) rows.push([words.process, String(plugin.pid)]);
  if (plugin.running_for !== null) rows.push([words.runningFor, formatDuration(plugin.running_for * 1000 + since)]);
  if (plugin.resources !== null) rows.push([words.resources, plugin.resources.toLocaleString("en-US")]);
  if (plugin.prompts !== null) rows.push([words.prompts, plugin.prompts.toLocaleString("en-US")]);
  if (plugin.uses) {
    const { calls, errors, median_ms, slow_ms, up_seconds, starts } = plugin.uses;
    const said = [calls === 0 ? words.unused : words.usesText(calls, errors)];
    if (median_ms !== null && slow_ms !== null) said.push(words.speed(formatDuration(median_ms), formatDuration(slow_ms)));
    if (up_seconds) said.push(words.uptime(formatDuration(up_seconds * 1000), starts));
    rows.push([words.uses, said.join(" · ")]);
  }
  if (plugin.sandbox.length > 0) {
    const levels = plugin.sandbox.map(
      ({ subject, level }) => html`<span class="vcp-tag vcp-level-${level}">${subject}: ${words.level[level] ?? level}</span> `,
    );
    rows.push([words.sandbox, html`${levels}`]);
  }
  if (plugin.permits.length > 0) rows.push([grants.permits, permitsOf(store, plugin)]);
  return html`<dl class="vcp-facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
