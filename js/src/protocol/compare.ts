/** Several models asked the same: their answers side by side, and the one to go on with. */
import type { ComparisonShown, MessageShown } from "./shown";
import type { Attached } from "./talk";
import type { VariableAsked } from "./variables";

/** A question to several models at once. All else is as in `Send`. */
export interface Compare {
  type: "compare";
  turn: string;
  text: string;
  models: string[];
  attachments?: Attached[];
  variables?: VariableAsked[];
}

/** Go on with this answer, and its model; the others stay as branches. */
export interface KeepAnswer {
  type: "keep_answer";
  answer: string;
}

/** The question is taken and the answers are on their way; what streams comes as `deltas`. */
export interface CompareStarted {
  type: "compare_started";
  seq: number;
  conversation: string;
  comparison: ComparisonShown;
}

/** One answer is over: authoritative, or with its error. Costs as in `TurnEnded`. */
export interface ColumnEnded {
  type: "column_ended";
  seq: number;
  turn: string;
  answer: MessageShown;
  total_cost: string | null;
  unpriced: number;
}

/** The comparison is shown no longer. */
export interface CompareEnded {
  type: "compare_ended";
  seq: number;
}
