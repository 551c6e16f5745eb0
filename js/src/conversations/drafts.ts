/**
 * What was typed and not sent, kept in this browser by conversation, so that it outlives a reload of the page and a
 * restart of the kernel. Only the composer's text: no attachment, no key, nothing that was said.
 *
 * A kernel that was restarted begins another conversation. Its empty composer takes up the latest draft of the same
 * notebook, once it is plain that no panel of the page is in that conversation.
 */
import type { View } from "../store";

export const STORE = "valechat.drafts";

const LONGEST = 100_000;
const MOST = 50;
const DAYS_30_MS = 30 * 86_400_000;

/** The store is written this long after the last key. */
const LATER_MS = 300;

/** Within this time after the page was loaded its other panels have said which conversations they are in. */
const GRACE_MS = 1500;

interface Draft {
  readonly text: string;
  readonly at: number;
  readonly place: string;
}

type Kept = Record<string, Draft>;

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
  private readonly leaving = () => this.write();

  /**
   * `place` names the notebook. `opening` is the conversation that the user asked for; `found` takes a draft of the
   * notebook that came up later.
   */
  constructor(
    private readonly place: string,
    private readonly opening: () => string,
    private readonly found: (text: string) => void,
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
      if (view.draft !== before.draft) this.keep(to, view.draft);
      return view;
    }
    this.write();
    if (from === "") return this.first(view);
    if (this.opening() === to) {
      set(from, this.draft(before.draft));
      return { ...view, draft: get(to) };
    }
    // What stands in the composer goes along into a new conversation.
    set(from, null);
    set(to, this.draft(view.draft));
    return view;
  }

  /** Keeps a question for its own conversation, which is not on show. */
  add(conversation: string, text: string): void {
    const kept = get(conversation);
    set(conversation, this.draft(kept === "" ? text : `${text}\n${kept}`));
  }

  private first(view: View): View {
    // What was typed before the kernel answered may be sent at once, and then it must be just that.
    if (view.draft !== "") return view;
    const draft = get(view.conversationId);
    if (draft === "" && view.messages.length === 0) this.grace = setTimeout(() => this.adopt(), GRACE_MS);
    return draft === "" ? view : { ...view, draft };
  }

  /** Takes up the latest draft of this notebook whose conversation no panel is in. */
  private adopt(): void {
    const used = new Set(inUse.values());
    const left = Object.entries(read()).filter(([id, draft]) => draft.place === this.place && this.place !== "" && !used.has(id));
    const [latest] = left.sort(([, a], [, b]) => b.at - a.at);
    if (!latest) return;
    set(latest[0], null);
    this.found(latest[1].text);
  }

  private keep(conversation: string, text: string): void {
    clearTimeout(this.timer);
    this.unwritten = () => set(conversation, this.draft(text));
    // What was sent is gone at once.
    if (text === "") this.write();
    else this.timer = setTimeout(() => this.write(), LATER_MS);
  }

  private write(): void {
    clearTimeout(this.timer);
    this.unwritten?.();
    this.unwritten = undefined;
  }

  private draft(text: string): Draft | null {
    return text.trim() === "" || text.length > LONGEST ? null : { text, at: Date.now(), place: this.place };
  }
}

function get(conversation: string): string {
  return read()[conversation]?.text ?? "";
}

function set(conversation: string, draft: Draft | null): void {
  const kept = read();
  if (draft === null && !(conversation in kept)) return;
  delete kept[conversation];
  const others = Object.entries(kept).filter(([, one]) => one.at > Date.now() - DAYS_30_MS);
  const latest = others.sort(([, a], [, b]) => b.at - a.at).slice(0, MOST - 1);
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(draft === null ? latest : [[conversation, draft], ...latest])));
  } catch {
    // The user allows no storage, or it is full: the draft lives as long as the page.
  }
}

function read(): Kept {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    if (typeof kept !== "object" || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter(([, one]) => isDraft(one))) as Kept;
  } catch {
    return {};
  }
}

function isDraft(value: unknown): value is Draft {
  const { text, at, place } = (value ?? {}) as Partial<Draft>;
  return typeof text === "string" && typeof at === "number" && typeof place === "string";
}
