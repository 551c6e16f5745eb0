/**
 * Words that came to the end of a block, put where they belong without drawing the block again. What is selected in it
 * stays selected, and most ticks of a stream need no parser, no sanitiser and no new element.
 */

/** Ends of elements in which text is text, and the empty cells that follow in a row of a table. */
const ENDS =
  /^(?=<\/)(?:\s|<\/(?:blockquote|del|em|h[1-6]|li|ol|p|strong|table|tbody|td|th|thead|tr|ul)>|<t[dh](?: align="(?:center|left|right)")?>)*$/;

const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };

const PLAIN = /^(?:[^<>&]|&(?:amp|lt|gt|quot|#39);)*$/;

/**
 * Makes what was drawn from `before` what `after` would be drawn as. False, and nothing done, where more than the last
 * text grew.
 */
export function extended(nodes: readonly Node[], before: string, after: string): boolean {
  if (after.length <= before.length) return false;
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const ends = before.slice(same);
  if (!ENDS.test(ends) || !after.endsWith(ends)) return false;
  const added = plain(after.slice(same, after.length - ends.length));
  // The text that grew: not blanks alone, which stand between any two elements.
  const grew = plain(before.slice(before.lastIndexOf(">", same - 1) + 1, same));
  if (added === null || grew === null || grew.trim() === "") return false;
  const text = lastText(nodes);
  if (!text?.data.endsWith(grew)) return false;
  text.appendData(added);
  return true;
}

/** The text that this HTML is; null where there is anything else in it. */
function plain(html: string): string | null {
  if (!PLAIN.test(html)) return null;
  return html.replace(/&[^;]+;/g, (entity) => ENTITIES[entity] ?? entity);
}

function lastText(nodes: readonly Node[]): Text | null {
  for (const node of [...nodes].reverse()) {
    const found = lastTextIn(node);
    if (found) return found;
  }
  return null;
}

function lastTextIn(node: Node): Text | null {
  if (node instanceof Text) return node.data.trim() === "" ? null : node;
  for (let child = node.lastChild; child; child = child.previousSibling) {
    const found = lastTextIn(child);
    if (found) return found;
  }
  return null;
}
