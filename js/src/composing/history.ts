/**
 * Earlier questions by the arrow keys: up in an empty composer brings the last one, down brings back what stood there.
 * This conversation's come first, then the others that this panel has shown. No DOM.
 */
import type { View } from "../store";

/** Questions of other conversations that are kept. */
const MOST = 200;

export class QuestionHistory {
  private readonly seen = new Map<string, string>();
  private here: readonly string[] = [];
  private of: readonly unknown[] = [];
  /** How far back we are; -1 outside. */
  private at = -1;
  private entries: readonly string[] = [];
  private kept = "";
  private shown: string | null = null;

  /** Takes note of the questions that are shown. */
  update(view: View): void {
    if (view.messages === this.of[0]) return;
    this.of = [view.messages];
    const asked = view.messages.filter((one) => one.role === "user" && one.text.trim() !== "");
    this.here = asked.map((one) => one.text);
    for (const one of asked) {
      this.seen.delete(one.id);
      this.seen.set(one.id, one.text);
    }
    for (const id of this.seen.keys()) {
      if (this.seen.size <= MOST) break;
      this.seen.delete(id);
    }
  }

  /** The composer's text after an arrow key; null where the key is none of ours. */
  go(key: string, draft: string): string | null {
    const inside = this.at >= 0 && draft === this.shown;
    if (!inside) this.at = -1;
    if (key === "ArrowUp" && (inside || draft === "")) {
      if (!inside) this.begin(draft);
      if (this.at + 1 >= this.entries.length) return inside ? draft : null;
      this.at += 1;
      return (this.shown = this.entries[this.at] ?? "");
    }
    if (key === "ArrowDown" && inside) {
      this.at -= 1;
      return (this.shown = this.at < 0 ? this.kept : (this.entries[this.at] ?? ""));
    }
    return null;
  }

  private begin(draft: string): void {
    this.kept = draft;
    this.entries = [...new Set([...[...this.here].reverse(), ...[...this.seen.values()].reverse()])];
  }
}
