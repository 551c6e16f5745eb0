import { describe, expect, it } from "vitest";

import type { ToPanel } from "../src/protocol";
import { EMPTY, apply, asked, linked, running, stopped, type View } from "../src/store";
import { message, question, state } from "./kernel";

const error = { kind: "LimitReached", message: "The limit is reached", fix: "Raise it" };

function after(view: View, ...messages: ToPanel[]): View {
  return messages.reduce((current, m) => apply(current, m).view, view);
}

function streaming(turn = "t1", seq = 1): View {
  return after(EMPTY, state(seq), {
    type: "turn_started",
    seq: seq + 1,
    turn,
    question: question("Why?"),
    answer: message({ id: `a-${turn}`, status: "streaming", turn }),
  });
}

describe("sequence numbers", () => {
  it("takes nothing of a conversation before the first state", () => {
    const { view, resync } = apply(EMPTY, { type: "deltas", seq: 1, deltas: [{ turn: "t1", text: "x" }] });
    expect(view).toBe(EMPTY);
    expect(resync).toBe(false);
  });

  it("shows a notice without a state, which may say why there is none", () => {
    const { view } = apply(EMPTY, { type: "notice", seq: 1, text: "", error });
    expect(view).toMatchObject({ seq: null, ready: false, notice: { error } });
  });

  it("asks for the whole state once when a number is missing, and changes nothing", () => {
    const before = streaming();
    const gap = apply(before, { type: "deltas", seq: 4, deltas: [{ turn: "t1", text: "late" }] });
    expect(gap.resync).toBe(true);
    expect(gap.view.messages).toBe(before.messages);
    const next = apply(gap.view, { type: "deltas", seq: 5, deltas: [{ turn: "t1", text: "later" }] });
    expect(next.resync).toBe(false);
    expect(next.view.messages).toBe(before.messages);
  });

  it("goes on after the state that answers a gap", () => {
    const gap = after(streaming(), { type: "notice", seq: 9, text: "", error: null });
    const answer = message({ id: "a-t1", status: "streaming", turn: "t1", text: "so far" });
    const view = after(gap, state(10, { messages: [answer] }), {
      type: "deltas",
      seq: 11,
      deltas: [{ turn: "t1", text: " and on" }],
    });
    expect(view.messages[0]?.text).toBe("so far and on");
  });

  it("drops what it has already taken", () => {
    const delta: ToPanel = { type: "deltas", seq: 3, deltas: [{ turn: "t1", text: "once" }] };
    expect(after(streaming(), delta, delta).messages[1]?.text).toBe("once");
  });

  it("counts a message of a kind it does not know", () => {
    const unknown = { type: "weather", seq: 3 } as unknown as ToPanel;
    const view = after(streaming(), unknown, { type: "deltas", seq: 4, deltas: [{ turn: "t1", text: "x" }] });
    expect(view.messages[1]?.text).toBe("x");
  });
});

describe("a turn", () => {
  it("replaces the pending question by the stored one", () => {
    const view = asked(after(EMPTY, state(1)), "t1", "Why?");
    expect(running(view)).toEqual(["t1"]);
    const started = after(view, {
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: question("Why?"),
      answer: message({ status: "streaming", turn: "t1" }),
    });
    expect(started.pending).toEqual([]);
    expect(started.messages.map((m) => m.role)).toEqual(["user", "assistant"]);
    expect(running(started)).toEqual(["t1"]);
  });

  it("grows by text, thinking and notes", () => {
    const view = after(
      streaming(),
      { type: "deltas", seq: 3, deltas: [{ turn: "t1", thinking: "Hm. ", notes: ["retried"] }] },
      { type: "deltas", seq: 4, deltas: [{ turn: "t1", text: "Because", thinking: "Yes." }] },
      { type: "deltas", seq: 5, deltas: [{ turn: "t1", text: " so.", notes: ["cached"] }] },
    );
    expect(view.messages[1]).toMatchObject({ text: "Because so.", thinking: "Hm. Yes.", notes: ["retried", "cached"] });
  });

  it("merges a tool call that changed into the ones it has", () => {
    const call = (id: string, result: string | null) => ({ id, name: "add", arguments: "{}", result, is_error: false });
    const view = after(
      streaming(),
      { type: "deltas", seq: 3, deltas: [{ turn: "t1", tools: [call("1", null), call("2", null)] }] },
      { type: "deltas", seq: 4, deltas: [{ turn: "t1", tools: [call("1", "3")] }] },
    );
    expect(view.messages[1]?.tools.map((t) => [t.id, t.result])).toEqual([["1", "3"], ["2", null]]);
  });

  it("streams beside another without mixing", () => {
    const two = after(streaming("t1"), {
      type: "turn_started",
      seq: 3,
      turn: "t2",
      question: question("And?"),
      answer: message({ id: "a-t2", status: "streaming", turn: "t2" }),
    });
    const view = after(two, { type: "deltas", seq: 4, deltas: [{ turn: "t2", text: "two" }, { turn: "t1", text: "one" }] });
    expect(view.messages.filter((m) => m.role === "assistant").map((m) => m.text)).toEqual(["one", "two"]);
    expect(running(view)).toEqual(["t1", "t2"]);
  });

  it("ends with the kernel's text, whatever was streamed", () => {
    const view = after(
      streaming(),
      { type: "deltas", seq: 3, deltas: [{ turn: "t1", text: "half of" }] },
      {
        type: "turn_ended",
        seq: 4,
        turn: "t1",
        answer: message({ id: "a-t1", text: "The whole text", cost: "0.01", cost_source: "priced" }),
        total_cost: "0.03",
        unpriced: 1,
      },
    );
    expect(view.messages[1]).toMatchObject({ text: "The whole text", status: "complete", turn: null });
    expect(view).toMatchObject({ totalCost: "0.03", unpriced: 1 });
    expect(running(view)).toEqual([]);
  });

  it("that belongs to a conversation left behind changes nothing", () => {
    const left = after(streaming(), state(3, { conversation_id: "c2", total_cost: null }));
    const view = after(left, {
      type: "turn_ended",
      seq: 4,
      turn: "t1",
      answer: message({ id: "a-t1", text: "late" }),
      total_cost: "5",
      unpriced: 0,
    });
    expect(view.messages).toEqual([]);
    expect(view.totalCost).toBeNull();
  });

  it("is stopping until it has ended", () => {
    const view = stopped(streaming(), ["t1"]);
    expect(view.stopping).toEqual(["t1"]);
    const ended: ToPanel = {
      type: "turn_ended",
      seq: 3,
      turn: "t1",
      answer: message({ id: "a-t1", status: "cancelled" }),
      total_cost: null,
      unpriced: 0,
    };
    expect(after(view, ended).stopping).toEqual([]);
  });
});

describe("typed text", () => {
  const refused = (text: string, seq = 2): ToPanel => ({ type: "refused", seq, turn: "t1", text, error });

  it("leaves the composer when it is sent", () => {
    const view = asked({ ...after(EMPTY, state(1)), draft: "Why?" }, "t1", "Why?");
    expect(view.draft).toBe("");
  });

  it("stays in the composer when something else is sent", () => {
    const view = asked({ ...after(EMPTY, state(1)), draft: "half typed" }, "t1", "An example");
    expect(view.draft).toBe("half typed");
  });

  it("comes back before anything newly typed when the question is refused", () => {
    const sent = { ...asked(after(EMPTY, state(1)), "t1", "Why?"), draft: "newly typed" };
    const view = after(sent, refused("Why?"));
    expect(view.draft).toBe("Why?\nnewly typed");
    expect(view.notice?.error).toEqual(error);
    expect(running(view)).toEqual([]);
  });

  it("comes back from a turn that had started, and takes the turn's messages along", () => {
    const started = after(EMPTY, state(1), {
      type: "turn_started",
      seq: 2,
      turn: "t1",
      question: { ...question("Why?"), turn: "t1" },
      answer: message({ id: "a-t1", status: "streaming", turn: "t1" }),
    });
    const view = after({ ...started, draft: "newly typed" }, refused("Why?", 3));
    expect(view.messages).toEqual([]);
    expect(view.draft).toBe("Why?\nnewly typed");
    expect(running(view)).toEqual([]);
  });

  it("comes back once, though the next state repeats it", () => {
    const view = after(asked(after(EMPTY, state(1)), "t1", "Why?"), refused("Why?"), state(3, { draft: "Why?" }));
    expect(view.draft).toBe("Why?");
  });

  it("that another page sent does not push aside what is typed here", () => {
    const view = after({ ...after(EMPTY, state(1)), draft: "mine" }, refused("theirs"));
    expect(view.draft).toBe("mine");
  });

  it("kept by the kernel is in the composer after a reload", () => {
    expect(after(EMPTY, state(7, { draft: "not sent" })).draft).toBe("not sent");
  });

  it("goes back to the composer when the kernel is gone before it answered", () => {
    const view = linked({ ...asked(after(EMPTY, state(1)), "t1", "Why?"), draft: "and" }, "gone");
    expect(view.draft).toBe("Why?\nand");
    expect(view.pending).toEqual([]);
  });

  it("from the kernel is added to what is there", () => {
    const view = after({ ...after(EMPTY, state(1)), draft: "mine" }, { type: "composed", seq: 2, text: "more" });
    expect(view.draft).toBe("mine\nmore");
  });
});

describe("a state", () => {
  it("older than a question leaves the question pending", () => {
    const view = after(asked(after(EMPTY, state(1)), "t1", "Why?"), state(2));
    expect(view.pending.map((p) => p.text)).toEqual(["Why?"]);
  });

  it("that holds the question ends its waiting, also when the turn is already over", () => {
    const sent = asked(after(EMPTY, state(1)), "t1", "Why?");
    const view = after(sent, state(2, { messages: [question("Why?"), message({ text: "So." })] }));
    expect(view.pending).toEqual([]);
  });

  it("does not take an older question of the same words for the pending one", () => {
    const old = question("Why?");
    const sent = asked(after(EMPTY, state(1, { messages: [old] })), "t1", "Why?");
    expect(after(sent, state(2, { messages: [old] })).pending).toHaveLength(1);
  });

  it("of another conversation clears notices and what was pending", () => {
    const sent = asked({ ...after(EMPTY, state(1)), notice: { text: "x", error: null } }, "t1", "Why?");
    const view = after(sent, state(2, { conversation_id: "c2" }));
    expect(view.pending).toEqual([]);
    expect(view.notice).toBeNull();
  });

  it("brings a panel back whose kernel seemed gone", () => {
    expect(after(linked(after(EMPTY, state(1)), "gone"), state(5)).link).toBe("live");
  });
});
