/** Branches, and what is done with one message: asked again, asked otherwise, shown, deleted, pinned. */

/** Answer the question above this answer once more, as a branch. `turn` names the turn, as in `send`. */
export interface Regenerate {
  type: "regenerate";
  turn: string;
  message: string;
  model: string;
}

/** Show the branch that a message is in: one of a message's `siblings`, or a pinned one. */
export interface ShowBranch {
  type: "show_branch";
  message: string;
}

/** Delete a message's question with all its answers. Refused while an answer is written. */
export interface DeleteTurn {
  type: "delete_turn";
  message: string;
}

/** Mark a message to be found again, or no longer. */
export interface PinMessage {
  type: "pin_message";
  message: string;
  pinned: boolean;
}

/** A pinned message: its id, the beginning of its text, and whether it is on the path that is shown. */
export interface PinShown {
  message: string;
  role: "user" | "assistant";
  text: string;
  shown: boolean;
}

/** All pinned messages of the conversation, and the one that was pinned or let go, by the id the panel has. */
export interface Pinned {
  type: "pinned";
  seq: number;
  message: string;
  pinned: boolean;
  pins: PinShown[];
}
