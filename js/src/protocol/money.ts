/** Before sending: what a question would cost, and what the limits leave for it. */
import type { Attached } from "./talk";

/** A spending limit as it stands, in words: `the daily limit`. `resets` names the time zone; empty: never. */
export interface LimitShown {
  title: string;
  amount: string;
  remaining: string;
  resets: string;
}

/**
 * What the question in the composer would send and could cost. Input counts the whole request: conversation,
 * instructions, attachments, tools. `likely` and `most` are null when no price is known. `limit` is the one that
 * leaves least. `warning` says what would happen where it does not fit.
 */
export interface EstimateShown {
  input_tokens: number;
  most_input_tokens: number;
  most_output_tokens: number;
  likely: string | null;
  most: string | null;
  limit: LimitShown | null;
  warning: string;
}

/**
 * What would this cost? The answer names the `number`; only the newest is answered. Of a very long text only the
 * beginning is sent; `more` are the UTF-8 bytes after it. An attachment whose bytes are still the panel's has its
 * size in `sizes`, at the same place; 0 for the others.
 */
export interface Estimate {
  type: "estimate";
  number: number;
  text: string;
  model: string;
  more?: number;
  attachments?: Attached[];
  sizes?: number[];
}

/** The answer to an `estimate`. null where there is nothing to say: the model is free. */
export interface Estimated {
  type: "estimated";
  seq: number;
  number: number;
  estimate: EstimateShown | null;
}
