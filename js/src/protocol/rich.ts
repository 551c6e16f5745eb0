/** What an answer has besides text, and what draws it. */

/**
 * A source that a model named for what it said. `url` is empty for a file of the provider's. `quote` is what the
 * provider says it took from there.
 */
export interface CitationShown {
  url: string;
  title: string;
  quote: string;
}

/** Bring the next piece of a file of the front end, from the byte `at` of what is sent. */
export interface NeedAsset {
  type: "need_asset";
  name: "katex" | "mermaid";
  at: number;
}

/**
 * A piece of such a file, compressed with gzip, from the byte `at`; `left` bytes follow it. The bytes are the
 * message's one binary buffer; without it there is no such file.
 */
export interface Asset {
  type: "asset";
  seq: number;
  name: "katex" | "mermaid";
  at: number;
  left: number;
}
