/** `@name` in a question's text: where one is being typed, and which stand there. No DOM. */

/** Code and quoted code, in which an `@` is a decorator's and names nothing. */
const CODE = /(?:^|\n)[ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:\n[ \t]*\1|$)|`[^`\n]+`/g;

const BEFORE = "(?<![\\p{L}\\p{N}_@./`\\\\-])@";
const NAME = "[\\p{L}_][\\p{L}\\p{N}_]*";
const PATH = `${NAME}(?:\\.${NAME}|\\[(?:-?\\d{1,9}|"[^"\\n]{1,100}"|'[^'\\n]{1,100}')\\])*`;

const MENTION = new RegExp(`${BEFORE}(${PATH})`, "gu");
const OPEN = new RegExp(`${BEFORE}([^\\s@]{0,60})$`, "u");

/** What is typed after an `@` up to the cursor: the menu's query and where its `@` stands; null outside of one. */
export function openMention(text: string, caret: number): { query: string; start: number } | null {
  const before = blanked(text.slice(0, caret));
  const found = OPEN.exec(before);
  return found ? { query: text.slice(found.index + 1, caret), start: found.index } : null;
}

/** The paths that a text mentions, each once, in their order. */
export function mentions(text: string): string[] {
  if (!text.includes("@")) return [];
  return [...new Set([...blanked(text).matchAll(MENTION)].map((found) => found[1] ?? ""))];
}

function blanked(text: string): string {
  return text.includes("`") || text.includes("~~~") ? text.replace(CODE, (code) => " ".repeat(code.length)) : text;
}

/**
 * How well a name fits what is typed; null when it does not. The letters must stand in it in their order; a beginning
 * is better than an inner word, that better than scattered letters, and a short name better than a long one.
 */
export function fit(name: string, query: string): number | null {
  const text = name.toLowerCase();
  const sought = query.toLowerCase();
  if (sought === "") return 0;
  const at = text.indexOf(sought);
  if (at === 0) return 1000 - text.length;
  if (at > 0) return (/[\W_]/.test(text[at - 1] ?? "") ? 800 : 600) - at - text.length;
  let from = 0;
  let gaps = 0;
  for (const letter of sought) {
    const next = text.indexOf(letter, from);
    if (next < 0) return null;
    gaps += next - from;
    from = next + 1;
  }
  return 300 - gaps - text.length;
}

/** The best of a list, by their names. */
export function best<T>(all: readonly T[], name: (one: T) => string, query: string, most: number): T[] {
  const fitting = all.flatMap((one) => {
    const score = fit(name(one), query);
    return score === null ? [] : [{ one, score }];
  });
  // A stable sort: without a query the kernel's order stays.
  return fitting
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ one }) => one);
}
