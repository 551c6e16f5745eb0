/** When conversations were used, in groups as people think of them, and text with what was searched for marked. */
import type { ConversationShown } from "../protocol";
import { strings } from "./strings";

const DAY_MS = 86_400_000;

// Made once: making one takes longer than a row may.
const MONTH = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const months = new Map<number, string>();

/** The group a conversation stands in: today, yesterday, the week, then months. */
export function groupOf(updated: string, now: Date): string {
  const at = new Date(updated);
  const days = daysBetween(at, now);
  if (days <= 0) return strings.today;
  if (days === 1) return strings.yesterday;
  if (days <= 7) return strings.week;
  const month = at.getFullYear() * 12 + at.getMonth();
  const known = months.get(month) ?? MONTH.format(at);
  months.set(month, known);
  return known;
}

/** The time of today and yesterday, the weekday of the week, the date of what is older. */
export function timeOf(updated: string, now: Date): string {
  const at = new Date(updated);
  const days = daysBetween(at, now);
  return (days <= 1 ? TIME : days <= 7 ? WEEKDAY : DATE).format(at);
}

/** Date and time to the minute. */
export function wholeTimeOf(updated: string): string {
  return WHOLE.format(new Date(updated));
}

function daysBetween(at: Date, now: Date): number {
  return Math.round((midnight(now) - midnight(at)) / DAY_MS);
}

function midnight(at: Date): number {
  // Noon of the same date in UTC: days of 23 and 25 hours count as one.
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate(), 12);
}

export type Item = { readonly group: string } | { readonly one: ConversationShown };

/** The list with a heading before each group. */
export function grouped(list: readonly ConversationShown[], now: Date): Item[] {
  const items: Item[] = [];
  let last = "";
  for (const one of list) {
    const group = groupOf(one.updated_at, now);
    if (group !== last) items.push({ group });
    last = group;
    items.push({ one });
  }
  return items;
}

/** What identifies an item among the others. */
export function keyOf(item: Item): string {
  return "group" in item ? `group ${item.group}` : item.one.id;
}

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** Text in pieces: those that a word of the search finds at a word's beginning, and what is between. */
export function marked(text: string, search: string): Piece[] {
  const words = search.split(/\s+/).map(plain).filter(Boolean);
  if (words.length === 0) return [{ text, hit: false }];
  const characters = [...text];
  const folded = characters.map(plain);
  const hits = characters.map(() => false);
  for (let at = 0; at < characters.length; at += 1) {
    // A script without spaces has words everywhere.
    const begins = at === 0 || !/[\p{L}\p{N}]/u.test(characters[at - 1] ?? "") || (characters[at] ?? "") >= "\u2e80";
    if (!begins) continue;
    for (const word of words) {
      const length = matches(folded, at, word);
      hits.fill(true, at, at + length);
    }
  }
  const pieces: Piece[] = [];
  characters.forEach((character, at) => {
    const hit = hits[at] ?? false;
    const last = pieces.at(-1);
    if (last?.hit === hit) pieces[pieces.length - 1] = { text: last.text + character, hit };
    else pieces.push({ text: character, hit });
  });
  return pieces;
}

/** How many characters from `at` on are the word; 0 when they are not. */
function matches(folded: readonly string[], at: number, word: string): number {
  let seen = "";
  for (let end = at; end < folded.length && seen.length < word.length; end += 1) {
    seen += folded[end];
    if (!word.startsWith(seen.slice(0, word.length))) return 0;
    if (seen.length >= word.length) return end + 1 - at;
  }
  return 0;
}

/** Without case and accents, as the search compares. */
function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
