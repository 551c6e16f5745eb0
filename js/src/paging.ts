/** The messages before those a state brought: asked for when they are scrolled to, kept when another state comes. */
import type { Earlier, FromPanel, MessageShown, State } from "./protocol";
import type { View } from "./store";

/** Messages asked for at once while one scrolls, and on the way to the very first. */
export const PAGE = 200;
export const LEAP = 1_000;

/** The view with older messages before its first. What was brought already, or does not fit, changes nothing. */
export function prepended(view: View, page: Earlier, seen: (message: MessageShown) => MessageShown): View {
  if (view.messages[0]?.id !== page.before) return view;
  return { ...view, messages: [...page.messages.map(seen), ...view.messages], earlier: page.left };
}

type Paged = Pick<View, "messages" | "earlier" | "rests">;

/**
 * A state's messages with the older ones that the view has, where they lead up to them: a state that follows a gap
 * must not take away what is being read.
 */
export function continued(view: View, state: State, messages: readonly MessageShown[]): Paged {
  const earlier = state.earlier ?? 0;
  const first = messages[0]?.id;
  const at = view.conversationId === state.conversation_id ? view.messages.findIndex((m) => m.id === first) : -1;
  // Messages may have been deleted meanwhile.
  if (at <= 0 || view.earlier + at !== earlier) return { messages, earlier, rests: {} };
  const older = view.messages.slice(0, at);
  const rests = Object.fromEntries(older.flatMap(({ id }) => (view.rests[id] ? [[id, view.rests[id]]] : [])));
  return { messages: [...older, ...messages], earlier: view.earlier, rests };
}

/** Asks for older messages, one page at a time. */
export class Pager {
  private asked = "";

  constructor(
    private readonly view: () => View,
    private readonly send: (message: FromPanel) => boolean,
  ) {}

  /** Asks for the page before the first message, unless it is on its way. */
  ask(most = PAGE): void {
    const { messages, earlier, seq } = this.view();
    const before = messages[0]?.id;
    if (earlier === 0 || seq === null || before === undefined || before === this.asked) return;
    if (this.send({ type: "show_earlier", before, most })) this.asked = before;
  }

  /** A state came: what was asked before may never be answered. */
  forget(): void {
    this.asked = "";
  }
}
