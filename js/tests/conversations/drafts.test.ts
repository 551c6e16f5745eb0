/** Drafts stay with their conversation, through reloads and restarts. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { STORE } from "../../src/conversations/drafts";
import type { State } from "../../src/protocol";
import { Session } from "../../src/session";
import { Host } from "../host";
import { message, question, state } from "../kernel";
import { done, talk } from "./talks";

const sessions: Session[] = [];

function opened(parts: Partial<State>, path = "a.ipynb"): { session: Session; host: Host } {
  const host = new Host({ context: { path } });
  const session = new Session(host);
  sessions.push(session);
  host.say(state(1, parts));
  return { session, host };
}

function kept(): Record<string, { text: string }> {
  return JSON.parse(localStorage.getItem(STORE) ?? "{}") as Record<string, { text: string }>;
}

/** The page goes, and with it all that it held. */
function leave(): void {
  window.dispatchEvent(new Event("pagehide"));
  for (const session of sessions.splice(0)) session.dispose();
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  leave();
  vi.useRealTimers();
});

const talked = { messages: [question("Q"), message({ text: "A" })] };

describe("a draft", () => {
  test("is there after a reload, and gone once it is sent", () => {
    opened({ conversation_id: "a" }).session.setDraft("half");
    leave();
    const { session } = opened({ conversation_id: "a" });
    expect(session.view.draft).toBe("half");
    session.ask("half");
    expect(kept()).toEqual({});
  });

  test("is written shortly after the last key", () => {
    const { session } = opened({ conversation_id: "a" });
    session.setDraft("h");
    session.setDraft("ha");
    expect(kept()).toEqual({});
    vi.advanceTimersByTime(400);
    expect(kept()["a"]?.text).toBe("ha");
  });

  test("stays with its conversation when another is opened", () => {
    const { session, host } = opened({ conversation_id: "a" });
    session.setDraft("for a");
    void session.conversations.open("b");
    host.say(state(2, { conversation_id: "b", ...talked }));
    expect(session.view.draft).toBe("");
    session.setDraft("for b");
    void session.conversations.open("a");
    host.say(state(3, { conversation_id: "a" }));
    expect(session.view.draft).toBe("for a");
    expect(kept()["b"]?.text).toBe("for b");
  });

  test("goes along into a new conversation", () => {
    const { session, host } = opened({ conversation_id: "a" });
    session.setDraft("typed");
    session.newConversation();
    host.say(state(2, { conversation_id: "n" }));
    expect(session.view.draft).toBe("typed");
    expect(Object.keys(kept())).toEqual(["n"]);
  });

  test("is taken up by the notebook's next conversation after a restart, but not by another notebook's", () => {
    const { session, host } = opened({ conversation_id: "a", ...talked });
    session.setDraft("before the restart");
    host.trigger("comm:close");
    vi.advanceTimersByTime(400);
    const other = opened({ conversation_id: "x" }, "b.ipynb").session;
    const next = opened({ conversation_id: "n" }).session;
    vi.advanceTimersByTime(2000);
    expect(other.view.draft).toBe("");
    expect(next.view.draft).toBe("before the restart");
    leave();
    expect(Object.keys(kept())).toEqual(["n"]);
  });

  test("of another panel on the page is left to it", () => {
    const { session } = opened({ conversation_id: "a" });
    session.setDraft("mine");
    vi.advanceTimersByTime(400);
    const beside = opened({ conversation_id: "n" }).session;
    vi.advanceTimersByTime(2000);
    expect(beside.view.draft).toBe("");
  });

  test("never takes the place of what was typed meanwhile", () => {
    opened({ conversation_id: "a" }).session.setDraft("old");
    leave();
    const host = new Host({ context: { path: "a.ipynb" } });
    const session = new Session(host);
    sessions.push(session);
    session.setDraft("new");
    host.say(state(1, { conversation_id: "a" }));
    expect(session.view.draft).toBe("new");
  });

  test("lives without storage as long as the page", () => {
    const refusing = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("no", "QuotaExceededError");
    });
    localStorage.setItem = refusing as never;
    const { session, host } = opened({ conversation_id: "a" });
    session.setDraft("half");
    vi.advanceTimersByTime(400);
    void session.conversations.open("b");
    host.say(state(2, { conversation_id: "b", ...talked }));
    expect(session.view.draft).toBe("");
    void session.conversations.open("a");
    host.say(state(3, { conversation_id: "a" }));
    expect(session.view.draft).toBe("half");
    expect(kept()).toEqual({});
    vi.restoreAllMocks();
    session.setDraft("");
  });

  test("that was stored by somebody else is no trouble", () => {
    localStorage.setItem(STORE, '{"a": {"text": 7}, "b": null}');
    expect(opened({ conversation_id: "a" }).session.view.draft).toBe("");
  });
});

describe("a turn of a conversation that is not on show", () => {
  test("adds nothing to the one that is", () => {
    const { session, host } = opened({ conversation_id: "b", ...talked });
    const question_ = question("Elsewhere", { turn: "t" });
    host.say({ type: "turn_started", seq: 2, turn: "t", question: question_, answer: message({ turn: "t" }), conversation: "a" });
    host.say({ type: "deltas", seq: 3, deltas: [{ turn: "t", text: "x" }] });
    host.say({ type: "turn_ended", seq: 4, turn: "t", answer: message({ text: "x" }), total_cost: "9", unpriced: 0 });
    expect(session.view.messages.map((m) => m.text)).toEqual(["Q", "A"]);
    expect(session.view.totalCost).toBeNull();
    expect(session.view.seq).toBe(4);
  });

  test("goes back to its own draft when it is refused", () => {
    const { session, host } = opened({ conversation_id: "b", ...talked });
    const error = { kind: "LimitReached", message: "No.", fix: "" };
    host.say({ type: "refused", seq: 2, turn: "t", text: "Expensive?", error, conversation: "a" });
    expect(session.view.draft).toBe("");
    expect(session.view.notice?.error).toEqual(error);
    expect(kept()["a"]?.text).toBe("Expensive?");
  });
});

test("a new title reaches the panel that shows the conversation", () => {
  const { session, host } = opened({ conversation_id: "a" });
  host.say(done(2, 1, [talk("a", { title: "Better" })]));
  expect(session.view.title).toBe("Better");
});
