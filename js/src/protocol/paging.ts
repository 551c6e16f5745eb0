/** A long conversation's messages, a page at a time: a state has the newest, the panel asks for those before. */
import type { MessageShown } from "./shown";

/** Bring messages that come before the message `before`, the first that the panel has: `most` of them, or fewer. */
export interface ShowEarlier {
  type: "show_earlier";
  before: string;
  most: number;
}

/** The messages right before `before`. So many are `left` before these; none where `before` is unknown. */
export interface Earlier {
  type: "earlier";
  seq: number;
  before: string;
  messages: MessageShown[];
  left: number;
}
