/** Which rows of a list are drawn, and the room that is left for the others. No DOM. */

/** Up to this many rows all are drawn: nothing is gained by leaving some out, and the page can search them. */
export const ALL = 60;

/** Rows drawn beyond each edge of what is in sight. */
export const OVERSCAN = 4;

/** The first and the last row in sight. */
export interface Range {
  readonly startIndex: number;
  readonly endIndex: number;
}

/** A row, or the room of rows that are left out, in pixels. */
export type Part = { readonly index: number } | { readonly name: string; readonly room: number };

/** Where a row begins and ends, as measured or guessed. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * The indexes to draw, ascending.
 *
 * @param range What is in sight; null while nothing can be, because the list has no height.
 * @param pinned What is drawn in any case; may repeat.
 */
export function drawn(count: number, range: Range | null, pinned: readonly number[]): number[] {
  if (count <= ALL) return Array.from({ length: count }, (_, i) => i);
  const { startIndex, endIndex } = range ?? { startIndex: count - 1, endIndex: count - 1 };
  const first = Math.max(0, startIndex - OVERSCAN);
  const last = Math.min(count - 1, endIndex + OVERSCAN);
  const wanted = new Set(pinned.filter((index) => index >= 0 && index < count));
  for (let i = first; i <= last; i += 1) wanted.add(i);
  return [...wanted].sort((a, b) => a - b);
}

/**
 * Of the rows to draw those that one frame can afford: all that are drawn already, and `most` others, what is in sight
 * first, from its end.
 */
export function afforded(indexes: readonly number[], known: (index: number) => boolean, range: Range | null, most: number): number[] {
  const fresh = indexes.filter((index) => !known(index));
  if (fresh.length <= most) return [...indexes];
  const inSight = (index: number) => range !== null && index >= range.startIndex && index <= range.endIndex;
  const first = fresh.sort((a, b) => Number(inSight(b)) - Number(inSight(a)) || b - a);
  const left = new Set(first.slice(most));
  return indexes.filter((index) => !left.has(index));
}

/** The rows with room between them for what is left out. */
export function parts(indexes: readonly number[], place: (index: number) => Place, total: number): Part[] {
  const result: Part[] = [];
  let end = 0;
  let rooms = 0;
  for (const index of indexes) {
    const { start, end: next } = place(index);
    if (start > end) result.push({ name: `room ${rooms++}`, room: start - end });
    result.push({ index });
    end = next;
  }
  if (total > end) result.push({ name: "room below", room: total - end });
  return result;
}
