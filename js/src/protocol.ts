/**
 * The messages between the panel in the browser and the kernel.
 *
 * The same shapes as `valechat/notebook/protocol.py`; `tests/notebook/test_protocol.py` compares the
 * two field by field, so this file keeps to plain interfaces. Money is a decimal string in USD, null
 * when unknown. Times are ISO 8601.
 */

// Shown in both directions

/** An error as the panel shows it. `provider` is set where a key can be entered. */
export interface ErrorShown {
  kind: string;
  message: string;
  fix: string;
  provider?: string;
}

/** A tool call as a card. `result` is null while it runs. */
export interface ToolShown {
  id: string;
  name: string;
  arguments: string;
  result: string | null;
  is_error: boolean;
}

/** An image or file of a question. `id` names its bytes for a later `send`; `problem` says why it was refused. */
export interface AttachmentShown {
  id: string;
  name: string;
  media_type: string;
  size: number;
  preview: string | null;
  problem?: string;
}

/** A message as the panel shows it. `turn` is set while it is streamed; `more` counts the characters of `text` kept back. */
export interface MessageShown {
  id: string;
  role: "user" | "assistant";
  text: string;
  thinking: string;
  tools: ToolShown[];
  model: string;
  status: string;
  turn: string | null;
  cost: string | null;
  cost_source: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  first_token_ms: number | null;
  duration_ms: number | null;
  verification: string | null;
  notes: string[];
  error: ErrorShown | null;
  ts: string;
  attachments?: AttachmentShown[];
  more?: number;
}

/** An entry of the model menu. Prices are USD per million tokens. */
export interface ModelShown {
  id: string;
  provider: string;
  name: string;
  input_price: string | null;
  output_price: string | null;
  context_tokens: number | null;
  demo: boolean;
  local: boolean;
  usable: boolean;
  why: string;
  needs_key?: boolean;
}

/** A provider that is left alone because it failed; it is tried again in `seconds`, 0: with the next question. */
export interface BreakerShown {
  provider: string;
  reason: string;
  seconds: number;
}

// From the panel to the kernel

/** A view opened, or a gap was seen: send the whole state. */
export interface Hello {
  type: "hello";
}

/** What goes with a question: the next of the message's buffers, or, with `id`, what the kernel has. */
export interface Attached {
  name: string;
  id?: string;
}

/** A question. `turn` is chosen by the panel and names the turn from then on. */
export interface Send {
  type: "send";
  turn: string;
  text: string;
  model: string;
  attachments?: Attached[];
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

/** Begin a new conversation in this panel. */
export interface NewConversation {
  type: "new_conversation";
}

/** Ask all providers again what they offer. */
export interface RefreshModels {
  type: "refresh_models";
}

/** Store a provider's API key. Never echoed, never kept. */
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

export type FromPanel = Hello | Send | Stop | SelectModel | NewConversation | RefreshModels | SetKey | ShowMore;

// From the kernel to the panel

/** All there is to show. `draft` is a question that was not sent. */
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
}

/** The question is stored and the answer begins. */
export interface TurnStarted {
  type: "turn_started";
  seq: number;
  turn: string;
  question: MessageShown;
  answer: MessageShown;
}

/** What came for one turn since the last `deltas`. */
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

/** The turn is over and stored: the authoritative answer. */
export interface TurnEnded {
  type: "turn_ended";
  seq: number;
  turn: string;
  answer: MessageShown;
  total_cost: string | null;
  unpriced: number;
}

/** The question was not answered: it goes back to the composer, with what was attached. */
export interface Refused {
  type: "refused";
  seq: number;
  turn: string;
  text: string;
  error: ErrorShown;
  attachments?: AttachmentShown[];
}

/** The model menu changed. */
export interface Models {
  type: "models";
  seq: number;
  model: string;
  models: ModelShown[];
}

/** All providers that are left alone now. */
export interface Breakers {
  type: "breakers";
  seq: number;
  breakers: BreakerShown[];
}

/** Something outside any turn. `error` is null for good news. */
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

/** The conversation as the saved notebook shall hold it, in the forms of one output. `id` is in its HTML. */
export interface SavedTranscript {
  type: "transcript";
  seq: number;
  id: string;
  html: string;
  markdown: string;
  text: string;
}

export type ToPanel =
  | State
  | TurnStarted
  | Deltas
  | TurnEnded
  | Refused
  | Models
  | Breakers
  | Notice
  | Composed
  | More
  | SavedTranscript;
