/**
 * The variables that the composer's text mentions: asked of the kernel a moment after they are typed, and sent with
 * the question as they are then. No DOM.
 */
import type { Chip } from "../chips";
import type { FolderFileShown, FromPanel, ToPanel, VariableAsked, VariableRead, VariableShown } from "../protocol";
import { mentions } from "./mentions";

/** How long the text must rest before the kernel is asked what a name stands for. */
export const REST_MS = 250;

/** A mention's chip; `read` is null until the kernel has told. */
export interface Mentioned {
  readonly path: string;
  readonly read: VariableRead | null;
  readonly reveal: boolean;
}

export class Variables {
  /** What there is, as the kernel last said; null before it was asked. */
  listed: readonly VariableShown[] | null = null;
  files: readonly FolderFileShown[] = [];
  /** A new one with each change of what is read, for those who look whether something changed. */
  version: object = {};
  private draft = "";
  private paths: readonly string[] = [];
  private readonly read = new Map<string, VariableRead>();
  private readonly asked = new Set<string>();
  private readonly unwanted = new Set<string>();
  private readonly revealed = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);
  private listing = 0;

  /**
   * @param send Sends a message; false when it did not leave.
   * @param changed Called after each change.
   */
  constructor(
    private readonly send: (message: FromPanel) => boolean,
    private readonly changed: () => void,
  ) {}

  /** The chips to show: what is known to be a variable, or was chosen, and was not put away. */
  get mentioned(): readonly Mentioned[] {
    return this.paths.flatMap((path) => {
      const read = this.read.get(path) ?? null;
      return read === null || this.unwanted.has(path) ? [] : [{ path, read, reveal: this.revealed.has(path) }];
    });
  }

  /** Looks at the composer's text. Cheap: called at each change of the panel. */
  look(draft: string): void {
    if (draft === this.draft) return;
    this.draft = draft;
    const paths = mentions(draft);
    if (paths.length === 0 && this.paths.length === 0) return;
    this.paths = paths;
    this.version = {};
    for (const set of [this.unwanted, this.revealed, this.asked]) for (const path of set) if (!paths.includes(path)) set.delete(path);
    for (const path of this.read.keys()) if (!paths.includes(path)) this.read.delete(path);
    clearTimeout(this.timer);
    if (this.unread().length > 0) this.timer = setTimeout(() => this.ask(this.unread()), REST_MS);
  }

  /** Asks what there is; the answer is in `listed` and `files`. */
  list(): void {
    this.listing = ++this.number;
    this.send({ type: "list_variables", number: this.listing });
  }

  /** Reads a mention again, as its value is now. */
  refresh(path: string): void {
    this.ask([path]);
  }

  /** Sends a variable as it is, with what looks like a secret, or not. */
  reveal(path: string, on: boolean): void {
    if (on) this.revealed.add(path);
    else this.revealed.delete(path);
    this.ask([path]);
  }

  /** The mentions that stay in the text and are not sent. */
  get dismissed(): readonly string[] {
    return [...this.unwanted];
  }

  /** Sends nothing for these mentions, and what there is for all others, in a text that comes up again. */
  leave(paths: readonly string[]): void {
    this.unwanted.clear();
    for (const path of paths) this.unwanted.add(path);
  }

  /** Leaves a mention in the text and sends nothing for it. */
  dismiss(path: string): void {
    this.unwanted.add(path);
    this.touch();
  }

  /** What goes with a question: the chips, and what stands in the text and was not looked up yet. */
  toSend(text: string, chips: readonly Chip[]): VariableAsked[] {
    const attached = new Set(chips.map((one) => one.name));
    return mentions(text)
      .filter((path) => !this.unwanted.has(path) && !attached.has(`@${path}`))
      .map((path) => ({ path, known: this.read.has(path), reveal: this.revealed.has(path) }));
  }

  /** What the variables add to a question: bytes of text, and images. */
  get weight(): { bytes: number; images: number } {
    let bytes = 0;
    let images = 0;
    for (const { read } of this.mentioned) {
      bytes += new TextEncoder().encode(read?.text ?? "").length;
      images += read?.pictures.length ?? 0;
    }
    return { bytes, images };
  }

  received(message: ToPanel): void {
    if (message.type === "variables" && message.number === this.listing) {
      this.listed = message.variables;
      this.files = message.files;
      this.changed();
    }
    if (message.type !== "variables_read" || message.number > this.number || message.number < this.number - 1000) return;
    let news = false;
    for (const one of message.found) {
      if (!this.paths.includes(one.path)) continue;
      this.read.set(one.path, one);
      news = true;
    }
    if (news) this.touch();
  }

  /** The kernel was restarted: what was read is gone. */
  forget(): void {
    this.listed = null;
    this.files = [];
    this.read.clear();
    this.asked.clear();
    this.version = {};
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private unread(): string[] {
    return this.paths.filter((path) => !this.read.has(path) && !this.asked.has(path) && !this.unwanted.has(path));
  }

  private ask(paths: readonly string[]): void {
    if (paths.length === 0) return;
    for (const path of paths) this.asked.add(path);
    const asked = paths.map((path) => ({ path, known: this.read.has(path), reveal: this.revealed.has(path) }));
    this.send({ type: "read_variables", number: ++this.number, asked });
  }

  private touch(): void {
    this.version = {};
    this.changed();
  }
}
