/**
 * Tells of a long answer's end while the page is hidden, where the user asked for that. It follows the session, not
 * the drawing: a hidden page draws nothing.
 */
import { preferences } from "../settings/preferences";
import type { View } from "../store";
import { strings } from "../strings";

/** An answer that takes less is waited for. */
const LONG_MS = 10_000;

export class Finished {
  private readonly begun = new Map<string, number>();

  constructor(private readonly bring: () => void) {}

  update(view: View): void {
    const streaming = new Set(view.messages.filter((m) => m.status === "streaming").map((m) => m.id));
    for (const id of streaming) if (!this.begun.has(id)) this.begun.set(id, performance.now());
    for (const [id, at] of this.begun) {
      if (streaming.has(id)) continue;
      this.begun.delete(id);
      const answer = view.messages.find((m) => m.id === id);
      if (answer && performance.now() - at >= LONG_MS) this.tell(answer.model, view.title, id);
    }
  }

  private tell(model: string, title: string, tag: string): void {
    if (!document.hidden || !preferences().notify || typeof Notification === "undefined") return;
    if (Notification.permission !== "granted") return;
    const said = new Notification(strings.answered(model), { body: title, tag });
    said.addEventListener("click", () => {
      window.focus();
      this.bring();
      said.close();
    });
  }
}
