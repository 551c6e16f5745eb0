/** The files that all panels of a page share: each is brought once, by whichever panel needs it first. */
import type { AssetFetcher, AssetName } from "./fetcher";

/** The asset's own text, unpacked. */
export type Source = Promise<string>;

const PAGE = Symbol.for(`valechat.assets.${typeof ASSETS_BUILD === "string" ? ASSETS_BUILD : ""}`);

type Shared = Map<string, Promise<unknown>>;

function shared(): Shared {
  const page = globalThis as unknown as Record<symbol, Shared | undefined>;
  // Each panel is a module of its own, and only the page outlives them all.
  return (page[PAGE] ??= new Map());
}

/** What `make` made once for the page. After a failure the next to ask tries again. */
export function onePerPage<T>(name: string, make: () => Promise<T>): Promise<T> {
  const known = shared().get(name) as Promise<T> | undefined;
  if (known) return known.catch(() => onceMore(name, known, make));
  return onceMore(name, undefined, make);
}

function onceMore<T>(name: string, failed: Promise<T> | undefined, make: () => Promise<T>): Promise<T> {
  const now = shared().get(name) as Promise<T> | undefined;
  if (now !== undefined && now !== failed) return now;
  const made = make();
  shared().set(name, made);
  made.catch(() => shared().get(name) === made && shared().delete(name));
  return made;
}

/** An asset's text, brought from the kernel and unpacked. */
export function source(name: AssetName, fetcher: AssetFetcher): Source {
  return onePerPage(`source:${name}`, async () => unpacked(await fetcher.bytes(name)));
}

/** An asset as the module that it is. */
export function module<T>(name: AssetName, fetcher: AssetFetcher): Promise<T> {
  return onePerPage(`module:${name}`, async () => {
    const text = await source(name, fetcher);
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    try {
      return (await import(/* @vite-ignore */ url)) as T;
    } finally {
      URL.revokeObjectURL(url);
    }
  });
}

async function unpacked(packed: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Response(packed).body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream ?? null).text();
}
