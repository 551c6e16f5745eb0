/**
 * One setting as a field: sent when it is left or Enter is pressed, with what came of it beside it. A value that is
 * refused stays in the field, with the reason.
 */
import { html, nothing, render } from "lit-html";

import { icon } from "../icons";
import type { SettingShown } from "../protocol";
import { strings, type Words } from "./strings";
import type { Outcome } from "./talk";

export interface FieldKind {
  /** Several lines. */
  readonly long?: boolean;
  /** What is usually written; anything else may be, too. */
  readonly offers?: readonly string[];
  readonly numeric?: boolean;
}

let fields = 0;

export class Field {
  readonly node = document.createElement("div");
  private readonly input: HTMLInputElement | HTMLTextAreaElement;
  private readonly below = document.createElement("div");
  private readonly id = `vc-setting-${++fields}`;
  private setting: SettingShown | null = null;
  private state: "idle" | "saving" | "saved" | Exclude<Outcome, null> = "idle";

  constructor(
    private readonly words: Words,
    kind: FieldKind,
    private readonly change: (value: string) => Promise<Outcome>,
  ) {
    this.node.className = "vc-setting";
    this.input = document.createElement(kind.long ? "textarea" : "input");
    this.input.id = this.id;
    this.input.className = "vc-input";
    this.input.placeholder = words.placeholder ?? "";
    this.input.spellcheck = kind.long === true;
    if (this.input instanceof HTMLTextAreaElement) this.input.rows = 3;
    if (kind.numeric) this.input.inputMode = "decimal";
    this.input.setAttribute("aria-describedby", `${this.id}-about`);
    this.below.id = `${this.id}-about`;
    this.below.className = "vc-setting-about";
    const label = document.createElement("label");
    label.htmlFor = this.id;
    label.textContent = words.label;
    const box = document.createElement("div");
    box.className = "vc-setting-box";
    box.append(this.input, ...this.list(kind.offers ?? []), this.below);
    this.node.append(label, box);
    this.input.addEventListener("change", () => void this.send());
    this.input.addEventListener("input", () => {
      if (this.state !== "idle") this.become("idle");
    });
    this.input.addEventListener("keydown", (event) => {
      if ((event as KeyboardEvent).key !== "Enter" || kind.long) return;
      event.preventDefault();
      void this.send();
    });
  }

  /** Takes in what is set. What is being typed stays. */
  update(setting: SettingShown): void {
    const before = this.setting?.value;
    this.setting = setting;
    const typing = this.input === (this.node.getRootNode() as Document | ShadowRoot).activeElement;
    const refused = typeof this.state === "object";
    if (before === undefined || (setting.value !== before && !typing && !refused)) this.input.value = setting.value;
    this.draw();
  }

  private async send(): Promise<void> {
    const value = this.input.value;
    if (value === this.setting?.value || this.state === "saving") return;
    this.become("saving");
    const outcome = await this.change(value);
    if (this.input.value !== value) {
      // The user typed on meanwhile; that is sent when the field is left.
      this.become("idle");
      return;
    }
    this.become(outcome ?? "saved");
    if (outcome === null && this.setting) this.input.value = this.setting.value;
  }

  private become(state: Field["state"]): void {
    this.state = state;
    this.draw();
  }

  private draw(): void {
    const wrong = typeof this.state === "object" ? this.state : null;
    this.input.setAttribute("aria-invalid", String(wrong !== null));
    const setting = this.setting;
    const usual = setting && setting.usual !== "" ? strings.usual(setting.usual) : "";
    const help = [this.words.help ?? "", usual].filter(Boolean).join(" ");
    render(
      html`${wrong
          ? html`<span class="vc-setting-wrong" role="alert">${icon("alert")}<span>${`${wrong.message} ${wrong.fix}`.trim()}</span></span>`
          : nothing}${this.state === "saving" || this.state === "saved"
          ? html`<span class="vc-setting-saved" role="status">${this.state === "saved" ? icon("check") : nothing}${strings[this.state]}</span>`
          : nothing}${help && !wrong ? html`<span>${help}</span>` : nothing}${setting && setting.now !== ""
          ? html`<span class="vc-setting-now">${strings.lowered(setting.now)}</span>`
          : nothing}`,
      this.below,
    );
  }

  private list(offers: readonly string[]): HTMLElement[] {
    if (offers.length === 0) return [];
    const list = document.createElement("datalist");
    list.id = `${this.id}-offers`;
    for (const offer of offers) list.append(new Option(offer));
    this.input.setAttribute("list", list.id);
    return [list];
  }
}
