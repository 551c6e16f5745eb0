/** Keeps a scrolled element at its bottom while the reader is there, and leaves it alone otherwise. */

/** This close to the bottom counts as being there. */
const NEAR_PX = 32;

export class Follower {
  private following = true;
  private lastTop = 0;
  private readonly observer: ResizeObserver | null = null;

  /** `changed` is told when following begins or ends. */
  constructor(
    private readonly el: HTMLElement,
    private readonly changed: () => void,
  ) {
    el.addEventListener("scroll", () => this.scrolled(), { passive: true });
    // Whoever unfolds something wants to read it where it is.
    el.addEventListener("toggle", () => this.set(this.isNear()), true);
    if (typeof ResizeObserver === "function") {
      this.observer = new ResizeObserver((changes) => {
        if (changes.some((one) => one.target === el)) this.measure();
        this.follow();
      });
      for (const one of [el, ...el.children]) this.observer.observe(one);
    }
  }

  /** Whether new content below is out of sight and wanted back. */
  get away(): boolean {
    return !this.following;
  }

  /** To the bottom, if the reader was there. */
  follow(): void {
    if (!this.following) return;
    this.el.scrollTop = this.el.scrollHeight;
    this.lastTop = this.el.scrollTop;
  }

  /** To the bottom, wherever the reader was. */
  jump(): void {
    this.set(true);
    this.follow();
  }

  /** Stays where the reader goes next. */
  leave(): void {
    this.set(false);
  }

  dispose(): void {
    this.observer?.disconnect();
  }

  /** Lets the styles align what is inside with what is outside, however wide the scroll bar is. */
  private measure(): void {
    this.el.style.setProperty("--vc-scrollbar", `${this.el.offsetWidth - this.el.clientWidth}px`);
  }

  private scrolled(): void {
    const { scrollTop } = this.el;
    // Only going up ends it: content that grows also leaves the bottom, and nobody scrolled.
    const up = scrollTop < this.lastTop - 1;
    this.lastTop = scrollTop;
    if (this.isNear()) this.set(true);
    else if (up) this.set(false);
  }

  private isNear(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.el;
    return scrollHeight - clientHeight - scrollTop <= NEAR_PX;
  }

  private set(following: boolean): void {
    if (following === this.following) return;
    this.following = following;
    this.changed();
  }
}
