/**
 * Keeps what is read where it is while what stands above it changes its height: rows come in, guesses become
 * measurements, pictures arrive. Browsers do so by themselves (`overflow-anchor`), but Safari does not, and none can where
 * rows are renumbered.
 */

const BY_ITSELF = typeof CSS !== "undefined" && (CSS.supports?.("overflow-anchor", "auto") ?? false);

export class Anchor {
  private row: HTMLElement | null = null;
  private top = 0;

  constructor(
    private readonly scroller: HTMLElement,
    private readonly rows: () => Iterable<HTMLElement>,
  ) {}

  /** Remembers the first row in sight, and where it is; where the browser does so, only if `always`. */
  note(always = false): void {
    this.row = null;
    if (BY_ITSELF && !always) return;
    const edge = this.scroller.getBoundingClientRect().top;
    for (const row of this.rows()) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom <= edge) continue;
      this.row = row;
      this.top = top - edge;
      return;
    }
  }

  /** Brings the remembered row back to where it was. */
  restore(): void {
    if (!this.row?.isConnected) return;
    const moved = this.row.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - this.top;
    if (Math.abs(moved) >= 1) this.scroller.scrollTop += moved;
  }
}
