/** The plugin manager: header, adding, settings, and a card for each plugin. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../../icons";
import { AskCards } from "../../render/asks/cards";
import { glyph } from "../icons";
import type { PluginShown } from "../protocol";
import type { Store } from "../store";
import { words } from "../strings";
import { AddView } from "./add";
import { Cards } from "./card";
import { errorOf } from "./result";
import { settingsView } from "./settings";

let boards = 0;

export class Board {
  readonly store: Store;
  private readonly root = document.createElement("div");
  private readonly prefix = `vcp${(boards += 1)}`;
  private readonly cards: Cards;
  private readonly add: AddView;
  private readonly asks: AskCards;
  private drawing = 0;
  private quiet = false;
  private wasConnected = false;
  private readonly ticking: ReturnType<typeof setInterval>;

  constructor(el: HTMLElement, store: (changed: () => void) => Store) {
    this.root.className = "vc-root vcp";
    this.root.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const type of ["keydown", "keypress", "keyup"]) this.root.addEventListener(type, (event) => event.stopPropagation());
    this.store = store(() => this.schedule());
    this.cards = new Cards(this.store, this.prefix);
    this.add = new AddView(this.store, this.prefix);
    this.asks = new AskCards(
      (ask, choice, text) => this.store.send({ type: "ask_answer", ask, choice, ...(text === undefined ? {} : { text }) }),
      () => this.schedule(),
    );
    el.append(this.root);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.schedule();
  }

  dispose(): void {
    clearInterval(this.ticking);
    cancelAnimationFrame(this.drawing);
    this.asks.dispose();
    this.root.remove();
  }

  /** The kernel has not said a word yet. */
  silent(): void {
    this.quiet = true;
    this.schedule();
  }

  private schedule(): void {
    if (this.drawing !== 0) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = 0;
      if (this.store.host !== "") this.wasConnected = false;
      else if (this.store.connected && !this.wasConnected) {
        this.wasConnected = true;
        this.cards.renew();
      }
      render(this.draw(), this.root);
    });
  }

  /** Only what counts on by itself needs a second's beat. */
  private tick(): void {
    const counting = [...this.store.plugins.values()].some((plugin) => plugin.problem?.retry_in != null);
    if (counting) this.schedule();
  }

  private draw(): TemplateResult {
    const { store } = this;
    const plugins = store.order.map((id) => store.plugins.get(id)).filter((plugin) => plugin !== undefined);
    const outcome = store.outcomes.get("board");
    const asked = [...store.questions.values()];
    this.asks.update(asked);
    return html`<section class="vcp-frame" aria-label=${words.title}>
      <header class="vcp-head">
        <div>
          <h3 class="vcp-title">${glyph("plug")}${words.title}</h3>
          ${store.connected && plugins.length > 0 ? html`<p class="vcp-line">${summary(plugins)}</p>` : nothing}
        </div>
        <div class="vcp-verbs">
          <button type="button" class="vcp-button" aria-expanded=${String(store.adding !== null)} ?disabled=${!store.connected} @click=${() => this.toggleAdd()}>
            ${icon(store.adding === null ? "plus" : "close")}${store.adding === null ? words.add : words.close}
          </button>
          <button type="button" class="vcp-button" aria-expanded=${String(store.settling)} ?disabled=${!store.connected} @click=${() => this.toggleSettings()}>
            ${glyph("gear")}${words.settings}
          </button>
        </div>
      </header>
      ${this.hostNews()} ${store.problems.map(errorOf)}
      ${outcome && !outcome.busy && outcome.text ? html`<p class="vc-good vcp-news" role="status">${icon("check")}<span>${outcome.text}</span></p>` : nothing}
      ${store.settling ? settingsView(store) : nothing} ${store.adding === null ? nothing : this.add.draw(store.adding)}
      ${this.asks.list(asked)}
      <div class="vcp-cards">${repeat(plugins, (plugin) => plugin.id, (plugin) => this.cards.draw(plugin))}</div>
      ${store.connected && plugins.length === 0 && store.adding === null ? this.empty() : nothing}
      <p class="vc-offscreen" role="status" aria-live="polite">${store.announce}</p>
    </section>`;
  }

  private hostNews(): TemplateResult | typeof nothing {
    const { store } = this;
    if (store.host !== "") return html`<p class="vcp-host" role="status">${store.host === "gone" ? words.gone : words.lost}</p>`;
    if (store.connected) return nothing;
    return html`<p class="vcp-host" role="status">${this.quiet ? words.silent : words.connecting}</p>`;
  }

  private empty(): TemplateResult {
    return html`<div class="vcp-empty">
      <p class="vcp-empty-title">${words.emptyTitle}</p>
      <p>${words.empty}</p>
      <div class="vcp-actions">
        <button type="button" class="vcp-button vcp-primary" @click=${() => this.add.choose("catalogue")}>${words.emptyAdd}</button>
        <button type="button" class="vcp-button" @click=${() => this.add.choose("import")}>${words.emptyImport}</button>
      </div>
    </div>`;
  }

  private toggleAdd(): void {
    this.store.clear("board");
    if (this.store.adding === null) {
      this.store.settling = false;
      this.add.choose("catalogue");
    } else {
      this.store.adding = null;
      this.store.changed();
    }
  }

  private toggleSettings(): void {
    this.store.clear("board");
    this.store.clear("settings");
    this.store.settling = !this.store.settling;
    if (this.store.settling) {
      this.store.adding = null;
      this.store.send({ type: "look", at: "settings" });
    }
    this.store.changed();
  }
}

function summary(plugins: readonly PluginShown[]): string {
  const running = plugins.filter((plugin) => plugin.state === "running");
  const total = (of: (plugin: PluginShown) => number) => running.reduce((sum, plugin) => sum + of(plugin), 0);
  return words.summary(running.length, total((plugin) => plugin.offered), total((plugin) => plugin.tokens));
}
