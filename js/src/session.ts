/**
 * One model's panel: its state, its way to the kernel, and what a user can ask of both. Several views
 * of one model share a session, so a question typed in one is seen in all.
 */
import { Drafts, type Composed } from "./conversations/drafts";
import { ConversationTalk } from "./conversations/talk";
import { BranchTalk } from "./branches/talk";
import { arriving, chip, instead, packed, returned, sendable, type Chip } from "./chips";
import { Holding } from "./composing/holding";
import { Estimator } from "./estimator";
import { nameOf, smallPicture } from "./files";
import { Pager } from "./paging";
import type { AskAnswer, Complete, FromPanel, ListOffers, PromptShown, ResourceShown, ToPanel } from "./protocol";
import { Requests, type Answered } from "./requests";
import { AssetFetcher } from "./rich/fetcher";
import { keepTranscript, notebookPlace, watchKernel, type KernelEvent, type PanelModel } from "./notebook";
import { Sending } from "./sending";
import { SettingsTalk } from "./settings/talk";
import { strings } from "./strings";
import { Variables } from "./variables/state";
import { EMPTY, apply, asked, callKey, linked, running, stopped, type View } from "./store";

/** How long the kernel may take to answer `hello` before the panel says that it waits. */
const PATIENCE_MS = 8_000;

/** An unanswered `hello` is not repeated within this time. */
const AGAIN_MS = 2_000;

export class Session {
  private current: View = EMPTY;
  private readonly listeners = new Set<() => void>();
  private readonly cleanups: (() => void)[] = [];
  private patience: ReturnType<typeof setTimeout> | undefined;
  private eager = false;
  private askedAt = Number.NEGATIVE_INFINITY;
  private readonly requests = new Requests();
  /** Brings what draws formulas and diagrams. */
  readonly assets = new AssetFetcher((message) => this.send(message));
  readonly settings = new SettingsTalk((message) => this.send(message));
  readonly conversations = new ConversationTalk((message) => this.send(message));
  readonly branches = new BranchTalk({
    view: () => this.current,
    change: (view) => this.change(view),
    send: (message, buffers) => this.send(message, buffers),
    newTurn,
  });
  private readonly drafts: Drafts;
  private readonly pager = new Pager(
    () => this.current,
    (message) => this.send(message),
  );
  /** The notebook's variables that the composer's text mentions. */
  readonly variables = new Variables(
    (message) => this.send(message),
    () => this.change({ ...this.current }),
  );
  private readonly estimator = new Estimator(
    () => this.current,
    (message) => void this.send(message),
    (estimate) => {
      if (estimate !== this.current.estimate) this.change({ ...this.current, estimate });
    },
    this.variables,
  );

  private readonly holding = new Holding(
    () => this.current,
    this.requests,
    (message, buffers) => this.send(message, buffers),
    (key, parts) => this.refine(key, parts),
  );

  private readonly sending = new Sending(
    () => {
      clearTimeout(this.patience);
      if (this.current.link !== "gone") this.happened("gone");
    },
    () => this.hello(),
  );

  constructor(readonly model: PanelModel) {
    const receive = (message: unknown, buffers: unknown) => this.receive(message as ToPanel, buffers as DataView[] | undefined);
    const closed = () => this.live(false);
    const unsent = ({ text, chips }: Composed) => {
      const blank = this.current.draft === "" && this.current.chips.length === 0;
      if (blank) this.change({ ...this.current, draft: text, chips });
      return blank;
    };
    this.drafts = new Drafts(notebookPlace(model), () => this.conversations.opening, this.variables, unsent);
    model.on("msg:custom", receive);
    model.on("comm:close", closed);
    this.cleanups.push(
      () => model.off("msg:custom", receive),
      () => model.off("comm:close", closed),
      watchKernel(model, (event) => this.happened(event)),
    );
    this.hello();
  }

  get view(): View {
    return this.current;
  }

  /** Calls back after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    clearTimeout(this.patience);
    this.sending.dispose();
    this.estimator.dispose();
    this.drafts.dispose();
    this.holding.dispose();
    this.variables.dispose();
    this.requests.forget();
    this.assets.forget();
    for (const cleanup of this.cleanups.splice(0)) cleanup();
    this.listeners.clear();
  }

  /** Asks for the whole state. */
  hello(): void {
    clearTimeout(this.patience);
    this.askedAt = performance.now();
    if (!this.send({ type: "hello" })) return;
    this.patience = setTimeout(() => {
      if (this.current.seq === null) this.change(linked(this.current, "silent"));
    }, PATIENCE_MS);
  }

  /** Sends a question. False when nothing can be asked now. */
  ask(text: string, chips: readonly Chip[] = []): boolean {
    const view = this.current;
    if (text.trim() === "" && chips.length === 0) return false;
    if (!view.ready || arriving(chips, view.uploads)) {
      // Enter came before the kernel's first state or a file's end: what stands in the composer then is sent then.
      this.eager = view.link !== "gone";
      return false;
    }
    if (view.link === "gone" || running(view).length > 0 || !sendable(chips, view.uploads)) return false;
    const turn = newTurn();
    const variables = this.variables.toSend(text, chips);
    this.change(asked(view, turn, text, chips));
    const message: FromPanel = { type: "send", turn, text, model: view.model, ...(variables.length > 0 ? { variables } : {}) };
    if (chips.length === 0) return this.send(message);
    const { attachments, buffers } = packed(chips);
    return this.send({ ...message, attachments }, buffers);
  }

  /** Sends a question to several models at once. False when nothing can be asked now. */
  compare(text: string, chips: readonly Chip[], models: readonly string[]): boolean {
    const view = this.current;
    if (!view.ready || view.link === "gone" || running(view).length > 0 || !sendable(chips, view.uploads)) return false;
    if (text.trim() === "" && chips.length === 0) return false;
    const turn = newTurn();
    const variables = this.variables.toSend(text, chips);
    this.change(asked(view, turn, text, chips));
    const { attachments, buffers } = packed(chips);
    return this.send({ type: "compare", turn, text, models: [...models], attachments, variables }, buffers);
  }

  /** Goes on with one of the compared answers. */
  keepAnswer(answer: string): void {
    this.send({ type: "keep_answer", answer });
  }

  /** Attaches files to the question that is being written. They are read at once, so that a later send cannot fail. */
  attach(files: readonly File[]): void {
    for (const file of files) {
      const fresh = chip({ name: nameOf(file), size: file.size });
      this.change({ ...this.current, chips: [...instead(this.current.chips, fresh.name), fresh] });
      // A file over the limit is named, never read.
      if (file.size > this.current.uploads.each) continue;
      file.arrayBuffer().then(
        (bytes) => this.refine(fresh.key, { bytes }),
        () => this.refine(fresh.key, { problem: strings.unreadable }),
      );
      void smallPicture(file).then((preview) => this.refine(fresh.key, { preview }));
    }
  }

  detach(key: string): void {
    this.change({ ...this.current, chips: this.current.chips.filter((one) => one.key !== key) });
  }

  /** Asks for messages before the first. */
  showEarlier(most: number): void {
    this.pager.ask(most);
  }

  /** Asks for the next piece of a long text. */
  showMore(message: string): void {
    const more = this.current.messages.find((m) => m.id === message)?.more;
    if (more) this.send({ type: "show_more", message, more });
  }

  /** Asks for the next piece of a tool's whole result. */
  showTool(message: string, call: string): void {
    this.send({ type: "show_tool", message, call, at: this.current.results[callKey(message, call)]?.length ?? 0 });
  }

  /** Stops all that runs. */
  stop(): void {
    const turns = running(this.current).filter((turn) => !this.current.stopping.includes(turn));
    if (turns.length === 0) return;
    this.change(stopped(this.current, turns));
    for (const turn of turns) this.send({ type: "stop", turn });
  }

  /** Answers a question. It stays on show until the kernel has taken the answer. */
  answer(ask: string, choice: AskAnswer["choice"], text?: string): void {
    this.send({ type: "ask_answer", ask, choice, ...(text === undefined ? {} : { text }) });
  }

  usePlugin(plugin: string, on: boolean): void {
    this.send({ type: "use_plugin", plugin, on });
  }

  /** Says something to the user, outside any turn. */
  notice(text: string): void {
    this.change({ ...this.current, notice: { text, error: null } });
  }

  /** Asks what plugins have ready. The answer is in the view. */
  listOffers(what: ListOffers["what"]): void {
    this.send({ type: "list_offers", what });
  }

  /** Puts a prompt's text into the composer, in place of what stands there. Tells whether it came. */
  async usePrompt(prompt: PromptShown, values: Readonly<Record<string, string>>): Promise<boolean> {
    const { plugin, name } = prompt;
    const answer = await this.requests.ask((number) =>
      this.send({ type: "use_prompt", number, plugin, name, arguments: JSON.stringify(values) }),
    );
    return this.took(answer, true);
  }

  /** Attaches a plugin's resource. Tells whether it came. */
  async attachResource(resource: ResourceShown, values: Readonly<Record<string, string>>): Promise<boolean> {
    const { plugin, uri, name, variables } = resource;
    const filled = variables.length === 0 ? {} : { variables: JSON.stringify(values) };
    const answer = await this.requests.ask((number) =>
      this.send({ type: "attach_resource", number, plugin, uri, name, ...filled }),
    );
    return this.took(answer, false);
  }

  /** Attaches a file of the notebook's folder. Tells whether it came. */
  async attachFile(name: string): Promise<boolean> {
    return this.took(await this.requests.ask((number) => this.send({ type: "attach_file", number, name })), false);
  }

  /** How a value may go on, as the plugin says. */
  async complete(question: Omit<Complete, "type" | "number">): Promise<readonly string[]> {
    const answer = await this.requests.ask((number) => this.send({ type: "complete", number, ...question }));
    return answer?.type === "completed" ? answer.values : [];
  }

  /** The user looks: what happened elsewhere shall be shown. */
  look(): void {
    if (this.current.link === "live") this.send({ type: "look" });
  }

  selectModel(model: string): void {
    this.change({ ...this.current, model, notice: null });
    this.send({ type: "select_model", model });
  }

  newConversation(): void {
    this.send({ type: "new_conversation" });
  }

  refreshModels(): void {
    this.send({ type: "refresh_models" });
  }

  /** Hands a key to the kernel. It is kept nowhere on this side. */
  setKey(provider: string, key: string): void {
    this.send({ type: "set_key", provider, key });
  }

  setDraft(draft: string): void {
    if (draft !== this.current.draft) this.change({ ...this.current, draft });
  }

  dismissNotice(): void {
    this.change({ ...this.current, notice: null });
  }

  /** A view learned from its host whether the model still has a live comm. */
  live(alive: boolean): void {
    const gone = this.current.link === "gone";
    if (!alive && !gone) this.change(linked(this.current, "gone"));
    if (alive && gone) this.happened("back");
  }

  /** Takes what a plugin gave: text in place of the composer's, the rest beside it; or says why there is none. */
  private took(answer: Answered | null, replaces: boolean): boolean {
    if (answer?.type !== "fetched") return false;
    if (answer.error) {
      this.change({ ...this.current, notice: { text: "", error: answer.error } });
      return false;
    }
    const draft = replaces ? answer.text : this.current.draft;
    const chips = [...this.current.chips, ...returned(answer.attachments, [])];
    this.change({ ...this.current, draft, chips, notice: null });
    return true;
  }

  private receive(message: ToPanel, buffers: readonly DataView[] = []): void {
    if (message.type === "asset") this.assets.answered(message, buffers);
    if (message.type === "fetched" || message.type === "completed") this.requests.answered(message);
    this.settings.received(message);
    this.variables.received(message);
    this.conversations.received(message);
    if (message.type === "refused" && (message.conversation ?? this.current.conversationId) !== this.current.conversationId) {
      this.drafts.add(message.conversation ?? "", message.text, returned(message.attachments ?? [], []));
    }
    const { view, resync } = apply(this.current, message);
    if (message.type === "state") clearTimeout(this.patience);
    if (message.type === "state") this.pager.forget();
    const news = view.breakers !== this.current.breakers;
    if (view !== this.current) this.change(news ? { ...view, breakersAt: performance.now() } : view);
    if (message.type === "transcript") keepTranscript(this.model, message);
    if (message.type === "estimated") this.estimator.answered(message.number, message.estimate);
    this.askAgain();
    if (resync) this.hello();
  }

  private happened(event: KernelEvent): void {
    if (event === "lost" && this.current.link !== "gone") this.change(linked(this.current, "lost"));
    if (event === "gone") this.change(linked(this.current, "gone"));
    if (event === "gone" || event === "back") {
      this.requests.forget();
      this.holding.forget();
      this.settings.forget();
      this.conversations.forget();
    }
    if (event === "gone") this.assets.forget();
    if (event === "gone") this.variables.forget();
    if (event === "back" && this.current.link !== "gone") {
      // One reconnection is told in several ways, and a new panel has just asked by itself.
      if (this.current.seq === null && performance.now() - this.askedAt < AGAIN_MS) return;
      this.change({ ...linked(this.current, "waiting"), seq: null });
      this.hello();
    }
  }

  private refine(key: string, parts: Partial<Chip>): void {
    const chips = this.current.chips.map((one) => (one.key === key ? { ...one, ...parts } : one));
    if (chips.some((one) => one.key === key)) this.change({ ...this.current, chips });
    else this.drafts.refine(key, parts);
    this.askAgain();
  }

  /** Sends what was to be sent too early, if it can go now. */
  private askAgain(): void {
    if (!this.eager || !this.current.ready) return;
    this.eager = false;
    this.ask(this.current.draft, this.current.chips);
  }

  private send(message: FromPanel, buffers: ArrayBuffer[] = []): boolean {
    try {
      this.sending.watch(buffers.length === 0 ? this.model.send(message) : this.model.send(message, undefined, buffers));
      return true;
    } catch {
      // The comm or its kernel was disposed: there is nobody to send to until the cell runs again.
      this.change(linked(this.current, "gone"));
      return false;
    }
  }

  private change(view: View): void {
    this.current = this.drafts.follow(this.current, view);
    if (this.current.ready) this.variables.look(this.current.draft);
    this.estimator.look();
    this.holding.look();
    for (const listener of this.listeners) listener();
  }
}

function newTurn(): string {
  // `randomUUID` exists only on pages served with TLS or from this machine.
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
