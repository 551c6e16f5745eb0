/** The variables that go with a question, as chips, and what exactly is sent of each. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { safePreview } from "../chips";
import { formatCount } from "../format";
import { icon } from "../icons";
import type { VariableRead } from "../protocol";
import type { Mentioned, Variables } from "./state";
import { strings } from "./strings";

export class VariableChips {
  readonly node = document.createElement("div");
  private open: string | null = null;
  private drawn: object | null = null;

  /** @param focus Gives the focus back to the text. */
  constructor(
    private readonly variables: Variables,
    private readonly focus: () => void,
  ) {
    this.node.addEventListener("keydown", (event) => this.pressed(event));
  }

  update(): void {
    if (this.variables.version !== this.drawn) this.draw();
  }

  private draw(): void {
    this.drawn = this.variables.version;
    const all = this.variables.mentioned;
    const shown = all.find((one) => one.path === this.open);
    if (!shown) this.open = null;
    render(
      all.length === 0
        ? nothing
        : html`<ul class="vc-chips vc-variables" aria-label=${strings.chips}>
              ${repeat(
                all,
                (one) => one.path,
                (one) => this.chip(one),
              )}
            </ul>
            ${shown?.read ? this.preview(shown, shown.read) : nothing}`,
      this.node,
    );
  }

  private chip({ path, read }: Mentioned): TemplateResult {
    const name = `@${path}`;
    const wrong = read?.problem ?? "";
    const about = wrong !== "" ? wrong : read === null ? strings.reading : described(read);
    const picture = read === null ? null : safePreview(read.pictures[0] ?? null);
    const hides = (read?.hidden.length ?? 0) > 0;
    return html`<li class="vc-file vc-variable ${wrong === "" ? "" : "vc-file-wrong"}">
      <button
        type="button"
        class="vc-variable-show"
        aria-expanded=${String(this.open === path)}
        aria-label=${strings.chip(name, hides ? `${about}, ${strings.hiddenShort}` : about)}
        ?disabled=${wrong !== ""}
        @click=${() => this.toggle(path)}
      >
        ${picture === null ? nothing : html`<span class="vc-file-face"><img src=${picture} alt="" /></span>`}
        <span class="vc-file-text">
          <span class="vc-file-name">${hides ? icon("shield") : nothing}${name}</span>
          <span class=${wrong === "" ? "vc-file-size" : "vc-file-problem"}>${about}</span>
        </span>
      </button>
      <button
        type="button"
        class="vc-button-icon"
        aria-label=${strings.remove(name)}
        title=${strings.remove(name)}
        @click=${() => this.remove(path)}
      >
        ${icon("close")}
      </button>
    </li>`;
  }

  private preview({ path, reveal }: Mentioned, read: VariableRead): TemplateResult {
    const name = `@${path}`;
    return html`<section class="vc-variable-preview" aria-label=${strings.preview(name)}>
      <header>
        <strong>${strings.preview(name)}</strong>
        <button type="button" class="vc-button-icon" aria-label=${strings.close} title=${strings.close} @click=${() => this.toggle(path)}>
          ${icon("close")}
        </button>
      </header>
      ${read.hidden.length > 0 || reveal
        ? html`<p class="vc-variable-hidden">
            ${icon(reveal ? "alert" : "shield")}
            <span>${read.hidden.length > 0 ? strings.hidden(read.hidden.join(", ")) : strings.revealed}</span>
            <label>
              <input
                type="checkbox"
                .checked=${reveal}
                @change=${(event: Event) => this.variables.reveal(path, (event.target as HTMLInputElement).checked)}
              />${strings.reveal}
            </label>
          </p>`
        : nothing}
      ${read.pictures.map((one) => {
        const safe = safePreview(one);
        return safe === null ? nothing : html`<img src=${safe} alt=${strings.picture(name)} />`;
      })}
      <pre tabindex="0" aria-label=${strings.preview(name)}>${read.text}</pre>
      <p class="vc-variable-now">${strings.now}</p>
    </section>`;
  }

  private toggle(path: string): void {
    this.open = this.open === path ? null : path;
    if (this.open !== null) this.variables.refresh(path);
    else this.focus();
    this.draw();
  }

  private remove(path: string): void {
    this.variables.dismiss(path);
    this.focus();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape" || this.open === null) return;
    // Escape elsewhere in the panel stops an answer; here it only closes the preview.
    event.preventDefault();
    event.stopPropagation();
    this.toggle(this.open);
  }
}

function described(read: VariableRead): string {
  return [read.kind, read.size, strings.tokens(formatCount(read.tokens))].filter((one) => one !== "").join(" · ");
}
