/** Conversations: the list of them, and what is done with one as a whole. See `protocol.ts`. */
import type { ErrorShown } from "./shown";

// From the panel to the kernel

/** Those that say all words of `search` and have the `tag`, the last used first, without the first `skip`. */
export interface ListConversations {
  type: "list_conversations";
  number: number;
  search: string;
  tag: string;
  skip: number;
}

export interface OpenConversation {
  type: "open_conversation";
  number: number;
  conversation: string;
}

export interface ChangeConversation {
  type: "change_conversation";
  number: number;
  conversation: string;
  title?: string;
  tags?: string[];
}

export interface DuplicateConversation {
  type: "duplicate_conversation";
  number: number;
  conversation: string;
}

export interface DeleteConversation {
  type: "delete_conversation";
  number: number;
  conversation: string;
}

export interface ExportConversation {
  type: "export_conversation";
  number: number;
  conversation: string;
  format: "markdown" | "json" | "notebook";
}

export interface ImportConversations {
  type: "import_conversations";
  number: number;
  text: string;
}

/** The user looks at the panel: show what happened elsewhere, now and for a while. */
export interface Look {
  type: "look";
}

// From the kernel to the panel

export interface ConversationShown {
  id: string;
  title: string;
  updated_at: string;
  model: string;
  message_count: number;
  total_cost: string | null;
  tags: string[];
  snippet: string;
  answering: boolean;
}

export interface TagShown {
  name: string;
  count: number;
}

export interface ConversationsListed {
  type: "conversations";
  seq: number;
  number: number;
  conversations: ConversationShown[];
  more: boolean;
  tags: TagShown[];
}

export interface ConversationDone {
  type: "conversation_done";
  seq: number;
  number: number;
  conversations: ConversationShown[];
  error: ErrorShown | null;
}

export interface Exported {
  type: "exported";
  seq: number;
  number: number;
  name: string;
  media_type: string;
  text: string;
}
