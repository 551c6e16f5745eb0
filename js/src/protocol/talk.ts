/** Talking: questions, answers as they arrive, and the state of it all. */
import type { AskShown } from "./asks";
import type { PinShown } from "./branches";
import type { PluginShown } from "./plugins";
import type { AttachmentShown, BreakerShown, ComparisonShown, ErrorShown, MessageShown, ModelShown, ToolShown } from "./shown";
import type { VariableAsked } from "./variables";

/** A view opened, or a gap was seen: send the whole state. */
export interface Hello {
  type: "hello";
}

/** What goes with a question: the next of the message's binary buffers, or, with `id`, what the kernel has. */
export interface Attached {
  name: string;
  id?: string;
}

/**
 * A question. `turn` is chosen by the panel and names the turn from then on. `replaces` is a question in whose place
 * this one is asked, as a branch.
 */
export interface Send {
  type: "send";
  turn: string;
  text: string;
  model: string;
  replaces?: string;
  attachments?: Attached[];
  variables?: VariableAsked[];
}

/**
 * Keep these for the question that is being written, or tell whether they are kept still. Answered by `fetched`, in
 * the same order; what is gone has a `problem`.
 */
export interface KeepAttached {
  type: "keep_attached";
  number: number;
  attachments: Attached[];
}

/** Stop a turn, whether or not anything has arrived yet. */
export interface Stop {
  type: "stop";
  turn: string;
}

/** Use this model for what follows. */
export interface SelectModel {
  type: "select_model";
  model: string;
}

/** Begin a new conversation in this panel; the old one stays in the ledger. */
export interface NewConversation {
  type: "new_conversation";
}

/** Ask all providers again what they offer. */
export interface RefreshModels {
  type: "refresh_models";
}

/** Store a provider's API key in the keychain. Never echoed, never kept. */
export interface SetKey {
  type: "set_key";
  provider: string;
  key: string;
}

/** Bring the next piece of a long text, of which the last `more` characters are not shown. */
export interface ShowMore {
  type: "show_more";
  message: string;
  more: number;
}

/** Bring the next piece of a tool's whole result, from the character `at`. */
export interface ShowTool {
  type: "show_tool";
  message: string;
  call: string;
  at: number;
}

/**
 * All there is to show. `draft` is a question that was not sent and belongs back in the composer. `upload_limit` is
 * the most bytes of one attachment, `upload_total` of all that go with one question. `messages` are the newest;
 * `earlier` others come before them.
 */
export interface State {
  type: "state";
  seq: number;
  conversation_id: string;
  title: string;
  messages: MessageShown[];
  model: string;
  models: ModelShown[];
  total_cost: string | null;
  unpriced: number;
  draft: string;
  upload_limit?: number;
  upload_total?: number;
  breakers?: BreakerShown[];
  asks?: AskShown[];
  plugins?: PluginShown[];
  plugins_problem?: string;
  pins?: PinShown[];
  earlier?: number;
  comparison?: ComparisonShown | null;
}

/** The question is taken and the answer is on its way: both messages as they stand. */
export interface TurnStarted {
  type: "turn_started";
  seq: number;
  turn: string;
  question: MessageShown;
  answer: MessageShown;
  conversation?: string;
}

/** What came for one turn since the last `deltas`. Absent keys: nothing came. `more` as in `MessageShown`. */
export interface Delta {
  turn: string;
  text?: string;
  thinking?: string;
  tools?: ToolShown[];
  notes?: string[];
  more?: number;
}

/** What came for all turns since the last. */
export interface Deltas {
  type: "deltas";
  seq: number;
  deltas: Delta[];
}

/**
 * The turn is over and stored: the authoritative answer and the conversation's cost. `unpriced` counts the
 * conversation's requests whose cost is unknown.
 */
export interface TurnEnded {
  type: "turn_ended";
  seq: number;
  turn: string;
  answer: MessageShown;
  total_cost: string | null;
  unpriced: number;
}

/**
 * The question found no answer (limit, missing key, server down): it goes back to the composer. What was attached
 * goes back with it, with a `problem` where that was the cause. Both messages of the turn are taken back, if it had
 * started.
 */
export interface Refused {
  type: "refused";
  seq: number;
  turn: string;
  text: string;
  error: ErrorShown;
  attachments?: AttachmentShown[];
  conversation?: string;
}

/** The model menu changed. */
export interface Models {
  type: "models";
  seq: number;
  model: string;
  models: ModelShown[];
}

/** All providers that are left alone now; none when the list is empty. */
export interface Breakers {
  type: "breakers";
  seq: number;
  breakers: BreakerShown[];
}

/** Something outside any turn, e.g. a key was stored. `error` is null for good news. */
export interface Notice {
  type: "notice";
  seq: number;
  text: string;
  error: ErrorShown | null;
}

/** Put this text into the composer of all views. */
export interface Composed {
  type: "composed";
  seq: number;
  text: string;
}

/** A piece of a long text: `more` characters were not shown before it, `left` are not shown after it. */
export interface More {
  type: "more";
  seq: number;
  message: string;
  more: number;
  text: string;
  left: number;
}

/** A piece of a tool's whole result, from the character `at`; `left` characters follow it. */
export interface ToolPiece {
  type: "tool_piece";
  seq: number;
  message: string;
  call: string;
  at: number;
  text: string;
  left: number;
}

/**
 * The conversation as the saved notebook shall hold it, in the forms of one output. `id` is in the output's HTML.
 * Sent once the page was reloaded: a display update then finds no cell.
 */
export interface SavedTranscript {
  type: "transcript";
  seq: number;
  id: string;
  html: string;
  markdown: string;
  text: string;
}
