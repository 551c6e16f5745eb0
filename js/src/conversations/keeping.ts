/** The drafts of all conversations in this browser's storage; where there is none, for as long as the page lives. */

export const STORE = "valechat.drafts";

const MOST = 50;
const DAYS_30_MS = 30 * 86_400_000;

/** A question that is not sent. */
export interface Draft {
  readonly text: string;
  readonly at: number;
  /** The notebook it was typed in. */
  readonly place: string;
  /** What is attached; an empty id is what the kernel never had. */
  readonly files: readonly { readonly name: string; readonly size: number; readonly id: string }[];
  /** The names in the text that are not to be sent as variables. */
  readonly without: readonly string[];
}

export type Kept = Readonly<Record<string, Draft>>;

/** What could not be stored: the user allows no storage, or it is full. */
let unstored: Kept | null = null;

/** All drafts by conversation. */
export function kept(): Kept {
  if (unstored !== null) return unstored;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    if (typeof stored !== "object" || stored === null) return {};
    return Object.fromEntries(
      Object.entries(stored).flatMap(([id, one]) => {
        const draft = read(one);
        return draft === null ? [] : [[id, draft]];
      }),
    );
  } catch {
    return {};
  }
}

/** Keeps a conversation's draft, or none. */
export function change(conversation: string, draft: Draft | null): void {
  const { [conversation]: old, ...others } = kept();
  if (draft === null && old === undefined) return;
  const young = Object.entries(others).filter(([, one]) => one.at > Date.now() - DAYS_30_MS);
  const latest = young.sort(([, a], [, b]) => b.at - a.at).slice(0, MOST - 1);
  const all = Object.fromEntries(draft === null ? latest : [[conversation, draft], ...latest]);
  try {
    localStorage.setItem(STORE, JSON.stringify(all));
    unstored = null;
  } catch {
    unstored = all;
  }
}

/** A stored draft; null where it is none. Older ones name no files. */
function read(value: unknown): Draft | null {
  const { text, at, place, files, without } = (value ?? {}) as Partial<Record<keyof Draft, unknown>>;
  if (typeof text !== "string" || typeof at !== "number" || typeof place !== "string") return null;
  const named = Array.isArray(files) ? files.filter(isFile) : [];
  const names = Array.isArray(without) ? without.filter((one) => typeof one === "string") : [];
  return { text, at, place, files: named, without: names };
}

function isFile(value: unknown): value is Draft["files"][number] {
  const { name, size, id } = (value ?? {}) as Record<string, unknown>;
  return typeof name === "string" && typeof size === "number" && typeof id === "string";
}
