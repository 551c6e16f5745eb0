/**
 * A small surface below a button. In the browser's top layer where there is one, because a notebook's
 * output area clips what leaves it; otherwise placed inside the panel.
 */

const MARGIN_PX = 8;

export class Popup {
  readonly node = document.createElement("div");
  isOpen = false;
  private readonly onTop = typeof this.node.showPopover === "function";
  private pressedInside = false;
  private readonly outside = (event: Event) => this.happenedOutside(event);

  constructor(
    private readonly anchor: HTMLElement,
    className: string,
    private readonly closed: () => void,
    /** `named`: the anchor is a button that says whether the surface is open. */
    private readonly how: { readonly named: boolean } = { named: true },
  ) {
    this.node.className = className;
    this.node.hidden = true;
    if (this.onTop) this.node.setAttribute("popover", "manual");
    this.node.addEventListener("pointerdown", () => this.pressed());
    this.expanded("false");
  }

  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    this.node.hidden = false;
    this.expanded("true");
    if (this.onTop) {
      this.node.showPopover();
      this.place();
    }
    for (const type of ["pointerdown", "focusin", "scroll", "resize"]) window.addEventListener(type, this.outside, true);
  }

  close(): void {
    if (!this.isOpen) return;
    this.stop();
    this.closed();
  }

  dispose(): void {
    if (this.isOpen) this.stop();
  }

  private stop(): void {
    this.isOpen = false;
    for (const type of ["pointerdown", "focusin", "scroll", "resize"]) window.removeEventListener(type, this.outside, true);
    if (this.onTop && this.node.isConnected) this.node.hidePopover();
    this.node.hidden = true;
    this.expanded("false");
  }

  private expanded(state: string): void {
    if (this.how.named) this.anchor.setAttribute("aria-expanded", state);
  }

  /** JupyterLab focuses the cell of what is pressed, before the press becomes a click. */
  private pressed(): void {
    this.pressedInside = true;
    const released = () => setTimeout(() => (this.pressedInside = false));
    window.addEventListener("pointerup", released, { capture: true, once: true });
  }

  private happenedOutside(event: Event): void {
    if (event.type === "focusin" && this.pressedInside) return;
    const path = event.composedPath();
    if (path.includes(this.node) || path.includes(this.anchor)) return;
    this.close();
  }

  /** Below the button or above it, wherever there is more room. */
  private place(): void {
    const box = this.anchor.getBoundingClientRect();
    const below = window.innerHeight - box.bottom - MARGIN_PX;
    const above = box.top - MARGIN_PX;
    const width = Math.min(400, window.innerWidth - 2 * MARGIN_PX);
    const left = Math.max(MARGIN_PX, Math.min(box.left, window.innerWidth - width - MARGIN_PX));
    const style = this.node.style;
    style.width = `${width}px`;
    style.left = `${left}px`;
    const down = below >= Math.min(320, above);
    style.maxHeight = `${Math.min(420, Math.max(160, down ? below : above) - 4)}px`;
    style.top = down ? `${box.bottom + 4}px` : "auto";
    style.bottom = down ? "auto" : `${window.innerHeight - box.top + 4}px`;
  }
}
