/** Highlighted code that grows: only what comes after its last unchanged word is drawn again. */
import { sanitized } from "./sanitize";

const PIECES = /<span[^>]*>|<\/span>|[^<]+/g;

/**
 * Makes what was drawn in `target` from `before` what `after` is drawn as. Both are what the highlighter writes: text
 * and `span`s.
 */
export function redrawn(target: Element, before: string, after: string): void {
  const { end, nodes } = unchanged(before, after);
  while (target.childNodes.length > nodes) target.lastChild?.remove();
  target.append(sanitized(after.slice(end)));
}

/** Where the last outer `span` ends up to which both are the same, and how many nodes there are before that. */
function unchanged(before: string, after: string): { end: number; nodes: number } {
  let found = { end: 0, nodes: 0 };
  let depth = 0;
  let nodes = 0;
  for (const { 0: piece, index } of before.matchAll(PIECES)) {
    if (!after.startsWith(piece, index)) break;
    if (piece === "</span>") {
      depth -= 1;
      if (depth === 0) found = { end: index + piece.length, nodes };
      continue;
    }
    if (depth === 0) nodes += 1;
    if (piece.startsWith("<")) depth += 1;
  }
  return found;
}
