/**
 * What was typed and attached and not sent, kept in this browser by conversation, so that it outlives a reload of the
 * page and a restart of the kernel. Of an attachment only its name, its size and the kernel's id for it: no content,
 * no key, nothing that was said.
 *
 * A kernel that was restarted begins another conversation. Its empty composer takes up the latest draft of the same
 * notebook, once it is plain that no panel of the page is in that conversation.
 */
import { chip, type Chip } from "../chips";
import { strings } from "../composing/strings";
import type { View } from "../store";
import { change, kept, type Draft } from "./keeping";

export { STORE } from "./keeping";

const LONGEST = 100_000;

/** The store is written this long after the last key. */
const LATER_MS = 300;

/** Within this time after the page was loaded its other panels have said which conversations they are in. */
const GRACE_MS = 1500;

/** What stands in a composer. */
export interface Composed {
  readonly text: string;
  readonly chips: readonly Chip[];
}

/** The names in the text that the user does not want sent as variables. */
export interface Mentions {
  readonly dismissed: readonly string[];
  leave(paths: readonly string[]): void;
}

/** The conversations that panels of this page are in. Each panel brings a copy of this module, so they share it so. */
const inUse: Map<symbol, string> = ((globalThis as Record<symbol, unknown>)[Symbol.for("valechat.conversations")] ??= new Map()) as Map<
  symbol,
  string
>;

export class Drafts {
  private readonly self = Symbol("panel");
  private timer: ReturnType<typeof setTimeout> | undefined;
  private grace: ReturnType<typeof setTimeout> | undefined;
  private unwritten: (() => void) | undefined;
  private dismissed: readonly string[] = [];
  /** The attachments of conversations this panel has left, with what only this page has of them. */
  private readonly left = new Map<string, readonly Chip[]>();
  private readonly leaving = () => this.write();

  /**
   * `place` names the notebook. `opening` is the conversation that the user asked for; `found` takes a draft of the
   * notebook that came up later, and tells whether it did.
   */
  constructor(
    private readonly place: string,
    private readonly opening: () => string,
    private readonly mentions: Mentions,
    private readonly found: (draft: Composed) => boolean,
  ) {
    globalThis.window?.addEventListener("pagehide", this.leaving);
  }

  dispose(): void {
    this.write();
    clearTimeout(this.grace);
    inUse.delete(this.self);
    globalThis.window?.removeEventListener("pagehide", this.leaving);
  }

  /** The view that follows another, with the draft of the conversation it has come to. */
  follow(before: View, view: View): View {
    if (view.link === "gone") inUse.delete(this.self);
    const [from, to] = [before.conversationId, view.conversationId];
    if (to === "") return view;
    if (view.link !== "gone") inUse.set(this.self, to);
    if (from === to) {
      const { dismissed } = this.mentions;
      const same = dismissed.join("\n") === this.dismissed.join("\n");
      if (view.draft === before.draft && view.chips === before.chips && same) return view;
      this.dismissed = dismissed;
      this.keep(to, view);
      return view;
    }
    this.write();
    if (from === "") return this.first(view);
    if (this.opening() === to) {
      change(from, this.draft(before.draft, before.chips));
      this.left.set(from, before.chips);
      return { ...view, ...this.get(to) };
    }
    // What stands in the composer goes along into a new conversation.
    change(from, null);
    change(to, this.draft(view.draft, view.chips));
    return view;
  }

  /** Keeps a question for its own conversation, which is not on show. */
  add(conversation: string, text: string, chips: readonly Chip[]): void {
    const old = kept()[conversation];
    const draft = this.draft(old === undefined || old.text === "" ? text : `${text}\n${old.text}`, chips);
    if (draft !== null) change(conversation, { ...draft, files: [...draft.files, ...(old?.files ?? [])], without: old?.without ?? [] });
  }

  /** Something became known of an attachment; it may belong to a conversation that is not on show. */
  refine(key: string, parts: Partial<Chip>): void {
    for (const [conversation, chips] of this.left) {
      if (!chips.some((one) => one.key === key)) continue;
      const refined = chips.map((one) => (one.key === key ? { ...one, ...parts } : one));
      this.left.set(conversation, refined);
      const draft = kept()[conversation];
      if (draft) change(conversation, { ...draft, files: refined.map(named) });
    }
  }

  private first(view: View): View {
    // What was typed before the kernel answered may be sent at once, and then it must be just that.
    if (view.draft !== "" || view.chips.length > 0) return view;
    const { draft, chips } = this.get(view.conversationId);
    const nothing = draft === "" && chips.length === 0;
    if (nothing && view.messages.length === 0) this.grace = setTimeout(() => this.adopt(), GRACE_MS);
    return nothing ? view : { ...view, draft, chips };
  }

  /** Takes up the latest draft of this notebook whose conversation no panel is in. */
  private adopt(): void {
    const used = new Set(inUse.values());
    const free = Object.entries(kept()).filter(([id, draft]) => draft.place === this.place && this.place !== "" && !used.has(id));
    const [latest] = free.sort(([, a], [, b]) => b.at - a.at);
    if (!latest) return;
    const { dismissed } = this.mentions;
    const { draft, chips } = this.get(latest[0]);
    if (this.found({ text: draft, chips })) change(latest[0], null);
    else this.mentions.leave(dismissed);
  }

  private get(conversation: string): { draft: string; chips: readonly Chip[] } {
    const draft = kept()[conversation];
    this.dismissed = draft?.without ?? [];
    this.mentions.leave(this.dismissed);
    // What another panel has sent or taken away meanwhile is not in the store, and does not come back.
    const own = [...(this.left.get(conversation) ?? [])];
    this.left.delete(conversation);
    const chips = (draft?.files ?? []).map((file) => {
      const at = own.findIndex((one) => one.name === file.name && (one.id ?? "") === file.id);
      return own.splice(at, at < 0 ? 0 : 1)[0] ?? restored(file);
    });
    return { draft: draft?.text ?? "", chips };
  }

  private keep(conversation: string, view: View): void {
    clearTimeout(this.timer);
    this.unwritten = () => change(conversation, this.draft(view.draft, view.chips));
    // What was sent is gone at once.
    if (view.draft === "" && view.chips.length === 0) this.write();
    else this.timer = setTimeout(() => this.write(), LATER_MS);
  }

  private write(): void {
    clearTimeout(this.timer);
    this.unwritten?.();
    this.unwritten = undefined;
  }

  private draft(text: string, chips: readonly Chip[]): Draft | null {
    const fits = text.length <= LONGEST ? text : "";
    if (fits.trim() === "" && chips.length === 0) return null;
    return { text: fits, at: Date.now(), place: this.place, files: chips.map(named), without: this.mentions.dismissed };
  }
}

function named({ name, size, id }: Chip): Draft["files"][number] {
  return { name, size, id: id ?? "" };
}

/** A chip of which the page has nothing any more. */
function restored({ name, size, id }: Draft["files"][number]): Chip {
  return id === "" ? chip({ name, size, problem: strings.unkept }) : chip({ name, size, id, unsure: true });
}
