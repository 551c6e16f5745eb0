/** How this browser shows panels: kept in the browser, told to all panels of the page. */

export interface Preferences {
  readonly textSize: "small" | "usual" | "large";
  readonly height: "usual" | "tall" | "page";
  readonly sendWith: "enter" | "modified";
  /** Tell of a long answer's end while the page is hidden. */
  readonly notify: boolean;
}

export const USUAL: Preferences = { textSize: "usual", height: "usual", sendWith: "enter", notify: false };

const KEY = "valechat.preferences";
const ALLOWED: { readonly [K in keyof Preferences]: readonly Preferences[K][] } = {
  textSize: ["small", "usual", "large"],
  height: ["usual", "tall", "page"],
  sendWith: ["enter", "modified"],
  notify: [true, false],
};

const listeners = new Set<() => void>();
let known: Preferences | null = null;

/** What is preferred now. Anything unreadable counts as usual. */
export function preferences(): Preferences {
  return (known ??= read());
}

export function prefer(changes: Partial<Preferences>): void {
  known = { ...preferences(), ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // A browser without storage forgets with the page.
  }
  for (const listener of listeners) listener();
}

export function onPreference(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    return USUAL;
  }
  if (typeof stored !== "object" || stored === null) return USUAL;
  const found = stored as Record<string, unknown>;
  const valid = Object.entries(ALLOWED).filter(([name, values]) => (values as readonly unknown[]).includes(found[name]));
  return { ...USUAL, ...Object.fromEntries(valid.map(([name]) => [name, found[name]])) };
}

// Another tab changed them.
globalThis.addEventListener?.("storage", (event) => {
  if ((event as StorageEvent).key !== KEY) return;
  known = null;
  for (const listener of listeners) listener();
});
