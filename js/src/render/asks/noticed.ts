/**
 * A question nobody sees is told where one looks: in the tab's title while the page is hidden, and in a note
 * over the page while its card is out of sight. One for a page and model, whatever the number of views.
 */
import { html, render } from "lit-html";

import { icon } from "../../icons";
import type { AskShown } from "../../protocol";
import { strings } from "../../strings";

/** How long a new card may be out of sight, while the page scrolls to it. */
const GRACE_MS = 600;

const MARK = "(!) ";

export interface NoticeContext {
  readonly who: (ask: AskShown) => string;
  /** The notebook's name, where it is known. */
  readonly where: string;
}

export class Noticed {
  private readonly note = document.createElement("div");
  private readonly cards = new Map<Element, boolean>();
  private readonly sight: IntersectionObserver | null;
  private readonly hidden = () => this.retitle();
  private asks: readonly AskShown[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: NoticeContext) {
    this.note.className = "vc-root vc-asked-note";
    this.note.setAttribute("role", "status");
    const seen = (entries: IntersectionObserverEntry[]) => this.seen(entries);
    this.sight = typeof IntersectionObserver === "function" ? new IntersectionObserver(seen) : null;
    document.addEventListener("visibilitychange", this.hidden);
  }

  /** Follows the questions that wait and the cards that show them. */
  update(asks: readonly AskShown[], cards: readonly Element[]): void {
    if (asks.length === 0 && this.asks.length === 0) return;
    this.asks = asks;
    const now = new Set(cards);
    for (const card of this.cards.keys()) {
      if (now.has(card)) continue;
      this.sight?.unobserve(card);
      this.cards.delete(card);
    }
    for (const card of now) {
      if (this.cards.has(card)) continue;
      this.cards.set(card, true);
      this.sight?.observe(card);
    }
    this.retitle();
    this.later();
  }

  dispose(): void {
    this.update([], []);
    this.sight?.disconnect();
    clearTimeout(this.timer);
    this.note.remove();
    document.removeEventListener("visibilitychange", this.hidden);
  }

  private seen(entries: readonly IntersectionObserverEntry[]): void {
    for (const entry of entries) if (this.cards.has(entry.target)) this.cards.set(entry.target, entry.isIntersecting);
    this.later();
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), GRACE_MS);
    if (![...this.cards].some(([, inSight]) => !inSight)) this.draw();
  }

  private draw(): void {
    const lost = [...this.cards].find(([, inSight]) => !inSight)?.[0];
    const ask = this.asks.find((one) => one.id === (lost as HTMLElement | undefined)?.dataset["ask"]);
    if (!ask || !lost) {
      this.note.remove();
      return;
    }
    const who = this.context.who(ask);
    const { where } = this.context;
    render(
      html`${icon("shield")}<span>${where === "" ? strings.askedOf(who) : strings.askedIn(who, where)}</span>
        <button type="button" class="vc-button" @click=${() => this.show(lost as HTMLElement)}>${strings.showAsk}</button>`,
      this.note,
    );
    if (!this.note.isConnected) document.body.append(this.note);
  }

  private show(card: HTMLElement): void {
    card.scrollIntoView({ block: "center" });
    card.focus({ preventScroll: true });
  }

  private retitle(): void {
    const wanted = document.hidden && this.asks.length > 0;
    const marked = document.title.startsWith(MARK);
    if (wanted && !marked) document.title = MARK + document.title;
    if (!wanted && marked) document.title = document.title.slice(MARK.length);
  }
}
