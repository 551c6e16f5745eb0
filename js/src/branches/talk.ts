/** What a user asks of the kernel about branches and single messages. */
import { packed, sendable, type Chip } from "../chips";
import type { FromPanel } from "../protocol";
import { asked, running, type View } from "../store";

/** The part of a session that is needed here. */
export interface Way {
  readonly view: () => View;
  readonly change: (view: View) => void;
  readonly send: (message: FromPanel, buffers?: ArrayBuffer[]) => boolean;
  readonly newTurn: () => string;
}

export class BranchTalk {
  constructor(private readonly way: Way) {}

  /** Whether a branch can be made or shown now. */
  get free(): boolean {
    const view = this.way.view();
    return view.ready && view.link !== "gone" && running(view).length === 0;
  }

  /** Asks for another answer in an answer's place. */
  regenerate(message: string, model: string): boolean {
    return this.free && this.way.send({ type: "regenerate", turn: this.way.newTurn(), message, model });
  }

  /** Asks a question in the place of another one. What followed that one is a version of its own from then on. */
  instead(replaces: string, text: string, chips: readonly Chip[]): boolean {
    const view = this.way.view();
    if (!this.free || (text.trim() === "" && chips.length === 0) || !sendable(chips, view.uploads)) return false;
    const turn = this.way.newTurn();
    const at = view.messages.findIndex((m) => m.id === replaces);
    const before = at < 0 ? view.messages : view.messages.slice(0, at);
    const { draft } = view;
    this.way.change({ ...asked({ ...view, messages: before }, turn, text, chips), draft });
    const message: FromPanel = { type: "send", turn, text, model: view.model, replaces };
    if (chips.length === 0) return this.way.send(message);
    const { attachments, buffers } = packed(chips);
    return this.way.send({ ...message, attachments }, buffers);
  }

  show(message: string): boolean {
    return this.free && this.way.send({ type: "show_branch", message });
  }

  remove(message: string): boolean {
    return this.free && this.way.send({ type: "delete_turn", message });
  }

  pin(message: string, on: boolean): boolean {
    return this.way.send({ type: "pin_message", message, pinned: on });
  }
}
