/** The settings: sections at the side, fields in the middle; each change is made at once. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../icons";
import type { ModelShown, SettingShown } from "../protocol";
import { KeyForms } from "../render/keyform";
import { Field, type FieldKind } from "./field";
import { LimitForm, ofOne } from "./limits";
import { look } from "./look";
import { onPreference } from "./preferences";
import { Providers } from "./providers";
import { strings, type Words } from "./strings";
import type { Outcome, SettingsTalk } from "./talk";

export interface SettingsActions {
  readonly setKey: (provider: string, key: string) => void;
  readonly models: () => readonly ModelShown[];
  /** The user wants the plugin manager. */
  readonly managePlugins: () => void;
}

type Section = keyof typeof strings.tabs;

const SECTIONS = Object.keys(strings.tabs) as Section[];
const STORED = ["time_zone", "sizes.", "variables.", "retention."];
const LONG = new Set(["system"]);
const WORDS = new Set(["system", "fallback", "reasoning_effort", "default_model", "time_zone"]);
const EFFORTS = ["none", "minimal", "low", "medium", "high"];

let dialogs = 0;

export class SettingsDialog {
  readonly node = document.createElement("dialog");
  private readonly fields = new Map<string, Field>();
  private readonly providers: Providers;
  private readonly forms: KeyForms;
  private readonly modelLimit: LimitForm;
  private readonly rateLimit: LimitForm;
  private readonly id = `vc-settings-${++dialogs}`;
  private section: Section = "chat";
  private stop: (() => void)[] = [];

  constructor(
    private readonly talk: SettingsTalk,
    private readonly actions: SettingsActions,
    private readonly closed: () => void,
  ) {
    this.node.className = "vc-settings";
    this.node.setAttribute("aria-label", strings.settings);
    this.node.addEventListener("close", () => this.ended());
    // Escape closes; it does not stop an answer as it would in the panel.
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.stopPropagation();
    });
    this.node.addEventListener("pointerdown", (event) => {
      if (event.target === this.node && event.button === 0 && this.beside(event)) this.node.close();
    });
    const redraw = () => this.draw();
    this.forms = new KeyForms(actions.setKey);
    this.providers = new Providers({
      forms: this.forms,
      forget: (provider) => talk.deleteKey(provider),
      add: (name, address) => talk.change({ [`providers.${name}.kind`]: "openai-compatible", [`providers.${name}.base_url`]: address }),
      redraw,
    });
    const change = (changes: Readonly<Record<string, string>>) => talk.change(changes);
    this.modelLimit = new LimitForm("models", { change, redraw });
    this.rateLimit = new LimitForm("rate", { change, redraw });
  }

  open(section: Section = this.section): void {
    if (this.node.open) return;
    this.section = section;
    this.stop = [this.talk.subscribe(() => this.told()), onPreference(() => this.draw())];
    this.talk.open();
    this.draw();
    // Hosts without modal dialogs show it in place.
    if (typeof this.node.showModal === "function") this.node.showModal();
    else this.node.setAttribute("open", "");
    this.node.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus();
  }

  dispose(): void {
    for (const stop of this.stop.splice(0)) stop();
    this.node.remove();
  }

  private ended(): void {
    for (const stop of this.stop.splice(0)) stop();
    this.fields.clear();
    render(nothing, this.node);
    this.closed();
  }

  private told(): void {
    this.forms.settle();
    if (this.talk.said?.error === null) this.providers.settled();
    this.draw();
  }

  private beside(event: PointerEvent): boolean {
    const box = this.node.getBoundingClientRect();
    const { clientX: x, clientY: y } = event;
    return x < box.left || x > box.right || y < box.top || y > box.bottom;
  }

  private draw(): void {
    render(
      html`<div class="vc-settings-head">
          <h2>${strings.settings}</h2>
          <button type="button" class="vc-button-icon" aria-label=${strings.close} title=${strings.close} @click=${() => this.node.close()}>
            ${icon("close")}
          </button>
        </div>
        <div class="vc-settings-main">
          <div class="vc-settings-tabs" role="tablist" aria-label=${strings.sections} @keydown=${(event: KeyboardEvent) => this.moved(event)}>
            ${SECTIONS.map((one) => this.tab(one))}
          </div>
          <div
            class="vc-settings-body"
            role="tabpanel"
            tabindex="0"
            id=${`${this.id}-body`}
            aria-labelledby=${`${this.id}-${this.section}`}
          >
            ${this.body()}
          </div>
        </div>`,
      this.node,
    );
  }

  private tab(section: Section): TemplateResult {
    const chosen = section === this.section;
    return html`<button
      type="button"
      role="tab"
      id=${`${this.id}-${section}`}
      aria-selected=${chosen}
      aria-controls=${`${this.id}-body`}
      tabindex=${chosen ? 0 : -1}
      @click=${() => this.show(section)}
    >
      ${strings.tabs[section]}
    </button>`;
  }

  private show(section: Section): void {
    this.section = section;
    this.draw();
    this.node.querySelector(".vc-settings-body")?.scrollTo?.({ top: 0 });
  }

  /** Arrow keys go through the sections, as a list of tabs does. */
  private moved(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = SECTIONS[(SECTIONS.indexOf(this.section) + step + SECTIONS.length) % SECTIONS.length] ?? "chat";
    this.show(next);
    this.node.querySelector<HTMLElement>(`#${this.id}-${next}`)?.focus();
  }

  private body(): TemplateResult {
    if (this.section === "look") return look(() => this.draw());
    if (this.section === "plugins") {
      return html`<p class="vc-settings-note">${strings.pluginsNote}</p>
        <button type="button" class="vc-button" @click=${() => this.managePlugins()}>${strings.pluginsManage}</button>`;
    }
    const shown = this.talk.shown;
    if (!shown) return html`<p class="vc-settings-note" role="status">${strings.loading}</p>`;
    if (this.section === "chat") {
      return html`<p class="vc-settings-note">${strings.chatNote}</p>
        ${this.rows(shown.chat, (name) => (value) => this.talk.changeChat(name, value))}`;
    }
    if (shown.problem !== "") {
      return html`<p class="vc-setting-wrong" role="alert">${icon("alert")}<span>${strings.broken}</span></p>
        <p class="vc-settings-note">${shown.problem}</p>`;
    }
    const change = (name: string) => (value: string) => this.talk.change({ [name]: value });
    const some = (fits: (name: string) => boolean) => this.rows(shown.settings.filter((one) => fits(one.name)), change);
    const warnings = shown.warnings.map((one) => html`<p class="vc-settings-note vc-settings-warning">${icon("info")}<span>${one}</span></p>`);
    switch (this.section) {
      case "models":
        return html`${warnings}${some((name) => name === "default_model")}${this.said()}${this.providers.draw(shown.providers)}`;
      case "limits":
        return html`<p class="vc-settings-note">${strings.limitsNote}</p>
          ${warnings}${some((name) => name in strings.fields && name.startsWith("limits."))}
          <h3>${strings.limitsModels}</h3>
          ${some((name) => name.startsWith("limits.models."))}${this.modelLimit.draw(this.actions.models().map((one) => one.id))}
          <h3>${strings.limitsRates}</h3>
          ${some((name) => name.startsWith("limits.rate."))}${this.rateLimit.draw(shown.providers.map((one) => one.name))}`;
      default:
        return html`<p class="vc-settings-note">${strings.storageNote}</p>
          ${some((name) => STORED.some((start) => name.startsWith(start)))}
          <p class="vc-settings-note">${strings.fileNote(shown.file)}</p>`;
    }
  }

  private said(): TemplateResult | typeof nothing {
    const said = this.talk.said;
    if (!said) return nothing;
    return said.error
      ? html`<p class="vc-setting-wrong" role="alert">${icon("alert")}<span>${`${said.error.message} ${said.error.fix}`.trim()}</span></p>`
      : html`<p class="vc-setting-saved" role="status">${icon("check")}${said.text}</p>`;
  }

  private rows(settings: readonly SettingShown[], change: (name: string) => (value: string) => Promise<Outcome>): unknown {
    return repeat(
      settings,
      (one) => one.name,
      (one) => {
        let field = this.fields.get(one.name);
        if (!field) this.fields.set(one.name, (field = new Field(wordsOf(one.name), this.kindOf(one.name), change(one.name))));
        field.update(one);
        return field.node;
      },
    );
  }

  private kindOf(name: string): FieldKind {
    const models = name === "fallback" || name === "default_model";
    const offers = models ? this.actions.models().filter((one) => one.usable).map((one) => one.id) : name === "reasoning_effort" ? EFFORTS : [];
    return { long: LONG.has(name), offers, numeric: !WORDS.has(name) && !name.startsWith("sizes.") };
  }

  private managePlugins(): void {
    this.node.close();
    this.actions.managePlugins();
  }
}

function wordsOf(name: string): Words {
  const own = strings.fields[name];
  if (own) return own;
  const one = ofOne(name, "limits.models.") ?? ofOne(name, "limits.rate.");
  return { label: one ? strings.limitOf(one.of, strings.parts[one.part] ?? one.part) : name };
}
