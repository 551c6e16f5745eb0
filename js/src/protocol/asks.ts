/** Questions that only the user can answer: approvals, forms, visits, costs. See `valechat.asking`.

A question goes to all views of the panel and stays until it is answered there or has become moot.
All texts in it are a model's or a server's, and not to be trusted. */

/**
 * May this tool run? `call_id` is the tool call on whose card it is asked. `arguments` is JSON text, whole.
 * `read_only` and `destructive` are the server's own words. `changed`: the tool is not what was allowed before.
 */
export interface ApprovalShown {
  plugin: string;
  tool: string;
  title: string;
  description: string;
  arguments: string;
  call_id: string;
  read_only: boolean;
  destructive: boolean;
  changed: boolean;
  each_time?: boolean;
}

/** May this plugin have a model answer this, at the user's cost? */
export interface SamplingShown {
  plugin: string;
  model: string;
  system: string;
  text: string;
  max_tokens: number;
  most_cost: string | null;
}

/** One of a list's values. */
export interface OptionShown {
  value: string;
  title: string;
}

/** A field of a form. `default` is text, `true`, or a JSON list of values. `problem` is what was wrong with its entry. */
export interface FieldShown {
  name: string;
  title: string;
  description: string;
  kind: "text" | "email" | "uri" | "date" | "date-time" | "number" | "integer" | "boolean" | "choice" | "choices";
  required: boolean;
  default: string | null;
  options: OptionShown[];
  least: number | null;
  most: number | null;
  problem?: string;
}

/** A plugin's server wants these values. */
export interface FormShown {
  plugin: string;
  message: string;
  fields: FieldShown[];
}

/** A page to open. `paste`: the address where it ends may be pasted back. */
export interface VisitShown {
  plugin: string;
  message: string;
  url: string;
  paste: boolean;
}

/** A request may cost more than the user wants to be asked about. */
export interface ConfirmationShown {
  message: string;
  most_cost: string | null;
  model: string;
}

/**
 * May this plugin's server have this permission more? `permit` and `value` are exactly what is granted.
 * `proven`: the sandbox itself refused it; it is not just what the server says.
 */
export interface GrantShown {
  plugin: string;
  permit: string;
  value: string;
  proven: boolean;
}

/** The key file's passphrase is needed; `new` where it is being chosen. The answer is never shown, kept or sent on. */
export interface PassphraseShown {
  new: boolean;
}

/** A question that waits. It has the part that its kind is named after. */
export interface AskShown {
  id: string;
  kind: "approval" | "sampling" | "form" | "visit" | "confirmation" | "grant" | "passphrase";
  approval?: ApprovalShown;
  sampling?: SamplingShown;
  form?: FormShown;
  visit?: VisitShown;
  confirmation?: ConfirmationShown;
  grant?: GrantShown;
  passphrase?: PassphraseShown;
}

/**
 * The user's answer to a question. `choice` is an approval's decision; `accept`, `decline` or `cancel` of a form
 * (then `text` is a JSON object of its entries) or visit (then `text` is the address pasted, if any); `send` or `no`
 * of a confirmation; `accept` or `decline` of a grant or a passphrase (then `text` is the passphrase).
 */
export interface AskAnswer {
  type: "ask_answer";
  ask: string;
  choice: "once" | "always_tool" | "always_plugin" | "no" | "never" | "accept" | "decline" | "cancel" | "send";
  text?: string;
}

/** A question to the user; one of the same id replaces it. */
export interface Asked {
  type: "asked";
  seq: number;
  ask: AskShown;
}

/** The question was answered, or is moot. */
export interface AskEnded {
  type: "ask_ended";
  seq: number;
  ask: string;
}
