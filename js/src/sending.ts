/** A failed message is followed by a question for the whole state after this time. */
const AGAIN_MS = 2_000;

/** Notices what was sent and did not arrive, where a host says so only later: marimo sends by a request of its own. */
export class Sending {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;

  /** `lost` is called for each message that was lost, `again` when it is time to try again. */
  constructor(
    private readonly lost: () => void,
    private readonly again: () => void,
  ) {}

  /** Takes what the host's `send` gave back. */
  watch(sent: unknown): void {
    if (sent instanceof Promise) sent.catch(() => this.failed());
  }

  dispose(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  private failed(): void {
    if (this.over) return;
    this.lost();
    clearTimeout(this.timer);
    this.timer = setTimeout(this.again, AGAIN_MS);
  }
}
