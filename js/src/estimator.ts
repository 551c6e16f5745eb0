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

/** What goes with the question beside its chips; another `version` when it changes. */
export interface Beside {
  readonly version: object;
  /** Bytes of text, and images. */
  readonly weight: { readonly bytes: number; readonly images: number };
}

const NOTHING: Beside = { version: {}, weight: { bytes: 0, images: 0 } };

export class Estimator {
  private timer: ReturnType<typeof setTimeout> | undefined;
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);
  private told: readonly unknown[] = [];

  /**
   * @param view What the panel knows now.
   * @param ask Sends a message.
   * @param show Draws an estimate, or none.
   * @param beside What goes with the question and is no chip.
   */
  constructor(
    private readonly view: () => View,
    private readonly ask: (message: Estimate) => void,
    private readonly show: (estimate: EstimateShown | null) => void,
    private readonly beside: Beside = NOTHING,
  ) {}

  /** Looks whether there is something else to estimate. Cheap: called at each change of the panel. */
  look(): void {
    const view = this.view();
    const blank = view.draft.trim() === "" && view.chips.length === 0;
    const off = blank || !view.ready || view.link === "gone";
    const busy = running(view).length > 0;
    const about = off || busy ? [] : [view.draft, view.chips, view.uploads, view.model, view.conversationId, view.plugins, view.messages.length, this.beside.version];
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
    const { bytes, images } = this.beside.weight;
    const more = bytes + (draft.length > SENT ? new TextEncoder().encode(draft.slice(SENT)).length : 0);
    if (more > 0) message.more = more;
    // A picture counts by its name, as one that has not arrived yet does.
    const pictures = Array.from({ length: images }, () => ({ name: "variable.png" }));
    const attached = sendable(chips, uploads) ? chips : [];
    if (attached.length === 0 && images === 0) return this.ask(message);
    const sizes = [...attached.map((one) => (one.id === null ? one.size : 0)), ...pictures.map(() => 0)];
    this.ask({ ...message, attachments: [...packed(attached).attachments, ...pictures], sizes });
  }
}
