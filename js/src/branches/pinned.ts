/** What a pin changes in the view. */
import type { Pinned } from "../protocol";
import type { View } from "../store";

/** The view after a message was pinned or let go. */
export function pinned(view: View, { message, pinned: on, pins }: Pinned): View {
  return { ...view, pins, messages: view.messages.map((m) => (m.id === message ? { ...m, pinned: on } : m)) };
}
