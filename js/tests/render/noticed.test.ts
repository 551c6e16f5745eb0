import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { AskShown } from "../../src/protocol";
import { Noticed } from "../../src/render/asks/noticed";

type Seen = (entries: { target: Element; isIntersecting: boolean }[]) => void;

const ASK: AskShown = { id: "a1", kind: "confirmation", confirmation: { message: "", most_cost: null, model: "m" } };
let card: HTMLElement;
let noticed: Noticed;
let seen: Seen;

function hide(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

function note(): HTMLElement | null {
  return document.querySelector(".vc-asked-note");
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(callback: Seen) {
        seen = callback;
      }
      observe(): void {}
      unobserve(): void {}
      disconnect(): void {}
    },
  );
  document.title = "analysis.ipynb";
  card = Object.assign(document.createElement("section"), { tabIndex: -1, scrollIntoView: vi.fn() });
  card.dataset["ask"] = "a1";
  document.body.replaceChildren(card);
  noticed = new Noticed({ who: () => "files", where: "analysis.ipynb" });
});

afterEach(() => {
  noticed.dispose();
  hide(false);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a question that waits", () => {
  it("marks the tab's title while the page is hidden, and no longer", () => {
    noticed.update([ASK], [card]);
    expect(document.title).toBe("analysis.ipynb");
    hide(true);
    expect(document.title).toBe("(!) analysis.ipynb");
    hide(false);
    expect(document.title).toBe("analysis.ipynb");
    hide(true);
    noticed.update([], []);
    expect(document.title).toBe("analysis.ipynb");
  });

  it("out of sight is told in a note that leads there, a moment later", () => {
    noticed.update([ASK], [card]);
    seen([{ target: card, isIntersecting: false }]);
    expect(note()).toBeNull();
    vi.advanceTimersByTime(1000);
    expect(note()?.textContent).toContain("files is asking in analysis.ipynb");
    note()?.querySelector("button")?.click();
    expect(card.scrollIntoView).toHaveBeenCalledOnce();
    expect(document.activeElement).toBe(card);
    seen([{ target: card, isIntersecting: true }]);
    expect(note()).toBeNull();
  });

  it("that is answered takes its note along", () => {
    noticed.update([ASK], [card]);
    seen([{ target: card, isIntersecting: false }]);
    vi.advanceTimersByTime(1000);
    card.remove();
    noticed.update([], []);
    expect(note()).toBeNull();
  });
});
