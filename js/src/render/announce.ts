/**
 * What a screen reader hears of an answer: whole sentences as they are complete, not each token, and one
 * word at its end. The visible log is no live region, because it is drawn again at every tick.
 */
import type { MessageShown } from "../protocol";
import type { View } from "../store";
import { strings } from "../strings";

/** The last end of a sentence, a list item or a paragraph. */
const SENTENCE_END = /[.!?…:;]["')\]]*\s|\n/g;

/** Sentences kept in the region; what was read need not stay. */
const KEPT = 12;

export class Announcer {
  readonly node = document.createElement("div");
  private id = "";
  private said = 0;

  constructor() {
    this.node.className = "vc-offscreen";
    this.node.setAttribute("role", "log");
    this.node.setAttribute("aria-live", "polite");
    this.node.setAttribute("aria-relevant", "additions");
  }

  /** Says something now. */
  tell(text: string): void {
    this.say(text);
  }

  update(view: View): void {
    const last = view.messages.findLast((m) => m.role === "assistant");
    if (last?.status === "streaming") this.follow(last);
    else if (this.id !== "") this.end(view.messages.find((m) => m.id === this.id));
  }

  private follow(answer: MessageShown): void {
    if (answer.id !== this.id) {
      this.id = answer.id;
      this.said = 0;
      this.say(strings.answerStarted(answer.model));
    }
    const fresh = answer.text.slice(this.said);
    const end = [...fresh.matchAll(SENTENCE_END)].at(-1);
    if (!end) return;
    const length = end.index + end[0].length;
    this.say(fresh.slice(0, length));
    this.said += length;
  }

  private end(answer: MessageShown | undefined): void {
    this.id = "";
    if (!answer) return;
    this.say(answer.text.slice(this.said));
    const status = strings.status[answer.status];
    this.say(answer.status === "complete" || !status ? strings.answerEnded : strings.answerEndedAs(status));
  }

  private say(text: string): void {
    if (text.trim() === "") return;
    const line = document.createElement("p");
    line.textContent = text.trim();
    this.node.append(line);
    while (this.node.childElementCount > KEPT) this.node.firstElementChild?.remove();
  }
}
