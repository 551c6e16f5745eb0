/** Conversations as a kernel lists them. */
import type { ConversationDone, ConversationShown, ConversationsListed } from "../../src/protocol";

export function talk(id: string, parts: Partial<ConversationShown> = {}): ConversationShown {
  return {
    id,
    title: `Title ${id}`,
    updated_at: new Date().toISOString(),
    model: "demo/echo",
    message_count: 2,
    total_cost: null,
    tags: [],
    snippet: "",
    answering: false,
    ...parts,
  };
}

export function listed(seq: number, number: number, conversations: ConversationShown[], parts: Partial<ConversationsListed> = {}): ConversationsListed {
  return { type: "conversations", seq, number, conversations, more: false, tags: [], ...parts };
}

export function done(seq: number, number: number, conversations: ConversationShown[] = [], message = ""): ConversationDone {
  const error = message === "" ? null : { kind: "ConfigError", message, fix: "" };
  return { type: "conversation_done", seq, number, conversations, error };
}
