/** `@` in the composer: the kernel's variables, the files beside the notebook, and what plugins can be read from. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { formatBytes, formatCount } from "../format";
import { icon } from "../icons";
import type { FolderFileShown, ResourceShown, VariableShown } from "../protocol";
import type { Composer } from "../render/composer";
import { Popup } from "../render/popup";
import type { Session } from "../session";
import type { View } from "../store";
import { best, openMention } from "./mentions";
import { strings } from "./strings";

/** Drawn of each kind; typing finds the others. */
const MOST = 50;

type Offer =
  | { readonly kind: "variable"; readonly name: string; readonly it: VariableShown }
  | { readonly kind: "file"; readonly name: string; readonly it: FolderFileShown }
  | { readonly kind: "resource"; readonly name: string; readonly it: ResourceShown };

const HEADS = { variable: strings.variables, file: strings.files, resource: strings.resources };

let menus = 0;

export class MentionMenu {
  private readonly popup: Popup;
  private readonly id = `vc-mention-${++menus}`;
  private found: readonly Offer[] = [];
  private active = 0;
  private at: { query: string; start: number } | null = null;
  private caret = 0;
  /** What was typed when the menu was put away, so that it stays away until something else is. */
  private dismissed: string | null = null;

  constructor(
    private readonly session: Session,
    private readonly composer: Composer,
  ) {
    this.popup = new Popup(composer.node, "vc-menu vc-slash vc-mention", () => this.closed(), { named: false });
    composer.node.append(this.popup.node);
    composer.intercepts.push((event) => this.pressed(event));
  }

  /** Follows what is typed, and what the kernel has. */
  update(view: View): void {
    const { field } = this.composer;
    const typing = field.getRootNode() instanceof ShadowRoot || document.activeElement === field;
    const able = typing && view.ready && view.link !== "gone" && view.draft !== this.dismissed && field.value === view.draft;
    if (view.draft !== this.dismissed) this.dismissed = null;
    this.caret = field.selectionStart;
    const at = able ? openMention(view.draft, this.caret) : null;
    if (at !== null && this.at === null) this.ask(view);
    if (at?.query !== this.at?.query) this.active = 0;
    this.at = at;
    this.found = at === null ? [] : this.fitting(view, at.query);
    if (this.found.length > 0) this.open();
    else if (this.popup.isOpen) this.emptied();
  }

  /** Nothing fits now. That is not the user who puts the menu away: what fits may still come. */
  private emptied(): void {
    const at = this.at;
    this.at = null;
    this.popup.close();
    this.at = at;
  }

  dispose(): void {
    this.popup.dispose();
  }

  private ask(view: View): void {
    this.session.variables.list();
    if (view.plugins.some((one) => one.resources)) this.session.listOffers("resources");
  }

  private fitting(view: View, query: string): Offer[] {
    const { listed, files } = this.session.variables;
    const resources = (view.resources ?? []).filter((one) => one.variables.length === 0);
    const variables = (listed ?? []).map((it): Offer => ({ kind: "variable", name: it.name, it }));
    const others: Offer[][] = [
      files.map((it): Offer => ({ kind: "file", name: it.name, it })),
      resources.map((it): Offer => ({ kind: "resource", name: it.title || it.name, it })),
    ];
    const found = [variables, ...others].flatMap((all) => best(all, (one) => one.name, query, MOST));
    // A whole name that is typed needs no menu.
    const whole = found.length === 1 && found[0]?.kind === "variable" && found[0].name === query;
    return whole ? [] : found;
  }

  private open(): void {
    this.active = Math.min(this.active, this.found.length - 1);
    this.draw();
    this.popup.open();
    const { field } = this.composer;
    field.setAttribute("aria-controls", this.id);
    field.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.popup.node.querySelector(".vc-option-active")?.scrollIntoView?.({ block: "nearest" });
  }

  private closed(): void {
    render(nothing, this.popup.node);
    for (const name of ["aria-controls", "aria-activedescendant"]) this.composer.field.removeAttribute(name);
    if (this.at !== null) this.dismissed = this.session.view.draft;
  }

  private draw(): void {
    render(
      html`<div class="vc-menu-list" role="listbox" id=${this.id} aria-label=${strings.menu}>
        ${repeat(
          this.found,
          (one) => `${one.kind} ${one.name}`,
          (one, i) =>
            html`${one.kind === this.found[i - 1]?.kind
              ? nothing
              : html`<div class="vc-menu-provider" role="presentation">${HEADS[one.kind]}</div>`}${this.option(one, i)}`,
        )}
      </div>`,
      this.popup.node,
    );
  }

  private option(offer: Offer, at: number): TemplateResult {
    const [about, cost] = told(offer);
    return html`<div
      class="vc-option vc-offer ${at === this.active ? "vc-option-active" : ""}"
      role="option"
      id="${this.id}-${at}"
      aria-selected=${at === this.active ? "true" : "false"}
      aria-label=${[offer.name, about, cost].filter((one) => one !== "").join(", ")}
      @mousedown=${(event: Event) => event.preventDefault()}
      @click=${() => this.choose(offer)}
      @mousemove=${() => this.move(at)}
    >
      <span class="vc-offer-name">
        ${offer.kind === "variable" ? "@" : icon(offer.kind === "file" ? "file" : "stack")}${offer.name}
        <span class="vc-offer-takes">${about}</span>
      </span>
      <span class="vc-mention-cost">${cost}</span>
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
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && offer) this.choose(offer);
    else if (event.key === "Escape") this.popup.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  private choose(offer: Offer): void {
    const { at, caret } = this;
    this.at = null;
    this.popup.close();
    if (at === null) return;
    const draft = this.session.view.draft;
    const name = offer.kind === "variable" ? `@${offer.name}` : "";
    const rest = draft.slice(caret);
    const space = name !== "" && !/^\s/.test(rest) ? " " : "";
    this.session.setDraft(draft.slice(0, at.start) + name + space + rest);
    const after = at.start + name.length + 1;
    // The field has the new text with the next frame.
    requestAnimationFrame(() => this.composer.field.setSelectionRange(after, after));
    if (offer.kind === "file") void this.session.attachFile(offer.it.name);
    if (offer.kind === "resource") void this.session.attachResource(offer.it, {});
    this.composer.focus();
  }
}

/** What is said of an offer: of what kind and how large it is, and about what it costs. */
function told(offer: Offer): [string, string] {
  if (offer.kind === "file") return ["", formatBytes(offer.it.size)];
  if (offer.kind === "resource") return [offer.it.plugin, offer.it.size === null ? "" : formatBytes(offer.it.size)];
  const about = [offer.it.kind, offer.it.size].filter((one) => one !== "").join(" · ");
  return [about, offer.it.tokens === null ? "" : strings.tokens(formatCount(offer.it.tokens))];
}
