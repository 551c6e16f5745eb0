/** Chooses the models that the next questions go to, several at once. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../icons";
import type { ModelShown } from "../protocol";
import { Popup } from "../render/popup";
import { strings } from "./strings";

/** As many as the kernel takes. */
export const MOST = 6;

export class ComparePicker {
  /** What opens it, for the composer. */
  readonly button = document.createElement("button");
  /** What was chosen, above the composer. */
  readonly node = document.createElement("div");
  private readonly popup: Popup;
  private models: readonly ModelShown[] = [];
  private untouched = false;
  private picked: readonly string[] = [];
  private filter = "";

  constructor(
    private readonly current: () => string,
    private readonly closed: () => void,
  ) {
    this.button.type = "button";
    this.button.className = "vc-button-icon vc-compare-button";
    this.button.title = strings.compare;
    this.button.setAttribute("aria-label", strings.compare);
    this.button.setAttribute("aria-haspopup", "dialog");
    this.button.append(icon("columns"));
    this.popup = new Popup(this.button, "vc-menu vc-compare-menu", () => this.ended());
    this.popup.node.setAttribute("role", "dialog");
    this.popup.node.setAttribute("aria-label", strings.compare);
    this.popup.node.addEventListener("keydown", (event) => this.pressed(event));
    this.button.addEventListener("click", () => (this.popup.isOpen ? this.popup.close() : this.open()));
    this.node.className = "vc-compare-chosen";
    this.button.after(this.popup.node);
  }

  /** The models the next question goes to; fewer than two is no comparison. */
  get chosen(): readonly string[] {
    return this.picked.length < 2 ? [] : this.picked;
  }

  /** The popup belongs beside the button, wherever that was put. */
  placed(): void {
    this.button.after(this.popup.node);
  }

  update(models: readonly ModelShown[]): void {
    if (models === this.models) return;
    this.models = models;
    const usable = new Set(models.filter((one) => one.usable).map((one) => one.id));
    if (models.length > 0) this.picked = this.picked.filter((one) => usable.has(one));
    if (this.popup.isOpen && this.untouched) this.pickCurrent();
    this.draw();
  }

  /** One model is asked again. */
  clear(): void {
    this.picked = [];
    this.draw();
    this.closed();
  }

  dispose(): void {
    this.popup.dispose();
  }

  open(): void {
    this.untouched = this.picked.length === 0;
    if (this.untouched) this.pickCurrent();
    this.draw();
    this.popup.open();
    this.popup.node.querySelector<HTMLElement>("input")?.focus();
  }

  /** Begins with the model that is in use, once it is known. */
  private pickCurrent(): void {
    const current = this.current();
    if (this.models.some((one) => one.id === current && one.usable)) this.picked = [current];
  }

  private ended(): void {
    if (this.picked.length < 2) this.picked = [];
    this.filter = "";
    render(nothing, this.popup.node);
    this.draw();
    this.closed();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    // Escape elsewhere in the panel stops an answer; here it only closes the menu.
    event.preventDefault();
    event.stopPropagation();
    this.popup.close();
  }

  private pick(model: string, on: boolean): void {
    this.untouched = false;
    this.picked = on ? [...this.picked.filter((one) => one !== model), model] : this.picked.filter((one) => one !== model);
    if (!this.popup.isOpen && this.picked.length < 2) this.picked = [];
    this.draw();
  }

  private draw(): void {
    const { chosen } = this;
    this.button.setAttribute("aria-pressed", String(chosen.length > 0));
    this.node.hidden = chosen.length === 0;
    render(
      html`<span class="vc-compare-next">${strings.next}</span>
        <ul>
          ${chosen.map(
            (model) => html`<li class="vc-chip">
              ${model}<button type="button" aria-label=${strings.remove(model)} title=${strings.remove(model)} @click=${() => this.pick(model, false)}>
                ${icon("close")}
              </button>
            </li>`,
          )}
        </ul>
        <button type="button" class="vc-button-text" @click=${() => this.clear()}>${strings.clear}</button>`,
      this.node,
    );
    if (this.popup.isOpen || this.popup.node.hidden) render(this.menu(), this.popup.node);
  }


  private menu(): TemplateResult {
    const wanted = this.filter.toLowerCase();
    const found = this.models.filter((one) => one.usable && one.id.toLowerCase().includes(wanted));
    return html`<div class="vc-menu-head">
        ${icon("search")}
        <input
          type="search"
          aria-label=${strings.search}
          placeholder=${strings.search}
          .value=${this.filter}
          @input=${(event: Event) => {
            this.filter = (event.target as HTMLInputElement).value;
            this.draw();
          }}
        />
      </div>
      <div class="vc-menu-list">
        ${found.length === 0 ? html`<p class="vc-menu-none">${strings.none}</p>` : nothing}
        ${repeat(
          found.slice(0, 100),
          (one) => one.id,
          (one) => this.row(one),
        )}
      </div>
      <div class="vc-menu-foot">${strings.most(MOST)}</div>`;
  }

  private row(model: ModelShown): TemplateResult {
    const on = this.picked.includes(model.id);
    return html`<label class="vc-compare-model">
      <input
        type="checkbox"
        .checked=${on}
        ?disabled=${!on && this.picked.length >= MOST}
        @change=${(event: Event) => this.pick(model.id, (event.target as HTMLInputElement).checked)}
      />
      <span>${model.name}</span><small>${model.provider}</small>
    </label>`;
  }
}
