/** Adding a plugin: from the catalogue, by a form, by pasting JSON, or from another program's configuration. */
import { html, nothing, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../../icons";
import type { AddEntry, AddForm, AddJson, EntryShown, Import } from "../protocol";
import type { Store, Way } from "../store";
import { words } from "../strings";
import { errorOf } from "./result";

const WAYS: readonly Way[] = ["catalogue", "form", "json", "import"];

export class AddView {
  private search = "";
  private entry = "";
  private cloud = false;
  private bearer = false;
  private wrong = "";

  constructor(
    private readonly store: Store,
    private readonly prefix: string,
  ) {}

  /** Opens a way, and asks the kernel for what it shows. */
  choose(way: Way): void {
    this.store.adding = way;
    this.wrong = "";
    this.entry = "";
    this.store.clear(`add ${way}`);
    if (way === "catalogue") this.store.send({ type: "look", at: "catalogue" });
    if (way === "import") this.store.send({ type: "look", at: "foreign" });
    this.store.changed();
  }

  draw(way: Way): TemplateResult {
    const outcome = this.store.outcomes.get(`add ${way}`);
    return html`<section class="vcp-box vcp-add" aria-label=${words.addTitle}>
      <div class="vcp-tabs" role="tablist" aria-label=${words.addWays} @keydown=${(event: KeyboardEvent) => this.arrow(event)}>
        ${WAYS.map(
          (one) => html`<button
            type="button"
            role="tab"
            id=${`${this.prefix}-tab-${one}`}
            aria-selected=${String(one === way)}
            aria-controls=${`${this.prefix}-way`}
            tabindex=${one === way ? 0 : -1}
            @click=${() => this.choose(one)}
          >
            ${words.ways[one]}
          </button>`,
        )}
      </div>
      <div id=${`${this.prefix}-way`} class="vcp-way" role="tabpanel" aria-labelledby=${`${this.prefix}-tab-${way}`}>
        ${{ catalogue: () => this.catalogue(), form: () => this.form(), json: () => this.json(), import: () => this.imports() }[way]()}
        ${outcome?.error ? errorOf(outcome.error) : nothing}
      </div>
    </section>`;
  }

  private arrow(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    // What was chosen last, which may not be drawn yet.
    const way = this.store.adding;
    if (step === undefined || way === null) return;
    event.preventDefault();
    const next = WAYS[(WAYS.indexOf(way) + step + WAYS.length) % WAYS.length] as Way;
    const tabs = event.currentTarget as HTMLElement;
    this.choose(next);
    requestAnimationFrame(() => tabs.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  }

  private busy(): boolean {
    return WAYS.some((way) => this.store.busy(`add ${way}`));
  }

  private catalogue(): TemplateResult {
    const found = this.store.catalogue;
    if (!found) return html`<p class="vcp-muted">${words.loading}</p>`;
    const asked = this.search.toLowerCase().split(/\s+/);
    const entries = found.entries.filter((entry) => {
      const text = `${entry.id} ${entry.name} ${entry.description}`.toLowerCase();
      return asked.every((word) => text.includes(word));
    });
    return html`<label class="vcp-search">${icon("search")}<span class="vc-offscreen">${words.findEntry}</span>
        <input type="search" placeholder=${words.findEntry} .value=${this.search} @input=${(event: Event) => {
          this.search = (event.currentTarget as HTMLInputElement).value;
          this.store.changed();
        }} /></label>
      ${found.problems.map((problem) => html`<p class="vcp-tool-problem">${problem}</p>`)}
      <ul class="vcp-entries">
        ${repeat(entries, (entry) => entry.id, (entry) => this.drawEntry(entry))}
      </ul>
      ${entries.length === 0 ? html`<p class="vcp-muted">${words.noEntry}</p>` : nothing}`;
  }

  private drawEntry(entry: EntryShown): TemplateResult {
    const open = this.entry === entry.id;
    return html`<li class="vcp-entry">
      <div class="vcp-entry-head">
        <div class="vcp-tool-text">
          <p class="vcp-tool-name"><strong>${entry.name}</strong> <code class="vcp-id">${entry.id}</code>
            ${entry.version ? html`<span class="vcp-muted">${entry.version}</span>` : nothing}
            ${entry.added ? html`<span class="vcp-tag vcp-level-enforced">${words.added}</span>` : nothing}
            ${entry.update ? html`<span class="vcp-tag vcp-tag-warn">${words.update(entry.update)}</span>` : nothing}</p>
          <p class="vcp-tool-about">${entry.description}</p>
          ${entry.deprecated ? html`<p class="vcp-hint">${entry.deprecated}</p>` : nothing}
          ${entry.missing ? html`<p class="vcp-tool-problem">${entry.missing}</p>` : nothing}
        </div>
        <button type="button" class="vcp-button" aria-label=${words.named(words.choose, entry.name)} aria-expanded=${String(open)} @click=${(event: Event) => this.open(event, entry.id)}>
          ${words.choose}
        </button>
      </div>
      ${open ? this.entryForm(entry) : nothing}
    </li>`;
  }

  private open(event: Event, id: string): void {
    const row = (event.currentTarget as HTMLElement).closest("li");
    this.entry = this.entry === id ? "" : id;
    this.wrong = "";
    this.store.clear("add catalogue");
    this.store.changed();
    requestAnimationFrame(() => row?.querySelector<HTMLElement>("form input, form button")?.focus());
  }

  private entryForm(entry: EntryShown): TemplateResult {
    const id = `${this.prefix}-entry-${entry.id}`;
    const submit = (event: Event) => {
      event.preventDefault();
      const form = event.currentTarget as HTMLFormElement;
      const inputs: Record<string, string | string[]> = {};
      let missing: HTMLElement | null = null;
      for (const input of entry.inputs) {
        const field = form.elements.namedItem(input.name);
        if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
        const lines = field.value.split("\n").map((line) => line.trim()).filter((line) => line !== "");
        if (lines.length > 0) inputs[input.name] = input.several ? lines : lines.join(" ");
        else if (input.required) missing ??= field;
      }
      this.wrong = missing ? words.needed : "";
      if (missing) {
        missing.focus();
        this.store.changed();
        return;
      }
      // A secret is in the message and nowhere else once it is sent.
      for (const field of form.querySelectorAll<HTMLInputElement>('input[type="password"]')) field.value = "";
      this.store.ask<AddEntry>("add catalogue", {
        type: "add_entry",
        entry: entry.id,
        id: (form.elements.namedItem("valechat-id") as HTMLInputElement).value.trim(),
        inputs: JSON.stringify(inputs),
        limited: (form.elements.namedItem("valechat-limited") as HTMLInputElement | null)?.checked ?? false,
      });
    };
    return html`<form class="vcp-entry-form" novalidate @submit=${submit}>
      ${entry.inputs.map(
        (input) => html`<div class="vcp-field">
          <label class="vcp-label" for=${`${id}-${input.name}`}>${input.title} ${input.required ? nothing : html`<span class="vcp-optional">${words.optional}</span>`}</label>
          ${input.several
            ? html`<textarea id=${`${id}-${input.name}`} name=${input.name} rows="2" spellcheck="false" .defaultValue=${input.default}></textarea>`
            : html`<input
                id=${`${id}-${input.name}`}
                name=${input.name}
                type=${input.secret ? "password" : "text"}
                autocomplete="off"
                spellcheck="false"
                data-1p-ignore="true"
                data-lpignore="true"
                .defaultValue=${input.default}
              />`}
          <span class="vcp-hint">${input.description}${input.several ? ` ${words.onePerLine}` : ""}${input.secret ? ` ${words.secretNote}` : ""}</span>
        </div>`,
      )}
      <div class="vcp-field">
        <label class="vcp-label" for=${`${id}-id`}>${words.id}</label>
        <input id=${`${id}-id`} name="valechat-id" class="vcp-code" type="text" autocomplete="off" spellcheck="false" .defaultValue=${entry.id} />
      </div>
      ${entry.permissions.length > 0
        ? html`<label class="vcp-check"><input type="checkbox" name="valechat-limited" /><span>${words.limited}<br /><span class="vcp-hint">${entry.permissions.join(" · ")}</span></span></label>`
        : nothing}
      <pre class="vcp-pre vcp-command" tabindex="0">${entry.command}</pre>
      <div class="vcp-actions">
        <button type="submit" class="vcp-button vcp-primary" ?disabled=${this.busy()}>${this.busy() ? words.adding : words.addStart}</button>
        ${entry.homepage ? html`<a href=${entry.homepage} target="_blank" rel="noopener noreferrer" title=${entry.homepage}>${words.homepage}</a>` : nothing}
        <span class="vcp-wrong" role="alert">${this.wrong}</span>
      </div>
    </form>`;
  }

  private form(): TemplateResult {
    const id = `${this.prefix}-form`;
    const submit = (event: Event) => {
      event.preventDefault();
      const form = event.currentTarget as HTMLFormElement;
      const data = new FormData(form);
      const value = (name: string) => String(data.get(name) ?? "");
      const needed = ["id", this.cloud ? "url" : "command"].find((name) => value(name).trim() === "");
      this.wrong = needed ? words.needed : "";
      if (needed) {
        form.querySelector<HTMLElement>(`[name="${needed}"]`)?.focus();
        this.store.changed();
        return;
      }
      this.store.ask<AddForm>("add form", {
        type: "add_form",
        id: value("id").trim(),
        name: value("name").trim(),
        command: this.cloud ? "" : value("command"),
        url: this.cloud ? value("url").trim() : "",
        transport: this.cloud ? value("transport") : "",
        auth: this.cloud ? value("auth") : "",
        variables: this.cloud ? (value("auth") === "bearer" ? value("token").trim() : "") : value("variables"),
      });
    };
    const text = (name: string, title: string, hint: string, code = false) =>
      html`<div class="vcp-field">
        <label class="vcp-label" for=${`${id}-${name}`}>${title}</label>
        <input id=${`${id}-${name}`} name=${name} class=${code ? "vcp-code" : ""} type="text" autocomplete="off" spellcheck="false" aria-describedby=${`${id}-${name}-hint`} />
        <span class="vcp-hint" id=${`${id}-${name}-hint`}>${hint}</span>
      </div>`;
    return html`<form novalidate @submit=${submit}>
      <fieldset class="vcp-field vcp-kinds">
        <legend class="vcp-label">${words.kindLabel}</legend>
        ${[false, true].map(
          (cloud) => html`<label class="vcp-check"><input type="radio" name="kind" .checked=${this.cloud === cloud} @change=${() => {
            this.cloud = cloud;
            this.store.changed();
          }} />${cloud ? words.kindCloud : words.kindLocal}</label>`,
        )}
      </fieldset>
      <div class="vcp-two">${text("id", words.id, words.idHint, true)}${text("name", words.name, words.optional)}</div>
      ${this.cloud
        ? html`${text("url", words.url, "https://…", true)}
            <div class="vcp-two">
              <div class="vcp-field">
                <label class="vcp-label" for=${`${id}-transport`}>${words.transport}</label>
                <select id=${`${id}-transport`} name="transport">
                  ${Object.entries(words.transports).map(([value, title]) => html`<option value=${value}>${title}</option>`)}
                </select>
                <span class="vcp-hint">${words.transportHint}</span>
              </div>
              <div class="vcp-field">
                <label class="vcp-label" for=${`${id}-auth`}>${words.auth}</label>
                <select id=${`${id}-auth`} name="auth" @change=${(event: Event) => {
                  this.bearer = (event.currentTarget as HTMLSelectElement).value === "bearer";
                  this.store.changed();
                }}>
                  ${Object.entries(words.auths).map(([value, title]) => html`<option value=${value}>${title}</option>`)}
                </select>
              </div>
            </div>
            ${this.bearer ? text("token", words.token, words.tokenHint, true) : nothing}`
        : html`${text("command", words.command, words.commandHint, true)}
            <div class="vcp-field">
              <label class="vcp-label" for=${`${id}-variables`}>${words.variables} <span class="vcp-optional">${words.optional}</span></label>
              <textarea id=${`${id}-variables`} name="variables" class="vcp-code" rows="2" spellcheck="false" aria-describedby=${`${id}-variables-hint`}></textarea>
              <span class="vcp-hint" id=${`${id}-variables-hint`}>${words.variablesHint}</span>
            </div>`}
      <div class="vcp-actions">
        <button type="submit" class="vcp-button vcp-primary" ?disabled=${this.busy()}>${this.busy() ? words.adding : words.addStart}</button>
        <span class="vcp-wrong" role="alert">${this.wrong}</span>
      </div>
    </form>`;
  }

  private json(): TemplateResult {
    const id = `${this.prefix}-paste`;
    const submit = (event: Event) => {
      event.preventDefault();
      const area = (event.currentTarget as HTMLElement).querySelector("textarea");
      if (!area) return;
      if (area.value.trim() === "") area.focus();
      else this.store.ask<AddJson>("add json", { type: "add_json", text: area.value });
    };
    return html`<form novalidate @submit=${submit}>
      <div class="vcp-field">
        <label class="vcp-label" for=${id}>${words.pasteLabel}</label>
        <textarea id=${id} class="vcp-code" rows="9" spellcheck="false" placeholder=${words.pasteExample} aria-describedby=${`${id}-hint`}></textarea>
        <span class="vcp-hint" id=${`${id}-hint`}>${words.pasteHint}</span>
      </div>
      <div class="vcp-actions">
        <button type="submit" class="vcp-button vcp-primary" ?disabled=${this.busy()}>${this.busy() ? words.adding : words.addStart}</button>
      </div>
    </form>`;
  }

  private imports(): TemplateResult {
    const found = this.store.foreign;
    if (!found) return html`<p class="vcp-muted">${words.loading}</p>`;
    if (found.files.length === 0) return html`<p class="vcp-muted">${words.nothingFound}</p>`;
    return html`${found.files.map((file) => {
      const submit = (event: Event) => {
        event.preventDefault();
        const ids = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLInputElement>("input:checked")].map((box) => box.value);
        this.wrong = ids.length === 0 ? words.chooseServers : "";
        if (ids.length === 0) this.store.changed();
        else this.store.ask<Import>("add import", { type: "import", path: file.path, ids });
      };
      return html`<form class="vcp-foreign" novalidate @submit=${submit}>
        <p class="vcp-tool-name"><strong>${file.program}</strong> <code class="vcp-path">${file.path}</code></p>
        ${file.problems.map((problem) => html`<p class="vcp-tool-problem">${problem}</p>`)}
        ${file.servers.map(
          (server) => html`<label class="vcp-check"><input type="checkbox" value=${server.id} .checked=${!server.taken} ?disabled=${server.taken} />
            <span><code>${server.id}</code> <span class="vcp-muted">${server.taken ? words.taken : server.summary}</span></span></label>`,
        )}
        ${file.servers.length === 0
          ? nothing
          : html`<div class="vcp-actions"><button type="submit" class="vcp-button vcp-primary" ?disabled=${this.busy()}>${words.importChosen}</button>
              <span class="vcp-wrong" role="alert">${this.wrong}</span></div>`}
      </form>`;
    })}`;
  }
}
