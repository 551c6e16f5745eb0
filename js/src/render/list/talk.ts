/** A conversation's messages as rows. */
import type { MessageShown } from "../../protocol";
import type { View } from "../../store";
import type { Source } from "./rows";

/** Pixels of what stands around a message's text: padding, figures, the gap to the next. */
const AROUND = { user: 68, assistant: 58 };

const LINE = { pixels: 22, characters: 90 };

/** Nothing is guessed to be higher, or one wrong guess would move the scroll bar more than many right ones. */
const MOST = 4_000;

/** The rows of a view; `draw` draws a message. */
export function talk(view: View, draw: (message: MessageShown) => unknown): Source {
  const { messages } = view;
  const pinned: number[] = [];
  messages.forEach((message, index) => {
    if (message.status === "streaming") pinned.push(index);
  });
  return {
    keys: messages.map((message) => message.id),
    before: view.earlier,
    pinned,
    guess: (index) => guess(messages[index]),
    draw: (index) => {
      const message = messages[index];
      return message && draw(message);
    },
  };
}

/** About how high a message will be, in pixels. */
export function guess(message: MessageShown | undefined): number {
  if (!message) return 0;
  const lines = Math.ceil(message.text.length / LINE.characters);
  return Math.min(MOST, AROUND[message.role] + (lines + 2 * message.tools.length) * LINE.pixels);
}
