/** The model menu: a button that opens a searchable list, grouped by provider, with prices. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { formatPrice, formatSize, isZero } from "../format";
import { icon } from "../icons";
import type { BreakerShown, ModelShown } from "../protocol";
import { strings } from "../strings";
import { again, breakerLine } from "./breakers";
import { Popup } from "./popup";

export interface ModelMenuActions {
  select(model: string): void;
  refresh(): void;
  /** The user wants to enter a key for this provider. */
  enterKey(provider: string): void;
}

let menus = 0;

export class ModelMenu {
  readonly node = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly popup: Popup;
  private readonly id = `vc-models-${++menus}`;
  private models: readonly ModelShown[] = [];
  private breakers: readonly BreakerShown[] = [];
  private selected = "";
  private query = "";
  private active = "";

  /** `compact`: a button without the model's name, and the models to choose from when it is opened. */
  constructor(
    private readonly actions: ModelMenuActions,
    private readonly compact: { readonly label: string; readonly models: () => readonly ModelShown[] } | null = null,
  ) {
    this.node.className = "vc-models";
    this.button.type = "button";
    this.button.className = "vc-models-button";
    this.button.setAttribute("aria-haspopup", "listbox");
    this.popup = new Popup(this.button, "vc-menu", () => this.closed());
    this.button.addEventListener("click", () => (this.popup.isOpen ? this.popup.close() : this.open()));
    this.node.append(this.button, this.popup.node);
  }

  update(models: readonly ModelShown[], selected: string, breakers: readonly BreakerShown[]): void {
    if (this.compact) {
      this.selected = selected;
      this.compacted(this.compact.label);
      return;
    }
    const same = breakers.length === 0 && this.breakers.length === 0;
    if (models === this.models && selected === this.selected && same) return;
    this.models = models;
    this.breakers = breakers;
    this.selected = selected;
    const model = models.find((m) => m.id === selected);
    this.button.setAttribute("aria-label", strings.modelMenu(selected));
    const resting = this.resting(model?.provider ?? selected.split("/")[0] ?? "");
    const why = resting ? `${strings.leftAlone(resting.provider)} ${again(resting)}` : model?.why || strings.notUsable;
    const full = model?.name && !selected.endsWith(model.name) ? `${model.name} (${selected})` : selected;
    this.button.title = resting || (model && !model.usable) ? `${full}: ${why}` : full;
    render(
      html`<span class="vc-models-name">${model?.name || selected || strings.chooseModel}</span>
        ${model ? badges(model) : nothing} ${resting ? icon("alert") : nothing} ${icon("chevron")}`,
      this.button,
    );
    if (this.popup.isOpen) this.draw();
  }

  disable(disabled: boolean): void {
    this.button.disabled = disabled;
  }

  private compacted(label: string): void {
    if (this.button.title === label) return;
    this.button.className = "vc-button-icon";
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.button.append(icon("sliders"));
  }

  open(): void {
    if (this.compact) this.models = this.compact.models();
    this.query = "";
    this.active = this.selected;
    this.draw();
    this.popup.open();
    const field = this.popup.node.querySelector("input");
    if (field) field.value = "";
    field?.focus();
    this.showActive();
  }

  dispose(): void {
    this.popup.dispose();
  }

  private closed(): void {
    render(nothing, this.popup.node);
    this.button.focus({ preventScroll: true });
  }

  private found(): ModelShown[] {
    const words = this.query.toLowerCase().split(/\s+/).filter(Boolean);
    return this.models.filter((m) => {
      const text = `${m.id} ${m.name} ${m.provider}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  private draw(): void {
    const found = this.found();
    if (!found.some((m) => m.id === this.active)) this.active = found.find((m) => m.usable)?.id ?? found[0]?.id ?? "";
    const groups = grouped(found);
    render(
      html`<div class="vc-menu-head">
          ${icon("search")}
          <input
            type="text"
            role="combobox"
            aria-label=${strings.searchModels}
            aria-expanded="true"
            aria-controls=${[...groups.keys()].map((provider) => this.groupId(provider)).join(" ")}
            aria-activedescendant=${this.active ? this.optionId(this.active) : nothing}
            autocomplete="off"
            spellcheck="false"
            placeholder=${strings.searchModels}
            @input=${(event: Event) => this.search((event.target as HTMLInputElement).value)}
            @keydown=${(event: KeyboardEvent) => this.pressed(event)}
          />
          <button
            type="button"
            class="vc-button-icon"
            aria-label=${strings.refreshModels}
            title=${strings.refreshModels}
            ?hidden=${this.compact !== null}
            @click=${() => this.actions.refresh()}
          >
            ${icon("retry")}
          </button>
        </div>
        <div class="vc-menu-list" role="group" aria-label=${strings.chooseModel}>
          ${found.length === 0 ? html`<p class="vc-menu-none">${strings.noModels}</p>` : nothing}
          ${repeat(
            [...groups],
            ([provider]) => provider,
            ([provider, models]) => this.group(provider, models),
          )}
        </div>
        <div class="vc-menu-foot">${strings.perMillion}</div>`,
      this.popup.node,
    );
  }

  private group(provider: string, models: readonly ModelShown[]): TemplateResult {
    const key = models.some((m) => m.needs_key);
    return html`<div class="vc-menu-group" role="group" aria-label=${provider}>
      <div class="vc-menu-provider" aria-hidden=${key ? nothing : "true"}>
        <span>${provider}</span>
        ${key
          ? html`<button type="button" class="vc-button-text" @click=${() => this.key(provider)}>
              ${icon("key")}${strings.enterKey}
            </button>`
          : nothing}
      </div>
      ${breakerLine(this.resting(provider))}
      <div role="listbox" id=${this.groupId(provider)} aria-label=${provider}>
        ${repeat(
          models,
          (m) => m.id,
          (m) => this.option(m),
        )}
      </div>
    </div>`;
  }

  private resting(provider: string): BreakerShown | undefined {
    return this.breakers.find((one) => one.provider === provider);
  }

  private option(model: ModelShown): TemplateResult {
    const classes = ["vc-option", model.id === this.active ? "vc-option-active" : "", model.usable ? "" : "vc-option-off"];
    return html`<div
      class=${classes.join(" ").trim()}
      role="option"
      id=${this.optionId(model.id)}
      aria-selected=${model.id === this.selected ? "true" : "false"}
      aria-disabled=${model.usable ? "false" : "true"}
      @click=${() => this.choose(model)}
      @mousemove=${() => this.activate(model.id)}
    >
      <span class="vc-option-check">${model.id === this.selected ? icon("check") : nothing}</span>
      <span class="vc-option-name">${model.name || model.id}${badges(model)}</span>
      <span class="vc-option-price">${price(model)}</span>
      ${model.usable
        ? nothing
        : html`<span class="vc-option-why">${model.why || strings.notUsable}</span>`}
    </div>`;
  }

  private groupId(provider: string): string {
    return `${this.id}-of-${provider}`;
  }

  private optionId(model: string): string {
    return `${this.id}-${model.replace(/[^\w-]/g, "_")}`;
  }

  private search(query: string): void {
    this.query = query;
    this.active = "";
    this.draw();
    this.showActive();
  }

  private activate(model: string): void {
    if (model === this.active) return;
    this.active = model;
    this.draw();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const found = this.found();
    const at = found.findIndex((m) => m.id === this.active);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      this.activate(found[Math.max(0, Math.min(found.length - 1, to))]?.id ?? "");
      this.showActive();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const model = found[at];
      if (model) this.choose(model);
    } else if (event.key === "Escape" || event.key === "Tab") {
      // Escape elsewhere in the panel stops an answer; here it only closes the menu.
      if (event.key === "Escape") event.preventDefault();
      event.stopPropagation();
      this.popup.close();
    }
  }

  private choose(model: ModelShown): void {
    if (model.usable) {
      this.popup.close();
      this.actions.select(model.id);
    } else if (model.needs_key) this.key(model.provider);
  }

  private key(provider: string): void {
    this.popup.close();
    this.actions.enterKey(provider);
  }

  private showActive(): void {
    const option = this.popup.node.querySelector<HTMLElement>(".vc-option-active");
    option?.scrollIntoView?.({ block: "nearest" });
  }
}

function grouped(models: readonly ModelShown[]): Map<string, ModelShown[]> {
  const groups = new Map<string, ModelShown[]>();
  for (const model of models) groups.set(model.provider, [...(groups.get(model.provider) ?? []), model]);
  return groups;
}

function badges(model: ModelShown): TemplateResult {
  return html`${model.demo ? html`<span class="vc-badge vc-badge-demo">${strings.demoBadge}</span>` : nothing}${model.local &&
  !model.demo
    ? html`<span class="vc-badge">${strings.localBadge}</span>`
    : nothing}`;
}

function price(model: ModelShown): TemplateResult {
  const { input_price: input, output_price: output } = model;
  const size = model.context_tokens === null ? "" : strings.context(formatSize(model.context_tokens));
  if (input === null || output === null) return html`<span title=${size}>${strings.priceUnknown}</span>`;
  if (isZero(input) && isZero(output)) return html`<span title=${size}>${strings.free}</span>`;
  return html`<span title=${size}>${formatPrice(input)} / ${formatPrice(output)}</span>`;
}
