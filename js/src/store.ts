/**
 * What one panel knows, as a value, and how each message from the kernel changes it. No DOM, no time.
 *
 * The kernel numbers what it sends. `apply` takes only the next number: an old one is dropped, and a
 * gap asks for `resync`, after which nothing but a whole `state` counts.
 */
import { pinned } from "./branches/pinned";
import { doubted, returned as givenBack, safePreview, type Chip, type UploadLimits } from "./chips";
import { compared, comparing } from "./compare/store";
import { continued, prepended } from "./paging";
import { grown } from "./growing";
import type {
  AskShown,
  AttachmentShown,
  BreakerShown,
  ComparisonShown,
  ErrorShown,
  EstimateShown,
  MessageShown,
  ModelShown,
  PinShown,
  PluginShown,
  PromptShown,
  Refused,
  ResourceShown,
  State,
  ToPanel,
  TurnStarted,
} from "./protocol";

/** A question that left the panel and that the kernel has neither started nor refused yet. */
export interface Pending {
  readonly turn: string;
  readonly text: string;
  readonly model: string;
  readonly chips: readonly Chip[];
}

/** A tool's result as far as it was brought. */
export interface Whole {
  readonly pieces: readonly string[];
  readonly length: number;
  readonly left: number;
}

export interface NoticeShown {
  readonly text: string;
  readonly error: ErrorShown | null;
}

/**
 * How the kernel can be reached: `waiting` for its first or next state, `live`, `silent` (asked, no
 * reply yet), `lost` (the connection broke and may come back) or `gone` (run the cell again).
 */
export type Link = "waiting" | "live" | "silent" | "lost" | "gone";

export interface View {
  /** The number of the last message taken; null while only a `state` can be. */
  readonly seq: number | null;
  /** Whether a state was ever received. */
  readonly ready: boolean;
  readonly link: Link;
  readonly conversationId: string;
  readonly title: string;
  readonly messages: readonly MessageShown[];
  /** Several answers to one question, side by side; null when there are none. */
  readonly comparison: ComparisonShown | null;
  /** Messages that come before them and were not brought. */
  readonly earlier: number;
  readonly model: string;
  readonly models: readonly ModelShown[];
  /** The providers that are left alone, as they were at `breakersAt`, in milliseconds of `performance.now`. */
  readonly breakers: readonly BreakerShown[];
  readonly breakersAt: number;
  readonly totalCost: string | null;
  readonly unpriced: number;
  /** The composer's text, shared by all views of the model. */
  readonly draft: string;
  /** What is attached to it. */
  readonly chips: readonly Chip[];
  readonly uploads: UploadLimits;
  /** What the composer's question would cost, where that is known and worth a word. */
  readonly estimate: EstimateShown | null;
  /** Long texts' further pieces, by message. */
  readonly rests: Readonly<Record<string, readonly string[]>>;
  /** Tools' whole results as far as they were brought, by message and call. */
  readonly results: Readonly<Record<string, Whole>>;
  /** The last text the kernel gave back, so that repeating it adds nothing. */
  readonly returned: string;
  readonly pending: readonly Pending[];
  /** Turns the user asked to stop. */
  readonly stopping: readonly string[];
  readonly notice: NoticeShown | null;
  /** Questions that wait for the user, oldest first. */
  readonly asks: readonly AskShown[];
  /** All pinned messages, of other versions too. */
  readonly pins: readonly PinShown[];
  readonly plugins: readonly PluginShown[];
  /** What is wrong with the plugins' file. */
  readonly pluginsProblem: string;
  /** What plugins have ready, as they last said; null before they were asked. */
  readonly prompts: readonly PromptShown[] | null;
  readonly resources: readonly ResourceShown[] | null;
  /** Plugins that did not say what can be read from them. */
  readonly resourceProblems: readonly string[];
}

export interface Applied {
  readonly view: View;
  /** True when the kernel must be asked for the whole state. */
  readonly resync: boolean;
}

export const EMPTY: View = {
  seq: null,
  ready: false,
  link: "waiting",
  conversationId: "",
  title: "",
  messages: [],
  comparison: null,
  earlier: 0,
  model: "",
  models: [],
  breakers: [],
  breakersAt: 0,
  totalCost: null,
  unpriced: 0,
  draft: "",
  chips: [],
  uploads: { each: 10_000_000, total: 10_000_000 },
  estimate: null,
  rests: {},
  results: {},
  returned: "",
  pending: [],
  stopping: [],
  notice: null,
  asks: [],
  pins: [],
  plugins: [],
  pluginsProblem: "",
  prompts: null,
  resources: null,
  resourceProblems: [],
};

/** The view after a message from the kernel. */
export function apply(view: View, message: ToPanel): Applied {
  if (message.type === "state") return { view: replaced(view, message), resync: false };
  if (view.seq === null) return { view: said(view, message), resync: false };
  if (message.seq <= view.seq) return { view, resync: false };
  if (message.seq > view.seq + 1) return { view: { ...view, seq: null }, resync: true };
  const comparison = compared(view.comparison, message);
  return { view: { ...reduced(view, message), comparison, seq: message.seq, link: "live" }, resync: false };
}

function reduced(view: View, message: Exclude<ToPanel, State>): View {
  switch (message.type) {
    case "turn_started": {
      if (elsewhere(view, message)) return { ...view, pending: view.pending.filter((p) => p.turn !== message.turn) };
      const sent = view.pending.find((p) => p.turn === message.turn)?.chips ?? [];
      const question = seen(message.question, (_, i) => sent[i]?.preview ?? null);
      return {
        ...view,
        messages: [...without(view.messages, question.id, message.answer.id), question, message.answer],
        pending: view.pending.filter((p) => p.turn !== message.turn),
      };
    }
    case "deltas":
      return { ...view, messages: view.messages.map((m) => grown(m, message.deltas)) };
    case "turn_ended":
      return ended(view, message.turn, message.answer, message.total_cost, message.unpriced);
    case "refused": {
      if (elsewhere(view, message)) return { ...view, notice: { text: "", error: message.error } };
      const shown = view.messages.some((m) => m.turn === message.turn);
      const pending = view.pending.find((p) => p.turn === message.turn);
      const ours = shown || pending !== undefined;
      const idle = view.draft === "" && view.chips.length === 0;
      const question = view.messages.find((m) => m.role === "user" && m.turn === message.turn);
      const chips = message.attachments
        ? givenBack(drawn(message.attachments, question?.attachments), pending?.chips ?? [])
        : (pending?.chips ?? []);
      return {
        ...view,
        messages: shown ? view.messages.filter((m) => m.turn !== message.turn) : view.messages,
        pending: view.pending.filter((p) => p.turn !== message.turn),
        stopping: view.stopping.filter((turn) => turn !== message.turn),
        draft: ours || view.draft === "" ? joined(message.text, view.draft) : view.draft,
        chips: ours || idle ? [...chips, ...view.chips] : view.chips,
        returned: message.text,
        // The user has just said no, and knows why the question is back.
        notice: message.error.kind === "ConfirmationRequired" ? null : { text: "", error: message.error },
      };
    }
    case "compare_started":
      return { ...view, pending: view.pending.filter((p) => p.turn !== message.comparison.turn) };
    case "column_ended":
      return { ...view, totalCost: message.total_cost, unpriced: message.unpriced };
    case "models":
      return { ...view, model: message.model, models: message.models };
    case "conversation_done": {
      const own = message.conversations.find((one) => one.id === view.conversationId);
      return own ? { ...view, title: own.title } : view;
    }
    case "breakers":
      return { ...view, breakers: message.breakers };
    case "notice":
      return { ...view, notice: { text: message.text, error: message.error } };
    case "asked": {
      const known = view.asks.some((one) => one.id === message.ask.id);
      const asks = view.asks.map((one) => (one.id === message.ask.id ? message.ask : one));
      return { ...view, asks: known ? asks : [...asks, message.ask] };
    }
    case "ask_ended":
      return { ...view, asks: view.asks.filter((one) => one.id !== message.ask) };
    case "pinned":
      return pinned(view, message);
    case "plugins":
      return { ...view, plugins: message.plugins, pluginsProblem: message.problem };
    case "offers":
      return message.what === "prompts"
        ? { ...view, prompts: message.prompts }
        : { ...view, resources: message.resources, resourceProblems: message.problems };
    case "composed":
      return { ...view, draft: joined(view.draft, message.text) };
    case "more": {
      const grown = view.messages.find((m) => m.id === message.message && m.more === message.more);
      // Two views may have asked for the same piece.
      if (!grown) return view;
      return {
        ...view,
        messages: view.messages.map((m) => (m === grown ? { ...m, more: message.left } : m)),
        rests: { ...view.rests, [grown.id]: [...(view.rests[grown.id] ?? []), message.text] },
      };
    }
    case "earlier":
      return prepended(view, message, (m) => seen(m, () => null));
    case "tool_piece": {
      const key = callKey(message.message, message.call);
      const old = view.results[key] ?? { pieces: [], length: 0, left: 0 };
      // Two views may have asked for the same piece.
      if (message.at !== old.length || (message.text === "" && old.length > 0)) return view;
      const length = old.length + [...message.text].length;
      return { ...view, results: { ...view.results, [key]: { pieces: [...old.pieces, message.text], length, left: message.left } } };
    }
    default:
      // A newer kernel may say what this panel does not know; its number still counts.
      return view;
  }
}

/** A turn goes on in its conversation when the panel has turned to another. */
function elsewhere(view: View, message: TurnStarted | Refused): boolean {
  return message.conversation !== undefined && message.conversation !== view.conversationId;
}

/** Without a state only a notice counts: it may say why there is none. */
function said(view: View, message: ToPanel): View {
  return message.type === "notice" ? { ...view, notice: { text: message.text, error: message.error } } : view;
}

function replaced(view: View, state: State): View {
  const sameConversation = view.conversationId === "" || view.conversationId === state.conversation_id;
  const known = new Map(view.messages.flatMap((m) => m.attachments ?? []).map((one) => [one.id, one.preview]));
  const returned = state.draft !== "" && state.draft !== view.returned;
  return {
    ...view,
    seq: state.seq,
    ready: true,
    link: "live",
    conversationId: state.conversation_id,
    title: state.title,
    ...continued(view, state, state.messages.map((m) => seen(m, (one) => known.get(one.id) ?? null))),
    comparison: state.comparison ?? null,
    model: state.model,
    models: state.models,
    breakers: state.breakers ?? [],
    asks: state.asks ?? [],
    pins: state.pins ?? [],
    plugins: state.plugins ?? [],
    pluginsProblem: state.plugins_problem ?? "",
    totalCost: state.total_cost,
    unpriced: state.unpriced,
    draft: returned ? joined(state.draft, view.draft) : view.draft,
    returned: returned ? state.draft : view.returned,
    pending: sameConversation ? unanswered(view, state) : [],
    uploads: { each: state.upload_limit ?? view.uploads.each, total: state.upload_total ?? view.uploads.total },
    // A state has the beginnings of all results again.
    results: {},
    stopping: view.stopping.filter((turn) => state.messages.some((m) => m.turn === turn)),
    notice: sameConversation ? view.notice : null,
  };
}

/** The pending questions that a state does not contain: a state may be older than the question. */
function unanswered(view: View, state: State): Pending[] {
  const known = new Set(view.messages.map((m) => m.id));
  const fresh = state.messages.filter((m) => m.role === "user" && !known.has(m.id)).map((m) => m.text);
  return view.pending.filter((p) => {
    if (state.messages.some((m) => m.turn === p.turn) || state.draft === p.text) return false;
    const stored = fresh.indexOf(p.text);
    if (stored < 0) return true;
    fresh.splice(stored, 1);
    return false;
  });
}

function ended(view: View, turn: string, answer: MessageShown, totalCost: string | null, unpriced: number): View {
  const at = view.messages.findIndex((m) => m.role === "assistant" && (m.id === answer.id || m.turn === turn));
  // A turn that is not here belongs to a conversation that this panel has left.
  if (at < 0) return view;
  return {
    ...view,
    messages: view.messages.map((m, i) => (i === at ? { ...answer, turn: null } : m.turn === turn ? { ...m, turn: null } : m)),
    stopping: view.stopping.filter((t) => t !== turn),
    totalCost,
    unpriced,
  };
}

/** A message whose pictures the kernel does not send are drawn from what this panel has. */
function seen(message: MessageShown, known: (one: AttachmentShown, i: number) => string | null): MessageShown {
  if (!message.attachments) return message;
  const attachments = message.attachments.map((one, i) => ({ ...one, preview: safePreview(one.preview) ?? known(one, i) }));
  return { ...message, attachments };
}

/** The same attachments, with the pictures that were shown for them. */
function drawn(shown: readonly AttachmentShown[], before: readonly AttachmentShown[] = []): AttachmentShown[] {
  const previews = new Map(before.map((one) => [one.id, one.preview]));
  return shown.map((one) => ({ ...one, preview: safePreview(one.preview) ?? previews.get(one.id) ?? null }));
}

function without(messages: readonly MessageShown[], ...ids: string[]): MessageShown[] {
  return messages.filter((m) => !ids.includes(m.id));
}

/** Two pieces of composer text, the first above the second. */
function joined(above: string, below: string): string {
  return above === "" || below === "" ? above + below : `${above}\n${below}`;
}

// What the user does, before the kernel has answered

/** A question leaves the panel; when it is the composer's, the composer is empty then. */
export function asked(view: View, turn: string, text: string, chips: readonly Chip[] = []): View {
  const pending = [...view.pending, { turn, text, model: view.model, chips }];
  return {
    ...view,
    pending,
    draft: text === view.draft ? "" : view.draft,
    chips: chips === view.chips ? [] : view.chips,
    notice: null,
  };
}

/** These turns were asked to stop. */
export function stopped(view: View, turns: readonly string[]): View {
  return { ...view, stopping: [...new Set([...view.stopping, ...turns])] };
}

/** The way to the kernel changed. When it is gone, what was not answered goes back to the composer. */
export function linked(view: View, link: Link): View {
  if (link !== "gone") return { ...view, link };
  const texts = view.pending.map((p) => p.text).join("\n");
  const chips = doubted([...view.pending.flatMap((p) => p.chips), ...view.chips]);
  return { ...view, link, seq: null, pending: [], stopping: [], asks: [], draft: joined(texts, view.draft), chips };
}

/** The question that is asked on this tool call's card. */
export function askOn(asks: readonly AskShown[], call: string): AskShown | undefined {
  return asks.find((one) => one.approval !== undefined && one.approval.call_id === call);
}

/** The questions that no card of a running tool call shows. */
export function looseAsks(view: View): readonly AskShown[] {
  if (view.asks.length === 0) return view.asks;
  const live = view.messages.filter((m) => m.status === "streaming");
  const calls = new Set(live.flatMap((m) => m.tools.filter((tool) => tool.result === null).map((tool) => tool.id)));
  return view.asks.filter((one) => !calls.has(one.approval?.call_id ?? ""));
}

/** What a tool call's whole result is found by. */
export function callKey(message: string, call: string): string {
  return `${message} ${call}`;
}

/** The turns that are under way, answered or not. */
export function running(view: View): string[] {
  const streaming = view.messages.filter((m) => m.role === "assistant" && m.status === "streaming" && m.turn !== null);
  return [...streaming.map((m) => m.turn as string), ...comparing(view.comparison), ...view.pending.map((p) => p.turn)];
}
