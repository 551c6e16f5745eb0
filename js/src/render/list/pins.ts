/**
 * Which rows of a long list stay drawn although they are out of sight: what has the focus, what is selected, and
 * what the reader unfolded, or folded that is open by itself (`data-open`). Drawing them again would lose that.
 */

/** Rows a selection keeps at most; of a longer one only what is near the window is copied. */
const MOST_SELECTED = 400;

/** Rows the reader unfolded something in that are kept, the latest first. */
const MOST_UNFOLDED = 20;

export class Pins {
  private readonly unfolded = new Map<string, HTMLElement>();
  private printing = false;
  /** The nodes in which what is selected begins and ends. */
  private selection: readonly (Node | null)[] = [];

  /** `changed` is told when everything must be drawn at once, and when no longer. */
  constructor(
    private readonly list: HTMLElement,
    private readonly changed: () => void,
  ) {
    list.addEventListener("toggle", (event) => this.toggled(event), true);
    window.addEventListener("beforeprint", this.print);
    window.addEventListener("afterprint", this.print);
    document.addEventListener("selectionchange", this.select);
  }

  dispose(): void {
    window.removeEventListener("beforeprint", this.print);
    window.removeEventListener("afterprint", this.print);
    document.removeEventListener("selectionchange", this.select);
  }

  /** Whether all rows are wanted: the page is being printed. */
  get all(): boolean {
    return this.printing;
  }

  /** The rows to keep, as indexes; `indexOf` gives a key's place, undefined where it is no longer listed. */
  indexes(indexOf: (key: string) => number | undefined): number[] {
    const root = this.list.getRootNode() as Document | ShadowRoot;
    const focused = indexOf(keyOf(this.list, root.activeElement));
    const unfolded = [...this.unfolded.keys()].map(indexOf);
    const kept = [focused, ...unfolded].filter((index) => index !== undefined);
    return [...kept, ...this.selected(indexOf)];
  }

  private selected(indexOf: (key: string) => number | undefined): number[] {
    const ends = this.selection.map((node) => indexOf(keyOf(this.list, node)));
    const known = ends.filter((index) => index !== undefined).sort((a, b) => a - b);
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined) return [];
    return last - first < MOST_SELECTED ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : known;
  }

  // When it changes, not when rows are drawn: to be asked for it, the browser lays out the page.
  private readonly select = () => {
    const root = this.list.getRootNode() as Document | ShadowRoot;
    // Chromium gives a shadow root its own selection; elsewhere the document's ends at the host.
    const selection = "getSelection" in root ? (root as Document).getSelection() : document.getSelection();
    const range = selection && selection.rangeCount > 0 ? selection.getRangeAt(0) : null;
    this.selection = range && !range.collapsed ? [range.startContainer, range.endContainer] : [];
  };

  private toggled(event: Event): void {
    const fold = event.target as HTMLElement;
    const key = keyOf(this.list, fold);
    this.unfolded.delete(key);
    if (key !== "" && fold.matches("details[open]:not([data-open]), details[data-open]:not([open])")) this.unfolded.set(key, fold);
    for (const old of this.unfolded.keys()) if (this.unfolded.size > MOST_UNFOLDED) this.unfolded.delete(old);
  }

  private readonly print = (event: Event) => {
    this.printing = event.type === "beforeprint";
    this.changed();
  };
}

/** The key of the row that a node is in; empty where it is in none. */
function keyOf(list: HTMLElement, node: Node | null): string {
  const element = node instanceof Element ? node : (node?.parentElement ?? null);
  const row = element?.closest<HTMLElement>(".vc-row") ?? null;
  return row && list.contains(row) ? (row.dataset["key"] ?? "") : "";
}
