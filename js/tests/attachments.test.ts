// @vitest-environment node
import { describe, expect, it, vi } from "vitest";

import { chip, packed, problems, returned, sendable } from "../src/chips";
import { Session } from "../src/session";
import { EMPTY, apply, asked, linked, type View } from "../src/store";
import { Host } from "./host";
import { message, question, state } from "./kernel";

const LIMITS = { each: 100, total: 150 };
const bytes = (size: number) => new ArrayBuffer(size);
const file = (name: string, text: string, type = "text/plain") => new File([text], name, { type });

function opened(): { host: Host; session: Session } {
  const host = new Host();
  const session = new Session(host);
  host.say(state(1, { upload_limit: 100, upload_total: 150 }));
  return { host, session };
}

/** Until the session's chips are read. */
async function read(session: Session): Promise<void> {
  while (!sendable(session.view.chips, { each: 1e9, total: 1e9 })) await new Promise((done) => setTimeout(done, 1));
}

describe("limits", () => {
  it("count for each attachment and for all that go over the connection together", () => {
    const chips = [
      chip({ name: "a", size: 101, bytes: bytes(101) }),
      chip({ name: "b", size: 90, bytes: bytes(90) }),
      chip({ name: "c", size: 61, bytes: bytes(61) }),
      chip({ name: "d", size: 99, id: "m1/1" }),
    ];
    expect(problems(chips, LIMITS)).toEqual([
      "Too large: the limit is 100 B.",
      "",
      "Too much at once: one question takes 150 B.",
      "",
    ]);
    expect(sendable(chips, LIMITS)).toBe(false);
    expect(sendable([chips[1]!, chips[3]!], LIMITS)).toBe(true);
  });
});

describe("a question with attachments", () => {
  it("carries their names, and their bytes as buffers", async () => {
    const { host, session } = opened();
    session.attach([file("a.txt", "one"), file("b.txt", "three")]);
    await read(session);
    expect(session.ask("Why?", session.view.chips)).toBe(true);
    const [sent] = host.sentOf("send");
    expect(sent?.attachments).toEqual([{ name: "a.txt" }, { name: "b.txt" }]);
    expect(host.buffers.at(-1)?.map((b) => b.byteLength)).toEqual([3, 5]);
    expect(session.view.chips).toEqual([]);
  });

  it("goes once its files are read, when Enter came before", async () => {
    const { host, session } = opened();
    session.setDraft("Why?");
    session.attach([file("a.txt", "one")]);
    expect(session.ask("Why?", session.view.chips)).toBe(false);
    await vi.waitFor(() => expect(host.sentOf("send")).toHaveLength(1));
    expect(host.sentOf("send")[0]).toMatchObject({ text: "Why?", attachments: [{ name: "a.txt" }] });
  });

  it("stays while one is over the limit, which is never read", () => {
    const { host, session } = opened();
    session.attach([file("big.txt", "x".repeat(101))]);
    expect(session.ask("Why?", session.view.chips)).toBe(false);
    expect(host.sentOf("send")).toEqual([]);
    expect(session.view.chips[0]?.bytes).toBeNull();
  });

  it("says of what cannot be read that it cannot", async () => {
    const { session } = opened();
    const folder = Object.assign(file("folder", ""), { arrayBuffer: () => Promise.reject(new Error("a folder")) });
    session.attach([folder]);
    await Promise.resolve().then(() => Promise.resolve());
    expect(session.view.chips[0]?.problem).toContain("cannot be read");
  });

  it("can go without a word", async () => {
    const { host, session } = opened();
    session.attach([file("a.txt", "one")]);
    await read(session);
    expect(session.ask("", session.view.chips)).toBe(true);
    expect(host.sentOf("send")[0]?.text).toBe("");
  });
});

describe("nothing attached is lost", () => {
  const ready: View = apply(EMPTY, state(1)).view;
  const plot = chip({ name: "plot.png", size: 9, bytes: bytes(9), preview: "data:image/png;base64,AAAA" });
  const shown = { id: "q1/1", name: "plot.png", media_type: "image/png", size: 9, preview: null };
  const error = { kind: "LimitReached", message: "No room.", fix: "" };

  function sent(): View {
    return asked({ ...ready, draft: "Why?", chips: [plot] }, "t1", "Why?", [plot]);
  }

  it("when the question is refused before it started", () => {
    const view = apply({ ...ready, ...sent(), chips: [] }, { type: "refused", seq: 2, turn: "t1", text: "Why?", error }).view;
    expect(view.chips).toEqual([plot]);
  });

  it("when it is refused after it started, and then goes by its id", () => {
    const started = apply(
      { ...sent(), chips: [] },
      {
        type: "turn_started",
        seq: 2,
        turn: "t1",
        question: question("Why?", { turn: "t1", attachments: [shown] }),
        answer: message({ turn: "t1", status: "streaming" }),
      },
    ).view;
    expect(started.messages[0]?.attachments?.[0]?.preview).toBe(plot.preview);
    const view = apply(started, { type: "refused", seq: 3, turn: "t1", text: "Why?", error, attachments: [shown] }).view;
    expect(view.chips[0]).toMatchObject({ name: "plot.png", id: "q1/1", preview: plot.preview });
    expect(packed(view.chips)).toEqual({ attachments: [{ name: "plot.png", id: "q1/1" }], buffers: [] });
  });

  it("when the kernel refuses one of them, which says so", () => {
    const refused = { ...shown, id: "", size: 0, problem: "Too large." };
    const view = apply({ ...sent(), chips: [] }, { type: "refused", seq: 2, turn: "t1", text: "Why?", error, attachments: [refused] });
    expect(view.view.chips[0]).toMatchObject({ name: "plot.png", size: 9, problem: "Too large.", bytes: plot.bytes });
  });

  it("when the kernel is gone", () => {
    expect(linked({ ...sent(), chips: [] }, "gone").chips).toEqual([plot]);
  });
});

describe("previews", () => {
  it("of the kernel are drawn only when they are pictures by their address", () => {
    const bad = { id: "q/1", name: "x", media_type: "image/png", size: 1, preview: "javascript:alert(1)" };
    const svg = { ...bad, preview: "data:image/svg+xml;base64,AAAA" };
    const view = apply(EMPTY, state(1, { messages: [question("Why?", { attachments: [bad, svg] })] })).view;
    expect(view.messages[0]?.attachments?.map((a) => a.preview)).toEqual([null, null]);
  });

  it("outlive a state that leaves them out", () => {
    const known = { id: "q/1", name: "x", media_type: "image/png", size: 1, preview: "data:image/png;base64,AAAA" };
    const first = apply(EMPTY, state(1, { messages: [question("Why?", { attachments: [known] })] })).view;
    const next = apply(first, state(2, { messages: [question("Why?", { attachments: [{ ...known, preview: null }] })] }));
    expect(next.view.messages[0]?.attachments?.[0]?.preview).toBe(known.preview);
  });

  it("are what a question asked again has", () => {
    const again = returned([{ id: "q/1", name: "x", media_type: "image/png", size: 1, preview: "data:image/png;base64,AAAA" }], []);
    expect(again[0]).toMatchObject({ id: "q/1", bytes: null, preview: "data:image/png;base64,AAAA" });
  });
});

describe("a long text", () => {
  const long = message({ id: "a1", text: "beginning", more: 500 });

  it("gets its next piece once, though two views asked", () => {
    const view = apply(EMPTY, state(1, { messages: [long] })).view;
    const piece = { type: "more", message: "a1", more: 500, text: "then this", left: 100 } as const;
    const once = apply(view, { ...piece, seq: 2 }).view;
    const twice = apply(once, { ...piece, seq: 3 }).view;
    expect(twice.rests).toEqual({ a1: ["then this"] });
    expect(twice.messages[0]?.more).toBe(100);
  });

  it("asks for what is left", () => {
    const { host, session } = opened();
    host.say(state(2, { messages: [long] }));
    session.showMore("a1");
    expect(host.sentOf("show_more")).toEqual([{ type: "show_more", message: "a1", more: 500 }]);
  });

  it("counts what is kept back while it arrives", () => {
    const live = message({ id: "a1", turn: "t1", status: "streaming", text: "beginning" });
    const view = apply(EMPTY, state(1, { messages: [live] })).view;
    expect(apply(view, { type: "deltas", seq: 2, deltas: [{ turn: "t1", more: 70 }] }).view.messages[0]?.more).toBe(70);
  });
});
