import { describe, expect, it } from "vitest";

import type { FromPanel, ToPanel } from "../src/protocol";
import { Pager } from "../src/paging";
import { EMPTY, apply, type View } from "../src/store";
import { message, state } from "./kernel";

const ids = (view: View) => view.messages.map((m) => m.id);
const some = (...names: string[]) => names.map((id) => message({ id }));
const after = (view: View, ...messages: ToPanel[]) => messages.reduce((now, m) => apply(now, m).view, view);
const opened = () => after(EMPTY, state(1, { messages: some("c", "d"), earlier: 2 }));
const page = (seq: number, before: string, left: number, ...names: string[]): ToPanel => ({
  type: "earlier",
  seq,
  before,
  messages: some(...names),
  left,
});

describe("older messages", () => {
  it("stand before those there are", () => {
    const view = after(opened(), page(2, "c", 1, "b"), page(3, "b", 0, "a"));
    expect(ids(view)).toEqual(["a", "b", "c", "d"]);
    expect(view.earlier).toBe(0);
  });

  it("that were brought before change nothing", () => {
    const view = after(opened(), page(2, "c", 1, "b"), page(3, "c", 1, "b"));
    expect(ids(view)).toEqual(["b", "c", "d"]);
    expect(view.earlier).toBe(1);
  });

  it("stay when the state comes again, with what was shown of their long texts", () => {
    const long = { ...page(2, "c", 1, "b"), messages: [message({ id: "b", more: 9 })] } as ToPanel;
    const more: ToPanel = { type: "more", seq: 3, message: "b", more: 9, text: "rest", left: 5 };
    const view = after(opened(), long, more, state(9, { messages: some("c", "d", "e"), earlier: 2 }));
    expect(ids(view)).toEqual(["b", "c", "d", "e"]);
    expect(view.earlier).toBe(1);
    expect(view.rests["b"]).toEqual(["rest"]);
    expect(view.messages[0]?.more).toBe(5);
  });

  it("go when they no longer lead up to what a state has", () => {
    const before = after(opened(), page(2, "c", 1, "b"));
    expect(ids(after(before, state(9, { messages: some("c", "d"), earlier: 1 })))).toEqual(["c", "d"]);
    expect(ids(after(before, state(9, { messages: some("x", "y"), earlier: 2 })))).toEqual(["x", "y"]);
    const other = state(9, { conversation_id: "c2", messages: some("c", "d"), earlier: 2 });
    expect(ids(after(before, other))).toEqual(["c", "d"]);
  });
});

describe("asking for them", () => {
  it("is done once for each first message, and again after a new state", () => {
    let view = opened();
    const sent: FromPanel[] = [];
    const pager = new Pager(
      () => view,
      (one) => sent.push(one) > 0,
    );
    pager.ask();
    pager.ask();
    expect(sent).toHaveLength(1);
    pager.forget();
    pager.ask();
    expect(sent).toHaveLength(2);
    view = after(view, page(2, "c", 0, "a", "b"));
    pager.ask();
    expect(sent).toHaveLength(2);
  });

  it("waits while the panel waits for a state", () => {
    const sent: FromPanel[] = [];
    const pager = new Pager(
      () => ({ ...opened(), seq: null }),
      (one) => sent.push(one) > 0,
    );
    pager.ask();
    expect(sent).toEqual([]);
  });
});
