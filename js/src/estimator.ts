/**
 * When the kernel is asked what the composer's question would cost: a moment after the last change, never
 * while a question is under way. Answers to an older question are no answers.
 */
import { packed, sendable } from "./chips";
import type { Estimate, EstimateShown } from "./protocol";
import { running, type View } from "./store";

/** How long the composer must rest. */
export const REST_MS = 350;

/** Characters of a long text that are sent; the others are counted here. */
const SENT = 20_000;

export class Estimator {
  private timer: ReturnType<typeof setTimeout> | undefined;
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);
  private told: readonly unknown[] = [];

  /**
   * @param view What the panel knows now.
   * @param ask Sends a message.
   * @param show Draws an estimate, or none.
   */
  constructor(
    private readonly view: () => View,
    private readonly ask: (message: Estimate) => void,
    private readonly show: (estimate: EstimateShown | null) => void,
  ) {}

  /** Looks whether there is something else to estimate. Cheap: called at each change of the panel. */
  look(): void {
    const view = this.view();
    const blank = view.draft.trim() === "" && view.chips.length === 0;
    const off = blank || !view.ready || view.link === "gone";
    const busy = running(view).length > 0;
    const about = off || busy ? [] : [view.draft, view.chips, view.uploads, view.model, view.conversationId, view.plugins, view.messages.length];
    if (about.length === this.told.length && about.every((one, i) => one === this.told[i])) return;
    this.told = about;
    clearTimeout(this.timer);
    this.number += 1;
    if (off || busy) this.show(null);
    else this.timer = setTimeout(() => this.send(), REST_MS);
  }

  /** Takes the kernel's answer. */
  answered(number: number, estimate: EstimateShown | null): void {
    if (number === this.number && this.told.length > 0) this.show(estimate);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private send(): void {
    const { chips, uploads, draft, model } = this.view();
    const message: Estimate = { type: "estimate", number: this.number, text: draft.slice(0, SENT), model };
    if (draft.length > SENT) message.more = new TextEncoder().encode(draft.slice(SENT)).length;
    if (chips.length === 0 || !sendable(chips, uploads)) return this.ask(message);
    const sizes = chips.map((one) => (one.id === null ? one.size : 0));
    this.ask({ ...message, attachments: packed(chips).attachments, sizes });
  }
}
