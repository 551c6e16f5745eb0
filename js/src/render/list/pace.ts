/**
 * How many rows may be drawn anew in one frame. A row costs anything from a millisecond to fifty, by its text and by the
 * machine, so this goes by what the last ones took.
 */

/** Milliseconds of a frame that new rows may take. */
const BUDGET = 10;

/** What one row takes before any was drawn: the first ones run code that nothing has run yet. */
const FIRST = 4;

export class Pace {
  private each = FIRST;

  /** New rows for one frame, at least one. */
  get most(): number {
    return Math.max(1, Math.floor(BUDGET / this.each));
  }

  /** So many new rows took so many milliseconds. */
  took(rows: number, milliseconds: number): void {
    if (rows > 0) this.each = Math.max(0.2, (this.each + milliseconds / rows) / 2);
  }
}
