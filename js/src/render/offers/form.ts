/** The values that a prompt or a resource's address takes, typed with the plugin's help. */
import { html, nothing, render } from "lit-html";

import type { PromptArgumentShown } from "../../protocol";
import { strings } from "../../strings";

/** How long a field must rest before the plugin is asked how it may go on. */
const REST_MS = 180;

let forms = 0;

export interface FormActions {
  /** What the values are for is fetched; tells whether it came. */
  submit(values: Readonly<Record<string, string>>): Promise<boolean>;
  /** How a value may go on. */
  complete(name: string, value: string, filled: Readonly<Record<string, string>>): Promise<readonly string[]>;
  /** The form is done with. */
  close(): void;
}

export class ArgumentForm {
  readonly node = document.createElement("form");
  private readonly id = `vc-arguments-${++forms}`;
  private readonly values: Record<string, string> = {};
  private readonly offered = new Map<string, readonly string[]>();
  private missing = new Set<string>();
  private busy = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly title: string,
    private readonly about: string,
    private readonly fields: readonly PromptArgumentShown[],
    private readonly label: string,
    private readonly actions: FormActions,
  ) {
    this.node.className = "vc-arguments";
    this.node.noValidate = true;
    this.node.setAttribute("aria-label", title);
    this.node.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submit();
    });
    this.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.close();
    });
    this.draw();
  }

  focus(): void {
    this.node.querySelector("input")?.focus();
  }

  close(): void {
    clearTimeout(this.timer);
    this.node.remove();
    this.actions.close();
  }

  private draw(): void {
    render(
      html`<div class="vc-arguments-head">
          <strong>${this.title}</strong>
          ${this.about ? html`<span class="vc-arguments-about">${this.about}</span>` : nothing}
        </div>
        ${this.fields.map((field, i) => this.row(field, `${this.id}-${i}`))}
        <div class="vc-ask-actions">
          <button type="submit" class="vc-button" ?disabled=${this.busy}>${this.busy ? strings.fetching : this.label}</button>
          <button type="button" class="vc-button-quiet" @click=${() => this.close()}>${strings.cancel}</button>
        </div>`,
      this.node,
    );
  }

  private row(field: PromptArgumentShown, id: string) {
    const missing = this.missing.has(field.name);
    const about = [field.description ? `${id}-about` : "", missing ? `${id}-problem` : ""].filter(Boolean).join(" ");
    return html`<div class="vc-form-row">
      <label for=${id}
        >${field.title}${field.required ? nothing : html` <span class="vc-form-optional">${strings.formOptional}</span>`}</label
      >
      <input
        class="vc-input"
        id=${id}
        list="${id}-list"
        type="text"
        autocomplete="off"
        spellcheck="false"
        aria-describedby=${about || nothing}
        aria-invalid=${missing ? "true" : "false"}
        @input=${(event: Event) => this.typed(field.name, (event.target as HTMLInputElement).value)}
        @focus=${(event: Event) => this.typed(field.name, (event.target as HTMLInputElement).value)}
      />
      <datalist id="${id}-list">${(this.offered.get(field.name) ?? []).map((value) => html`<option value=${value}></option>`)}</datalist>
      ${field.description ? html`<span class="vc-form-about" id="${id}-about">${field.description}</span>` : nothing}
      ${missing ? html`<span class="vc-form-problem" id="${id}-problem">${strings.needed}</span>` : nothing}
    </div>`;
  }

  private typed(name: string, value: string): void {
    this.values[name] = value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const others = Object.fromEntries(Object.entries(this.values).filter(([other, text]) => other !== name && text !== ""));
      void this.actions.complete(name, value, others).then((offered) => {
        // Something else was typed meanwhile.
        if (this.values[name] !== value) return;
        this.offered.set(name, offered);
        this.draw();
      });
    }, REST_MS);
  }

  private async submit(): Promise<void> {
    if (this.busy) return;
    this.missing = new Set(this.fields.filter((one) => one.required && !this.values[one.name]?.trim()).map((one) => one.name));
    this.busy = this.missing.size === 0;
    this.draw();
    if (!this.busy) {
      this.node.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
      return;
    }
    const filled = Object.fromEntries(Object.entries(this.values).filter(([, text]) => text !== ""));
    const came = await this.actions.submit(filled);
    this.busy = false;
    if (came) this.close();
    else this.draw();
  }
}
