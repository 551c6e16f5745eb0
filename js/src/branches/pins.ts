/** The pinned messages of a conversation: a button in the header that lists them, and the way to each. */
import { html, nothing, render } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { icon } from "../icons";
import type { PinShown } from "../protocol";
import { Popup } from "../render/popup";
import { strings as common } from "../strings";
import { strings } from "./strings";

export class PinsMenu {
  readonly node = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly popup: Popup;
  private pins: readonly PinShown[] = [];

  constructor(private readonly go: (pin: PinShown) => void) {
    this.node.className = "vc-pins";
    this.node.hidden = true;
    this.button.type = "button";
    this.button.className = "vc-button-icon";
    this.button.append(icon("pin"));
    this.popup = new Popup(this.button, "vc-menu vc-pins-menu", () => this.closed());
    this.button.addEventListener("click", () => (this.popup.isOpen ? this.popup.close() : this.open()));
    this.popup.node.addEventListener("keydown", (event) => this.pressed(event));
    this.node.append(this.button, this.popup.node);
  }

  update(pins: readonly PinShown[]): void {
    if (pins === this.pins) return;
    this.pins = pins;
    this.node.hidden = pins.length === 0;
    this.button.setAttribute("aria-label", strings.pins(pins.length));
    this.button.title = strings.pins(pins.length);
    if (pins.length === 0) this.popup.close();
    else if (this.popup.isOpen) this.draw();
  }

  dispose(): void {
    this.popup.dispose();
  }

  private open(): void {
    this.draw();
    this.popup.open();
    this.items()[0]?.focus();
  }

  private closed(): void {
    render(nothing, this.popup.node);
    this.button.focus({ preventScroll: true });
  }

  private items(): HTMLElement[] {
    return [...this.popup.node.querySelectorAll<HTMLElement>(".vc-pin")];
  }

  private draw(): void {
    render(
      html`<ul class="vc-menu-list vc-pins-list" aria-label=${strings.pinned}>
        ${repeat(
          this.pins,
          (pin) => pin.message,
          (pin) => html`<li>
            <button type="button" class="vc-pin" @click=${() => this.chose(pin)}>
              <span class="vc-pin-who">${pin.role === "user" ? common.you : common.assistant("")}${pin.shown ? "" : ` · ${strings.elsewhere}`}</span>
              <span class="vc-pin-text">${pin.text || strings.pinEmpty}</span>
            </button>
          </li>`,
        )}
      </ul>`,
      this.popup.node,
    );
  }

  private chose(pin: PinShown): void {
    this.popup.close();
    this.go(pin);
  }

  private pressed(event: KeyboardEvent): void {
    const items = this.items();
    const root = this.node.getRootNode() as Document | ShadowRoot;
    const at = items.indexOf(root.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items[Math.max(0, Math.min(items.length - 1, to))]?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.popup.close();
    }
  }
}
