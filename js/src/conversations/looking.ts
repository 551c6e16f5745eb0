/**
 * Tells the kernel that the user looks at a panel, so that it shows what others wrote in its conversation. Told when the
 * page comes back into sight and when the panel is touched, at most once a minute: nothing is sent while nobody is there,
 * so that a server may still find its kernel idle.
 */
const AGAIN_MS = 60_000;

/** Coming back to the page is told in several ways. */
const SAME_MS = 1000;

export class Looking {
  private last = Number.NEGATIVE_INFINITY;
  private readonly back = () => this.look(SAME_MS);
  private readonly touched = () => this.look(AGAIN_MS);

  constructor(
    private readonly root: HTMLElement,
    private readonly tell: () => void,
  ) {
    document.addEventListener("visibilitychange", this.back);
    window.addEventListener("focus", this.back);
    for (const type of ["pointerenter", "focusin", "keydown"]) root.addEventListener(type, this.touched);
  }

  dispose(): void {
    document.removeEventListener("visibilitychange", this.back);
    window.removeEventListener("focus", this.back);
    for (const type of ["pointerenter", "focusin", "keydown"]) this.root.removeEventListener(type, this.touched);
  }

  private look(after: number): void {
    const now = performance.now();
    if (document.visibilityState !== "visible" || now - this.last < after) return;
    this.last = now;
    this.tell();
  }
}
