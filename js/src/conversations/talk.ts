/** The list of conversations as far as the kernel has told it, and what is asked of the kernel about them. */
import type { ConversationDone, ConversationShown, ErrorShown, ExportConversation, Exported, FromPanel, TagShown, ToPanel } from "../protocol";
import { strings } from "./strings";

/** What came of a request: the conversations it was about, or why it was not done. */
export type Outcome = Pick<ConversationDone, "conversations" | "error">;

type Answer = ConversationDone | Exported;

/** After a search was typed, or an answer began or ended, the list is asked for this much later. */
const SOON_MS = 150;

export class ConversationTalk {
  list: readonly ConversationShown[] = [];
  tags: readonly TagShown[] = [];
  more = false;
  search = "";
  tag = "";
  /** Whether the list is still that of an earlier search. */
  loading = false;
  /** The conversation that the user wants to see. */
  opening = "";
  private readonly listeners = new Set<() => void>();
  private readonly waiting = new Map<number, (answer: Answer | null) => void>();
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);
  private asked = { number: 0, skip: 0, fresh: true };
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (message: FromPanel) => boolean) {}

  /** Calls back after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Lists what says these words and has this tag. */
  find(search: string, tag: string, later = true): void {
    if (search === this.search && tag === this.tag && this.list.length > 0) return this.refresh();
    [this.search, this.tag, this.loading] = [search, tag, true];
    clearTimeout(this.timer);
    if (later) this.timer = setTimeout(() => this.ask(0, true), SOON_MS);
    else this.ask(0, true);
    this.tell();
  }

  /** Asks for the beginning of the list again; what follows it stays. */
  refresh(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(0, this.loading), SOON_MS);
  }

  /** Asks for what follows the list so far. */
  further(): void {
    if (!this.more || this.loading || this.asked.skip === this.list.length) return;
    this.ask(this.list.length, false);
  }

  open(conversation: string): Promise<Outcome> {
    this.opening = conversation;
    return this.request((number) => this.send({ type: "open_conversation", number, conversation }));
  }

  rename(conversation: string, title: string): Promise<Outcome> {
    return this.request((number) => this.send({ type: "change_conversation", number, conversation, title }));
  }

  retag(conversation: string, tags: readonly string[]): Promise<Outcome> {
    return this.request((number) => this.send({ type: "change_conversation", number, conversation, tags: [...tags] }));
  }

  async duplicate(conversation: string): Promise<Outcome> {
    return this.fresh(await this.request((number) => this.send({ type: "duplicate_conversation", number, conversation })));
  }

  async remove(conversation: string): Promise<Outcome> {
    const outcome = await this.request((number) => this.send({ type: "delete_conversation", number, conversation }));
    if (!outcome.error) this.list = this.list.filter((one) => one.id !== conversation);
    this.refresh();
    this.tell();
    return outcome;
  }

  async importText(text: string): Promise<Outcome> {
    return this.fresh(await this.request((number) => this.send({ type: "import_conversations", number, text })));
  }

  async export(conversation: string, format: ExportConversation["format"]): Promise<Exported | ErrorShown> {
    const answer = await this.wait((number) => this.send({ type: "export_conversation", number, conversation, format }));
    return answer?.type === "exported" ? answer : (answer?.error ?? GONE);
  }

  received(message: ToPanel): void {
    switch (message.type) {
      case "conversations":
        if (message.number !== this.asked.number) return;
        this.take(message.conversations, message.more);
        this.tags = message.tags;
        break;
      case "conversation_done":
        for (const one of message.conversations) this.list = this.list.map((old) => (old.id === one.id ? { ...one, snippet: old.snippet } : old));
        this.answered(message);
        break;
      case "exported":
        return this.answered(message);
      case "turn_started":
      case "turn_ended":
        // Costs, counts and who answers changed; nobody looks where nobody listens.
        if (this.listeners.size > 0) this.refresh();
        return;
      default:
        return;
    }
    this.tell();
  }

  /** The kernel is gone: what was not answered never will be. */
  forget(): void {
    clearTimeout(this.timer);
    for (const number of [...this.waiting.keys()]) this.resolve(number, null);
  }

  private take(page: readonly ConversationShown[], more: boolean): void {
    const { skip, fresh } = this.asked;
    const known = new Set(page.map((one) => one.id));
    const others = (list: readonly ConversationShown[]) => list.filter((one) => !known.has(one.id));
    const rest = fresh || skip > 0 ? [] : others(this.list.slice(page.length));
    this.list = skip > 0 ? [...others(this.list), ...page] : [...page, ...rest];
    if (rest.length === 0) this.more = more;
    this.loading = false;
    this.asked.skip = -1;
  }

  private ask(skip: number, fresh: boolean): void {
    this.asked = { number: ++this.number, skip, fresh };
    this.send({ type: "list_conversations", number: this.number, search: this.search, tag: this.tag, skip });
  }

  /** New conversations stand first, without waiting for the list. */
  private fresh(outcome: Outcome): Outcome {
    this.list = [...outcome.conversations, ...this.list];
    this.refresh();
    this.tell();
    return outcome;
  }

  private async request(send: (number: number) => boolean): Promise<Outcome> {
    const answer = await this.wait(send);
    return answer?.type === "conversation_done" ? answer : { conversations: [], error: GONE };
  }

  private wait(send: (number: number) => boolean): Promise<Answer | null> {
    const number = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      if (!send(number)) this.resolve(number, null);
    });
  }

  private answered(message: Answer): void {
    this.resolve(message.number, message);
  }

  private resolve(number: number, answer: Answer | null): void {
    this.waiting.get(number)?.(answer);
    this.waiting.delete(number);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

const GONE: ErrorShown = { kind: "Gone", message: strings.gone, fix: "" };
