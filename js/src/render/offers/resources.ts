/** Attaching what plugins can be read from: a list by plugin, with templates whose variables are asked for. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { formatBytes } from "../../format";
import { icon } from "../../icons";
import type { ResourceShown } from "../../protocol";
import type { Session } from "../../session";
import { strings } from "../../strings";
import type { View } from "../../store";
import type { Composer } from "../composer";
import { Popup } from "../popup";
import { ArgumentForm } from "./form";

/** Drawn at once; more are found by searching. */
const MOST = 200;

let menus = 0;

export class ResourceMenu {
  private readonly button = document.createElement("button");
  private readonly popup: Popup;
  private readonly id = `vc-resources-${++menus}`;
  private known: readonly ResourceShown[] | null = null;
  private problems: readonly string[] = [];
  private query = "";
  private active = 0;
  private form: ArgumentForm | null = null;

  constructor(
    private readonly session: Session,
    private readonly composer: Composer,
  ) {
    this.button.type = "button";
    this.button.className = "vc-button-icon vc-resources-button";
    this.button.title = strings.attachResource;
    this.button.setAttribute("aria-label", strings.attachResource);
    this.button.setAttribute("aria-haspopup", "listbox");
    this.button.append(icon("stack"));
    this.popup = new Popup(this.button, "vc-menu vc-resources", () => this.closed());
    this.button.addEventListener("click", () => (this.popup.isOpen ? this.popup.close() : this.open()));
    composer.offer(this.button);
    composer.node.append(this.popup.node);
  }

  update(view: View): void {
    this.button.hidden = !view.plugins.some((one) => one.resources);
    this.button.disabled = !view.ready || view.link === "gone";
    const news = view.resources !== this.known;
    this.known = view.resources;
    this.problems = view.resourceProblems;
    if (news && this.popup.isOpen) this.draw();
  }

  dispose(): void {
    this.popup.dispose();
  }

  private open(): void {
    this.query = "";
    this.active = 0;
    this.session.listOffers("resources");
    this.draw();
    this.popup.open();
    const field = this.popup.node.querySelector("input");
    if (field) field.value = "";
    field?.focus();
  }

  private closed(): void {
    render(nothing, this.popup.node);
    this.button.focus({ preventScroll: true });
  }

  private found(): readonly ResourceShown[] {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    const all = (this.known ?? []).filter((one) => {
      const text = `${one.plugin} ${one.name} ${one.title} ${one.uri}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    return all.slice(0, MOST);
  }

  private draw(): void {
    const found = this.found();
    this.active = Math.max(0, Math.min(this.active, found.length - 1));
    render(
      html`<div class="vc-menu-head">
          ${icon("search")}
          <input
            type="text"
            role="combobox"
            aria-label=${strings.searchResources}
            aria-expanded="true"
            aria-controls=${this.id}
            aria-activedescendant=${found.length > 0 ? `${this.id}-${this.active}` : nothing}
            autocomplete="off"
            spellcheck="false"
            placeholder=${strings.searchResources}
            @input=${(event: Event) => this.search((event.target as HTMLInputElement).value)}
            @keydown=${(event: KeyboardEvent) => this.pressed(event)}
          />
        </div>
        <div class="vc-menu-list" role="listbox" id=${this.id} aria-label=${strings.resources}>
          ${found.length === 0
            ? html`<p class="vc-menu-none">${this.known === null ? strings.promptsLoading : strings.noResources}</p>`
            : nothing}
          ${repeat(
            found,
            (one) => `${one.plugin} ${one.uri}`,
            (one, i) => this.option(one, i),
          )}
        </div>
        ${this.problems.map((problem) => html`<p class="vc-plugins-problem">${icon("alert")}<span>${problem}</span></p>`)}`,
      this.popup.node,
    );
  }

  private option(resource: ResourceShown, at: number): TemplateResult {
    const size = resource.size === null ? "" : formatBytes(resource.size);
    return html`<div
      class="vc-option vc-offer ${at === this.active ? "vc-option-active" : ""}"
      role="option"
      id="${this.id}-${at}"
      aria-selected=${at === this.active ? "true" : "false"}
      title=${resource.description || nothing}
      @click=${() => this.choose(resource)}
      @mousemove=${() => this.move(at)}
    >
      <span class="vc-offer-name"
        >${resource.title || resource.name}${size === "" ? nothing : html` <span class="vc-offer-takes">${size}</span>`}</span
      >
      <span class="vc-badge">${resource.plugin}</span>
      <span class="vc-offer-about vc-offer-uri">${resource.uri}</span>
    </div>`;
  }

  private search(query: string): void {
    this.query = query;
    this.active = 0;
    this.draw();
  }

  private move(to: number): void {
    if (to === this.active) return;
    this.active = to;
    this.draw();
    this.popup.node.querySelector(".vc-option-active")?.scrollIntoView?.({ block: "nearest" });
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const found = this.found();
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1 }[event.key];
    const resource = found[this.active];
    if (to !== undefined) this.move(Math.max(0, Math.min(found.length - 1, to)));
    else if (event.key === "Enter" && resource) this.choose(resource);
    else if (event.key === "Escape" || event.key === "Tab") this.popup.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private choose(resource: ResourceShown): void {
    this.popup.close();
    if (resource.variables.length === 0) {
      void this.session.attachResource(resource, {}).then(() => this.composer.focus());
      return;
    }
    this.form?.close();
    const { plugin, uri } = resource;
    this.form = new ArgumentForm(resource.title || resource.name, resource.uri, resource.variables, strings.fetchAttach, {
      submit: (values) => this.session.attachResource(resource, values),
      complete: (argument, value, filled) =>
        this.session.complete({ plugin, kind: "template", ref: uri, argument, value, filled: JSON.stringify(filled) }),
      close: () => {
        this.form = null;
        this.composer.focus();
      },
    });
    this.composer.show(this.form.node);
    this.form.focus();
  }
}
