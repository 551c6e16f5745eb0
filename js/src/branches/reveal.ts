/** Brings a message into sight that may have to be fetched first. */
import { LEAP } from "../paging";
import type { MessageShown } from "../protocol";
import type { View } from "../store";

const MARKED_MS = 1600;

export class Reveal {
  private goal = "";
  private seq: number | null = null;

  constructor(
    private readonly ask: (most: number) => void,
    private readonly scroll: (index: number) => HTMLElement | null,
  ) {}

  /** Shows this message at the next drawing in which it is there. `later`: only a newer state can have it. */
  to(message: string, later: View | null = null): void {
    this.goal = message;
    this.seq = later?.seq ?? null;
  }

  /** A view was drawn. */
  look(view: View): void {
    if (this.goal === "" || view.seq === null || view.seq === this.seq) return;
    this.seq = null;
    const index = view.messages.findIndex((m) => isGoal(m, this.goal));
    if (index < 0 && view.earlier > 0) {
      this.ask(LEAP);
      return;
    }
    this.goal = "";
    const row = index < 0 ? null : this.scroll(index);
    if (!row) return;
    row.classList.add("vc-row-found");
    setTimeout(() => row.classList.remove("vc-row-found"), MARKED_MS);
  }
}

/** Whether it is this message, or the answer that begins with it. */
function isGoal(message: MessageShown, goal: string): boolean {
  return message.id === goal || message.siblings?.[message.sibling ?? 0] === goal;
}
