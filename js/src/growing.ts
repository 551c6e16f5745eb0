/** An answer with what arrived of it. */
import type { Delta, MessageShown, ToolShown } from "./protocol";

/** The message with what these deltas bring of its turn; the same one where they bring nothing. */
export function grown(message: MessageShown, deltas: readonly Delta[]): MessageShown {
  if (message.role !== "assistant" || message.turn === null) return message;
  let result = message;
  for (const delta of deltas) {
    if (delta.turn !== message.turn) continue;
    result = {
      ...result,
      text: result.text + (delta.text ?? ""),
      thinking: result.thinking + (delta.thinking ?? ""),
      tools: delta.tools ? mergedTools(result.tools, delta.tools) : result.tools,
      notes: delta.notes ? [...result.notes, ...delta.notes] : result.notes,
      ...(delta.more === undefined ? {} : { more: delta.more }),
    };
  }
  return result;
}

function mergedTools(old: readonly ToolShown[], changed: readonly ToolShown[]): ToolShown[] {
  const byId = new Map(old.map((tool) => [tool.id, tool]));
  for (const tool of changed) byId.set(tool.id, tool);
  return [...byId.values()];
}
