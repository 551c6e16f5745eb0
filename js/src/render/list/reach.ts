/**
 * Asks for older messages before the reader comes to the top. Leads to the very first when Home is pressed, page by
 * page, and to the last when End is.
 */
import { html, nothing, type TemplateResult } from "lit-html";

import { LEAP, PAGE } from "../../paging";
import { earlier } from "./strings";

/** Heights of the window above which older messages are asked for. */
const AHEAD = 2;

export interface ReachContext {
  /** Asks for so many older messages. */
  readonly ask: (most: number) => void;
  /** Whether the list stays at its bottom; `follow` makes it, `leave` ends it. */
  readonly following: () => boolean;
  readonly follow: () => void;
  readonly leave: () => void;
}

export class Reach {
  private climbing = false;
  private left = 0;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly context: ReachContext,
  ) {
    scroller.addEventListener("scroll", () => this.look(), { passive: true });
    scroller.addEventListener("keydown", (event) => {
      if ((event.target as Element).closest("input, textarea, select")) return;
      this.climbing = event.key === "Home";
      if (event.key !== "Home" && event.key !== "End") return;
      // Not left to the browser, which glides to where the end was before the last rows were drawn, and whose events
      // of an earlier scroll would be taken for the reader's.
      event.preventDefault();
      if (event.key === "End") return context.follow();
      context.leave();
      scroller.scrollTop = 0;
    });
    for (const type of ["wheel", "pointerdown"]) {
      scroller.addEventListener(type, () => (this.climbing = false), { passive: true });
    }
  }

  /** What stands above the rows while `left` messages are not here. */
  update(left: number): TemplateResult | typeof nothing {
    this.left = left;
    if (left === 0) return nothing;
    return html`<button type="button" class="vc-button-text vc-earlier" @click=${() => this.context.ask(PAGE)}>
      ${earlier(left)}
    </button>`;
  }

  /** Rows were drawn, or scrolled. */
  look(): void {
    const { scrollTop, clientHeight } = this.scroller;
    if (clientHeight === 0) return;
    if (this.context.following()) this.climbing = false;
    // Rows that come in above shall not push the reader away from the top, until something else is done.
    if (this.climbing) this.scroller.scrollTop = 0;
    const near = this.climbing || scrollTop < AHEAD * clientHeight;
    if (this.left > 0 && near) this.context.ask(this.climbing ? LEAP : PAGE);
  }
}
