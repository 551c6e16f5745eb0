/** What is attached to a question that is not sent outlives the page, and what is lost says so. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { REST_MS } from "../../src/composing/holding";
import { strings } from "../../src/composing/strings";
import { STORE } from "../../src/conversations/drafts";
import type { AttachmentShown, ErrorShown, KeepAttached, State } from "../../src/protocol";
import { Session } from "../../src/session";
import { Host } from "../host";
import { message, question, state } from "../kernel";

/** What a kernel remembers of attachments; another one after a restart. */
class Kernel {
  readonly kept = new Map<string, AttachmentShown>();
  seq = 1;

  /** Answers what a panel asks it to keep or to find. */
  answer(host: Host): void {
    for (const asked of host.sentOf("keep_attached").filter((one) => !this.done.has(one))) {
      this.done.add(asked);
      const buffers = [...(host.buffers[host.sent.indexOf(asked)] ?? [])];
      const attachments = asked.attachments.map(({ name, id }) => {
        if (id !== undefined) return this.kept.get(id) ?? { ...shown("", name, 0), problem: "Not here." };
        const fresh = shown(`k${this.kept.size + 1}/1`, name, buffers.shift()?.byteLength ?? 0);
        this.kept.set(fresh.id, fresh);
        return fresh;
      });
      host.say({ type: "fetched", seq: ++this.seq, number: asked.number, text: "", attachments, error: null });
    }
  }

  private readonly done = new Set<KeepAttached>();
}

function shown(id: string, name: string, size: number): AttachmentShown {
  return { id, name, size, media_type: "text/plain", preview: null };
}

const sessions: Session[] = [];
let kernel: Kernel;

function opened(parts: Partial<State> = {}): { session: Session; host: Host } {
  const host = new Host({ context: { path: "a.ipynb" } });
  const session = new Session(host);
  sessions.push(session);
  kernel.seq = 1;
  host.say(state(1, { conversation_id: "a", ...parts }));
  return { session, host };
}

/** Goes to another conversation as the user asks. */
function turn(session: Session, host: Host, to: string): void {
  void session.conversations.open(to);
  host.say(state(++kernel.seq, { conversation_id: to, messages: [question("Q"), message({ text: "A" })] }));
}

function leave(): void {
  window.dispatchEvent(new Event("pagehide"));
  for (const session of sessions.splice(0)) session.dispose();
}

/** A file as browsers have it; jsdom's cannot be read. */
function file(name: string, text: string): File {
  const bytes = () => Promise.resolve(new TextEncoder().encode(text).buffer as ArrayBuffer);
  return Object.assign(new File([text], name, { type: "text/plain" }), { arrayBuffer: bytes });
}

/** Attaches a file and lets the kernel keep it. */
async function attached(session: Session, host: Host, name: string, text: string): Promise<void> {
  session.attach([file(name, text)]);
  await vi.waitFor(() => expect(session.view.chips.at(-1)?.bytes).not.toBeNull());
  await vi.advanceTimersByTimeAsync(REST_MS);
  kernel.answer(host);
  await vi.advanceTimersByTimeAsync(400);
}

/** Lets the kernel answer what a panel asked at its opening. */
async function answered(host: Host): Promise<void> {
  kernel.answer(host);
  await vi.advanceTimersByTimeAsync(0);
}

const faces = (session: Session) => session.view.chips.map(({ name, size, id, problem }) => ({ name, size, id, problem }));

beforeEach(() => {
  vi.useFakeTimers();
  kernel = new Kernel();
});
afterEach(() => {
  leave();
  vi.useRealTimers();
});

describe("a draft's attachments", () => {
  test("are there after a reload, and go by the kernel's ids", async () => {
    const first = opened();
    first.session.setDraft("Why?");
    await attached(first.session, first.host, "a.txt", "one");
    leave();
    const { session, host } = opened();
    await answered(host);
    expect(faces(session)).toEqual([{ name: "a.txt", size: 3, id: "k1/1", problem: "" }]);
    expect(session.ask("Why?", session.view.chips)).toBe(true);
    expect(host.sentOf("send")[0]).toMatchObject({ text: "Why?", attachments: [{ name: "a.txt", id: "k1/1" }] });
    expect(host.buffers.flat()).toEqual([]);
    expect(localStorage.getItem(STORE)).toBe("{}");
  });

  test("stand in the browser's storage by name, size and id alone", async () => {
    const { session, host } = opened();
    await attached(session, host, "a.txt", "a very secret text");
    const stored = JSON.parse(localStorage.getItem(STORE) ?? "{}") as Record<string, object>;
    expect(stored["a"]).toMatchObject({ text: "", files: [{ name: "a.txt", size: 18, id: "k1/1" }] });
    expect(JSON.stringify({ ...localStorage })).not.toContain("secret");
  });

  test("stay with their conversation, and are not handed over twice", async () => {
    const { session, host } = opened();
    await attached(session, host, "a.txt", "one");
    turn(session, host, "b");
    expect(session.view.chips).toEqual([]);
    await attached(session, host, "b.txt", "three");
    turn(session, host, "a");
    expect(faces(session)).toEqual([{ name: "a.txt", size: 3, id: "k1/1", problem: "" }]);
    turn(session, host, "b");
    expect(session.view.chips.map((one) => one.name)).toEqual(["b.txt"]);
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    expect(host.buffers.flat().map((one) => one.byteLength)).toEqual([3, 5]);
  });

  test("are read to their end while another conversation is on show", async () => {
    const { session, host } = opened();
    session.attach([file("a.txt", "one")]);
    turn(session, host, "b");
    await vi.advanceTimersByTimeAsync(10);
    turn(session, host, "a");
    await vi.waitFor(() => expect(session.view.chips[0]?.bytes?.byteLength).toBe(3));
  });

  test("go along into a new conversation", async () => {
    const { session, host } = opened();
    await attached(session, host, "a.txt", "one");
    session.newConversation();
    host.say(state(++kernel.seq, { conversation_id: "n" }));
    leave();
    const next = opened({ conversation_id: "n" });
    await answered(next.host);
    expect(faces(next.session)).toEqual([{ name: "a.txt", size: 3, id: "k1/1", problem: "" }]);
  });

  test("are in a second panel of the conversation", async () => {
    const first = opened();
    await attached(first.session, first.host, "a.txt", "one");
    const second = opened();
    await answered(second.host);
    expect(faces(second.session)).toEqual([{ name: "a.txt", size: 3, id: "k1/1", problem: "" }]);
  });

  test("that were taken away do not come back", async () => {
    const { session, host } = opened();
    await attached(session, host, "a.txt", "one");
    session.detach(session.view.chips[0]!.key);
    leave();
    expect(opened().session.view.chips).toEqual([]);
  });

  test("go once over the connection when they are sent at once", async () => {
    const { session, host } = opened();
    session.setDraft("Why?");
    session.attach([file("a.txt", "one")]);
    session.ask("Why?", session.view.chips);
    await vi.waitFor(() => expect(host.sentOf("send")).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    expect(host.sentOf("keep_attached")).toEqual([]);
  });

  test("that the kernel refuses say why", async () => {
    const { session, host } = opened();
    session.attach([file("a.txt", "one")]);
    await vi.waitFor(() => expect(session.view.chips[0]?.bytes).not.toBeNull());
    await vi.advanceTimersByTimeAsync(REST_MS);
    const [{ number }] = host.sentOf("keep_attached") as [KeepAttached];
    const refused = [{ ...shown("", "a.txt", 0), problem: "Too large here." }];
    host.say({ type: "fetched", seq: 2, number, text: "", attachments: refused, error: null });
    await vi.advanceTimersByTimeAsync(0);
    expect(session.view.chips[0]?.problem).toBe("Too large here.");
  });

  test("that cannot be kept while the settings are wrong can be sent all the same", async () => {
    const { session, host } = opened();
    session.attach([file("a.txt", "one")]);
    await vi.waitFor(() => expect(session.view.chips[0]?.bytes).not.toBeNull());
    await vi.advanceTimersByTimeAsync(REST_MS);
    const [{ number }] = host.sentOf("keep_attached") as [KeepAttached];
    const error: ErrorShown = { kind: "ConfigError", message: "config.toml", fix: "" };
    host.say({ type: "fetched", seq: 2, number, text: "", attachments: [], error });
    await vi.advanceTimersByTimeAsync(2 * REST_MS);
    expect(host.sentOf("keep_attached")).toHaveLength(1);
    expect(session.ask("Why?", session.view.chips)).toBe(true);
  });
});

describe("nothing attached is silently lost", () => {
  test("when the kernel was restarted: the chip says so, and the file attached again takes its place", async () => {
    const before = opened();
    before.session.setDraft("Why?");
    await attached(before.session, before.host, "a.txt", "one");
    leave();
    kernel = new Kernel();
    const { session, host } = opened({ conversation_id: "n" });
    await vi.advanceTimersByTimeAsync(2000);
    await answered(host);
    expect(session.view.draft).toBe("Why?");
    expect(faces(session)).toEqual([{ name: "a.txt", size: 3, id: null, problem: strings.gone }]);
    expect(session.ask("Why?", session.view.chips)).toBe(false);
    await attached(session, host, "a.txt", "one again");
    expect(faces(session)).toEqual([{ name: "a.txt", size: 9, id: "k1/1", problem: "" }]);
  });

  test("when the page went before the kernel had it", async () => {
    const { session } = opened();
    session.attach([file("a.txt", "one")]);
    leave();
    expect(faces(opened().session)).toEqual([{ name: "a.txt", size: 3, id: null, problem: strings.unkept }]);
  });

  test("when another kernel answers the same page: it is handed over once more", async () => {
    const { session, host } = opened();
    await attached(session, host, "a.txt", "one");
    kernel = new Kernel();
    session.live(false);
    session.live(true);
    host.say(state((kernel.seq = 3), { conversation_id: "a" }));
    await answered(host);
    await vi.advanceTimersByTimeAsync(REST_MS);
    await answered(host);
    expect(faces(session)).toEqual([{ name: "a.txt", size: 3, id: "k1/1", problem: "" }]);
    expect([...kernel.kept.values()].map((one) => one.size)).toEqual([3]);
  });

  test("when the question of another conversation is refused", () => {
    const { session, host } = opened({ conversation_id: "b" });
    const error = { kind: "LimitReached", message: "No.", fix: "" };
    host.say({ type: "refused", seq: 2, turn: "t", text: "Dear?", error, conversation: "a", attachments: [shown("q/1", "a.txt", 3)] });
    turn(session, host, "a");
    expect(session.view.draft).toBe("Dear?");
    expect(session.view.chips[0]).toMatchObject({ name: "a.txt", id: "q/1" });
  });

  test("when a draft of the notebook turns up after something else was typed", async () => {
    opened().session.setDraft("old");
    leave();
    const { session } = opened({ conversation_id: "n" });
    session.setDraft("new");
    await vi.advanceTimersByTimeAsync(3000);
    expect(session.view.draft).toBe("new");
    leave();
    expect(opened({ conversation_id: "a" }).session.view.draft).toBe("old");
  });
});

test("a variable that was not to be sent is not sent after a reload either", async () => {
  const first = opened();
  first.session.setDraft("Explain @df and @secret");
  first.session.variables.dismiss("secret");
  leave();
  const { session } = opened();
  const sent = session.variables.toSend(session.view.draft, []).map((one) => one.path);
  expect(sent).toEqual(["df"]);
  session.setDraft("");
  session.setDraft("Explain @secret");
  expect(session.variables.toSend(session.view.draft, [])).toHaveLength(1);
});
