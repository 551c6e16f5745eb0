/** What the panel draws: messages, tool calls, attachments, models, errors. */
import type { CitationShown } from "./rich";

/**
 * An error as the panel shows it: what happened, what to do. `provider` is set for `MissingKey` and
 * `AuthenticationFailed`, where a key can be entered.
 */
export interface ErrorShown {
  kind: string;
  message: string;
  fix: string;
  provider?: string;
}

/** How far a running call is, in the tool's own unit. `total` is null when the tool does not know. */
export interface ProgressShown {
  done: number;
  total: number | null;
  message: string;
}

/**
 * What a tool answered besides text. `url` is a `data:` URL of what can be drawn or heard, null otherwise. `path` is
 * where the user finds it, empty where it is in the conversation alone.
 */
export interface ToolFileShown {
  name: string;
  media_type: string;
  size: number;
  url: string | null;
  path: string;
}

/** A column's first values as text; `missing` are the places without one. `label` says that it names the rows. */
export interface ColumnShown {
  name: string;
  type: string;
  number: boolean;
  label: boolean;
  cells: string[];
  missing: number[];
}

/**
 * The beginning of a table that a tool gave. `rows` and `width` count all its rows and columns, labels left out. All
 * columns have as many cells.
 */
export interface TableShown {
  kind: string;
  rows: number;
  width: number;
  columns: ColumnShown[];
}

/**
 * A tool call as a card. `result` is null while it runs. `name` is what the model called, `tool` the tool's own name
 * in its `plugin`. Of a long result only a part is sent; `whole` says that `show_tool` brings all of it.
 */
export interface ToolShown {
  id: string;
  name: string;
  arguments: string;
  result: string | null;
  is_error: boolean;
  plugin?: string;
  tool?: string;
  progress?: ProgressShown;
  duration_ms?: number;
  files?: ToolFileShown[];
  table?: TableShown;
  whole?: boolean;
}

/**
 * An image or file of a question. `id` names its bytes for a later `send`. `size` is in bytes. `preview` is a `data:`
 * URL of a small PNG, JPEG, GIF or WebP image. `problem` says why it was refused.
 */
export interface AttachmentShown {
  id: string;
  name: string;
  media_type: string;
  size: number;
  preview: string | null;
  problem?: string;
}

/**
 * A message as the panel shows it. `text` and `thinking` are Markdown. `status` is `streaming`, `complete`,
 * `cancelled`, `failed` or `limit`. `turn` is set while the message is streamed. Of a very long text only the
 * beginning is sent; `more` is the number of characters after it, which `show_more` brings. `files` are pictures and
 * sounds that are the answer's own. `siblings` are what follows the same message, where there are several, as ids for
 * `show_branch`; the message itself is the one at `sibling`.
 */
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
  citations?: CitationShown[];
  files?: ToolFileShown[];
  siblings?: string[];
  sibling?: number;
  pinned?: boolean;
}

/**
 * An entry of the model menu. Prices are USD per million tokens. `usable` is false when a key is missing or the
 * server is down; `why` then says so. `needs_key` is true when a key entered in the panel would make it usable.
 */
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

/**
 * A provider that is left alone because it failed again and again. `reason` is its last failure. It is tried again in
 * `seconds`; 0 means with the next question.
 */
export interface BreakerShown {
  provider: string;
  reason: string;
  seconds: number;
}

/** A question and an answer for each model, in their order. An answer that still comes has a `turn` of its own. */
export interface ComparisonShown {
  turn: string;
  question: MessageShown;
  answers: MessageShown[];
}
