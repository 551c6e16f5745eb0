/**
 * `/` at the start of the composer: the panel's own commands and the prompts that plugins have ready, found by what is
 * typed after it.
 */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import type { Command } from "../../composing/commands";
import type { PromptShown } from "../../protocol";
import type { Session } from "../../session";
import { strings } from "../../strings";
import type { View } from "../../store";
import { strings as own } from "../../variables/strings";
import type { Composer } from "../composer";
import { Popup } from "../popup";
import { ArgumentForm } from "./form";

const COMMAND = /^\/(\S*)$/;

type Offer = { readonly kind: "command"; readonly it: Command } | { readonly kind: "prompt"; readonly it: PromptShown };

let menus = 0;

export class SlashMenu {
  private readonly popup: Popup;
  private readonly id = `vc-slash-${++menus}`;
  private found: readonly Offer[] = [];
  private active = 0;
  private query: string | null = null;
  /** What was typed when the menu was put away, so that it stays away until something else is. */
  private dismissed: string | null = null;
  private form: ArgumentForm | null = null;
  /** The plugins that were asked since the menu opened. */
  private asked = "";

  constructor(
    private readonly session: Session,
    private readonly composer: Composer,
    private readonly commands: readonly Command[] = [],
  ) {
    this.popup = new Popup(composer.node, "vc-menu vc-slash", () => this.closed(), { named: false });
    composer.node.append(this.popup.node);
    composer.intercepts.push((event) => this.pressed(event));
  }

  /** Follows what is typed, and what plugins have. */
  update(view: View): void {
    const typing = this.composer.field.getRootNode() instanceof ShadowRoot || document.activeElement === this.composer.field;
    const word = COMMAND.exec(view.draft)?.[1] ?? null;
    const query = word !== null && typing && view.draft !== this.dismissed && this.form === null ? word.toLowerCase() : null;
    if (view.draft !== this.dismissed) this.dismissed = null;
    this.ask(query === null ? "" : view.plugins.filter((one) => one.prompts).map((one) => one.id).join(" "));
    if (query !== this.query) this.active = 0;
    this.query = query;
    const words = query ?? "";
    this.found = query === null ? [] : this.fitting(view, words);
    if (this.found.length > 0) this.open();
    else if (this.popup.isOpen) this.emptied();
  }

  /** Asks these plugins for their prompts: when the menu opens, and when one more gets up while it is open. */
  private ask(plugins: string): void {
    if (plugins !== "" && plugins !== this.asked) this.session.listOffers("prompts");
    this.asked = plugins;
  }

  /** Nothing fits now. That is not the user who puts the menu away: what fits may still come. */
  private emptied(): void {
    const query = this.query;
    this.query = null;
    this.popup.close();
    this.query = query;
  }

  dispose(): void {
    this.popup.dispose();
  }

  private fitting(view: View, query: string): Offer[] {
    const commands = this.commands.filter((one) => one.name.startsWith(query));
    const prompts = (view.prompts ?? []).filter((one) => matches(one, query)).slice(0, 200);
    return [...commands.map((it): Offer => ({ kind: "command", it })), ...prompts.map((it): Offer => ({ kind: "prompt", it }))];
  }

  private open(): void {
    this.active = Math.min(this.active, this.found.length - 1);
    this.draw();
    this.popup.open();
    const field = this.composer.field;
    field.setAttribute("aria-controls", this.id);
    field.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.popup.node.querySelector(".vc-option-active")?.scrollIntoView?.({ block: "nearest" });
  }

  private closed(): void {
    render(nothing, this.popup.node);
    for (const name of ["aria-controls", "aria-activedescendant"]) this.composer.field.removeAttribute(name);
    if (this.query !== null) this.dismissed = this.session.view.draft;
  }

  private draw(): void {
    render(
      html`<div class="vc-menu-list" role="listbox" id=${this.id} aria-label=${strings.prompts}>
        ${repeat(
          this.found,
          (one) => (one.kind === "command" ? one.it.name : `${one.it.plugin}/${one.it.name}`),
          (one, i) => this.option(one, i),
        )}
      </div>`,
      this.popup.node,
    );
  }

  private option(offer: Offer, at: number): TemplateResult {
    const { name } = offer.it;
    const prompt = offer.kind === "prompt" ? offer.it : null;
    const about = offer.kind === "command" ? offer.it.about : offer.it.description || offer.it.title;
    const takes = (prompt?.arguments ?? []).map((one) => (one.required ? one.name : `${one.name}?`)).join(", ");
    return html`<div
      class="vc-option vc-offer ${at === this.active ? "vc-option-active" : ""}"
      role="option"
      id="${this.id}-${at}"
      aria-selected=${at === this.active ? "true" : "false"}
      @mousedown=${(event: Event) => event.preventDefault()}
      @click=${() => this.choose(offer)}
      @mousemove=${() => this.move(at)}
    >
      <span class="vc-offer-name"
        >/${name}${takes === "" ? nothing : html` <span class="vc-offer-takes">${takes}</span>`}</span
      >
      <span class="vc-badge">${prompt?.plugin ?? own.command}</span>
      ${about === "" ? nothing : html`<span class="vc-offer-about">${about}</span>`}
    </div>`;
  }

  private move(to: number): void {
    if (to === this.active) return;
    this.active = to;
    this.open();
  }

  /** Takes the keys that are the menu's while it is open. */
  private pressed(event: KeyboardEvent): boolean {
    if (!this.popup.isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const offer = this.found[this.active];
    if (step !== undefined) this.move((this.active + step + this.found.length) % this.found.length);
    else if ((event.key === "Enter" || event.key === "Tab") && offer) this.choose(offer);
    else if (event.key === "Escape") this.popup.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  private choose(offer: Offer): void {
    this.popup.close();
    if (offer.kind === "command") {
      this.session.setDraft("");
      offer.it.run();
      return;
    }
    const prompt = offer.it;
    if (prompt.arguments.length === 0) {
      void this.session.usePrompt(prompt, {}).then(() => this.composer.focus());
      return;
    }
    this.form?.close();
    const { plugin, name } = prompt;
    this.form = new ArgumentForm(prompt.title || prompt.name, prompt.description, prompt.arguments, strings.fetch, {
      submit: (values) => this.session.usePrompt(prompt, values),
      complete: (argument, value, filled) =>
        this.session.complete({ plugin, kind: "prompt", ref: name, argument, value, filled: JSON.stringify(filled) }),
      close: () => {
        this.form = null;
        this.composer.focus();
      },
    });
    this.composer.show(this.form.node);
    this.form.focus();
  }
}

function matches(prompt: PromptShown, query: string): boolean {
  return `${prompt.name} ${prompt.title} ${prompt.plugin}`.toLowerCase().includes(query);
}
