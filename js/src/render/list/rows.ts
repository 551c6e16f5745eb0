/**
 * A list of any length of which only the rows in sight are in the page. They stand in the flow, with room left for the
 * others, so that selecting, printing and the browser's own scrolling work as in any text.
 *
 * Heights are guessed until a row was drawn once; virtual-core keeps them and says what is in sight.
 */
import {
  Virtualizer,
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import { html, render } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";

import { Anchor } from "./anchor";
import { Pace } from "./pace";
import { Pins } from "./pins";
import { afforded, drawn, parts, type Range } from "./window";

/** Keys of rows last drawn that `recent` remembers. */
const RECENT = 80;

/** Rows that are printed at most: the newest. */
const MOST_PRINTED = 1_000;

/** The height a list has before it was laid out. */
const FIRST_RECT = { width: 800, height: 640 };

/** What is listed. Asked for at each drawing, so that nothing is built for rows that are not drawn. */
export interface Source {
  readonly keys: readonly string[];
  /** Rows that come before the first and are not here. */
  readonly before: number;
  /** The indexes of rows that are drawn wherever the reader is. */
  readonly pinned: readonly number[];
  /** A row's height in pixels before it was drawn. */
  guess(index: number): number;
  draw(index: number): unknown;
}

const NOTHING: Source = { keys: [], before: 0, pinned: [], guess: () => 0, draw: () => null };

export interface RowsContext {
  /** Whether the reader is at the bottom and wants to stay there. */
  readonly following: () => boolean;
  /** Rows were drawn, or changed their height. */
  readonly settled: () => void;
}

const NOWHERE = { start: 0, end: 0 };

export class Rows {
  readonly node = document.createElement("div");
  private source: Source = NOTHING;
  private keyOf = (index: number) => this.source.keys[index] ?? "";
  private places = new Map<string, number>();
  private indexes: readonly number[] = [];
  private keys: ReadonlySet<string> = new Set();
  private range: Range | null = null;
  private frame = 0;
  private drawing = false;
  /** Rows were renumbered, and not all of those in sight are drawn yet. */
  private unsettled = false;
  private readonly latest = new Map<string, true>();
  private readonly pace = new Pace();
  private readonly pins = new Pins(this.node, () => this.draw());
  private readonly anchor: Anchor;
  private readonly virtual: Virtualizer<HTMLElement, HTMLElement>;
  private readonly unmount: () => void;
  private readonly scrolled = () => this.anchor.note();

  constructor(
    private readonly scroller: HTMLElement,
    private readonly context: RowsContext,
  ) {
    this.node.className = "vc-rows";
    this.anchor = new Anchor(scroller, () => this.elements());
    this.virtual = new Virtualizer(this.options());
    // Rows stand in the flow, where the browser or `anchor` keeps what is read in its place.
    this.virtual.shouldAdjustScrollPositionOnItemSizeChange = () => false;
    this.unmount = this.virtual._didMount();
    scroller.addEventListener("scroll", this.scrolled, { passive: true });
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.scroller.removeEventListener("scroll", this.scrolled);
    this.unmount();
    this.pins.dispose();
  }

  /** The keys of the rows drawn now and lately: what belongs to other rows can be let go. */
  get recent(): readonly string[] {
    return [...this.latest.keys()];
  }

  /** The index of the first row that is drawn. */
  get first(): number {
    return this.indexes[0] ?? 0;
  }

  /** Brings a row to the top of what is in sight; its element, once it is drawn. */
  reveal(index: number): HTMLElement | null {
    this.scroller.scrollTop = (this.virtual.measurementsCache[index]?.start ?? 0) + this.node.offsetTop;
    this.virtual.scrollOffset = this.scroller.scrollTop;
    this.draw();
    const row = this.node.querySelector<HTMLElement>(`:scope > .vc-row[data-index="${index}"]`);
    row?.scrollIntoView?.({ block: "nearest" });
    return row;
  }

  update(source: Source): void {
    const before = this.source.keys;
    const renumbered = before[0] !== undefined && before[0] !== source.keys[0];
    this.unsettled ||= renumbered;
    this.anchor.note(this.unsettled);
    this.source = source;
    if (source.keys.length !== before.length || source.keys.some((key, i) => key !== before[i])) {
      this.places = new Map(source.keys.map((key, index) => [key, index]));
      // Another function tells virtual-core that other rows stand at the same indexes.
      this.keyOf = (index) => source.keys[index] ?? "";
    }
    this.virtual.setOptions(this.options());
    this.virtual._willUpdate();
    if (renumbered) this.shift(this.places.get(before[0] ?? "") ?? 0);
    this.draw();
  }

  /** So many rows came before those that are in sight, which shall stay so. */
  private shift(rows: number): void {
    const room = rows > 0 && this.virtual.getTotalSize() > 0 ? (this.virtual.measurementsCache[rows]?.start ?? 0) : 0;
    this.virtual.scrollOffset = (this.virtual.scrollOffset ?? 0) + room;
  }

  private options(): VirtualizerOptions<HTMLElement, HTMLElement> {
    return {
      count: this.source.keys.length,
      getScrollElement: () => this.scroller,
      estimateSize: (index) => this.source.guess(index),
      getItemKey: this.keyOf,
      initialRect: FIRST_RECT,
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      onChange: () => this.changed(),
    };
  }

  /** Something was scrolled or resized, and may need other rows. */
  private changed(): void {
    if (this.drawing) return;
    const wanted = this.wanted();
    if (wanted.length === this.indexes.length && wanted.every((index, i) => index === this.indexes[i])) this.settle();
    else this.later();
  }

  private later(): void {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  private wanted(): number[] {
    const { source, virtual } = this;
    if (this.pins.all) return source.keys.map((_, index) => index).slice(-MOST_PRINTED);
    if (this.context.following()) {
      virtual.scrollOffset = Math.max(0, virtual.getTotalSize() - (virtual.scrollRect?.height ?? 0));
    }
    // A list that is out of the page has no height; it comes back as it was.
    this.range = virtual.calculateRange() ?? this.range;
    const pinned = [...source.pinned, ...this.pins.indexes((key) => this.places.get(key))];
    return drawn(source.keys.length, this.range, pinned);
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.drawing = true;
    this.hold();
    const begun = performance.now();
    const wanted = this.wanted();
    const known = this.keys;
    const most = this.pins.all ? Infinity : this.pace.most;
    this.indexes = afforded(wanted, (index) => known.has(this.keyOf(index)), this.range, most);
    this.keys = new Set(this.indexes.map(this.keyOf));
    this.render();
    for (const row of this.elements()) this.place(row);
    for (const row of this.elements()) this.virtual.measureElement(row);
    this.virtual.measureElement(null);
    this.drawing = false;
    this.settle();
    this.pace.took(this.indexes.filter((index) => !known.has(this.keyOf(index))).length, performance.now() - begun);
    this.unsettled &&= this.indexes.length < wanted.length;
    if (this.indexes.length < wanted.length) this.later();
  }

  private render(): void {
    const { source, virtual } = this;
    const shown = parts(this.indexes, (index) => virtual.measurementsCache[index] ?? NOWHERE, virtual.getTotalSize());
    render(
      repeat(
        shown,
        (part) => ("index" in part ? source.keys[part.index] : part.name),
        (part) =>
          "index" in part
            ? html`<div class="vc-row" data-index=${part.index} data-key=${source.keys[part.index] ?? ""}>${source.draw(part.index)}</div>`
            : html`<div class="vc-room" style="height:${part.room}px"></div>`,
      ),
      this.node,
    );
    for (const index of this.indexes) {
      const key = source.keys[index] ?? "";
      this.latest.delete(key);
      this.latest.set(key, true);
    }
    const surplus = this.latest.size - this.indexes.length - RECENT;
    for (const key of [...this.latest.keys()].slice(0, Math.max(0, surplus))) this.latest.delete(key);
  }

  /** Says which of how many a row is. */
  private place(row: HTMLElement): void {
    const { before, keys } = this.source;
    const article = row.querySelector(":scope > article");
    article?.setAttribute("aria-posinset", String(before + Number(row.dataset["index"]) + 1));
    article?.setAttribute("aria-setsize", String(before + keys.length));
  }

  /** Keeps the browser from moving what is moved here, or it would be moved twice. */
  private hold(): void {
    this.scroller.style.setProperty("overflow-anchor", this.context.following() || this.unsettled ? "none" : "auto");
  }

  private settle(): void {
    this.hold();
    if (!this.context.following()) this.anchor.restore();
    this.context.settled();
    this.anchor.note(this.unsettled);
  }

  private elements(): Iterable<HTMLElement> {
    return this.node.querySelectorAll<HTMLElement>(":scope > .vc-row");
  }
}
