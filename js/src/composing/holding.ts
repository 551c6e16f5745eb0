/**
 * Hands what is attached to the kernel before it is sent, so that a draft can name it by an id and outlive the page,
 * and asks the kernel of what a draft names whether it is there still. No DOM.
 */
import { problems, safePreview, type Chip } from "../chips";
import type { AttachmentShown, FromPanel } from "../protocol";
import type { Requests } from "../requests";
import type { View } from "../store";
import { strings } from "./strings";

/** A file that is sent within this time goes over the connection once. */
export const REST_MS = 700;

export class Holding {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What was asked about and needs no second asking: on its way, or refused. */
  private readonly asked = new Set<string>();

  /**
   * @param view What the panel knows now.
   * @param requests Finds the kernel's answers.
   * @param send Sends a message with its buffers; false when it did not leave.
   * @param refine Changes a chip by its key, wherever it is by then.
   */
  constructor(
    private readonly view: () => View,
    private readonly requests: Requests,
    private readonly send: (message: FromPanel, buffers: ArrayBuffer[]) => boolean,
    private readonly refine: (key: string, parts: Partial<Chip>) => void,
  ) {}

  /** Looks whether something is to be handed over or asked. Cheap: called at each change of the panel. */
  look(): void {
    const view = this.view();
    if (view.chips.length === 0 || !view.ready || view.link !== "live") return;
    const unsure = view.chips.filter((one) => one.unsure && one.id !== null && !this.asked.has(one.key));
    if (unsure.length > 0) void this.ask(unsure, []);
    if (this.timer === undefined && this.unheld().length > 0) this.timer = setTimeout(() => this.hold(), REST_MS);
  }

  /** The kernel is another, or out of reach: what was on its way is asked again. */
  forget(): void {
    this.asked.clear();
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private hold(): void {
    this.timer = undefined;
    if (this.view().link !== "live") return;
    // One at a time: together they might be more than the server lets through in one message.
    for (const one of this.unheld()) void this.ask([one], one.bytes === null ? [] : [one.bytes]);
  }

  private unheld(): Chip[] {
    const { chips, uploads } = this.view();
    const wrong = problems(chips, uploads);
    return chips.filter((one, i) => one.id === null && one.bytes !== null && wrong[i] === "" && !this.asked.has(one.key));
  }

  private async ask(chips: readonly Chip[], buffers: ArrayBuffer[]): Promise<void> {
    for (const one of chips) this.asked.add(one.key);
    const attachments = chips.map((one) => (one.id === null ? { name: one.name } : { name: one.name, id: one.id }));
    const answer = await this.requests.ask((number) => this.send({ type: "keep_attached", number, attachments }, buffers));
    if (answer?.type !== "fetched" || answer.error !== null) return;
    chips.forEach((one, i) => {
      const shown = answer.attachments[i];
      if (!shown) return;
      this.asked.delete(one.key);
      this.refine(one.key, told(one, shown));
    });
  }
}

/** What the kernel's word changes of a chip. */
function told(one: Chip, shown: AttachmentShown): Partial<Chip> {
  if (shown.problem === undefined) {
    return { id: shown.id, size: shown.size, preview: one.preview ?? safePreview(shown.preview), unsure: false };
  }
  if (one.id === null) return { problem: shown.problem };
  // This page has the bytes still, and hands them over again.
  return one.bytes !== null ? { id: null, unsure: false } : { id: null, unsure: false, problem: strings.gone };
}
