import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Session } from "../src/session";
import { Host, Signal } from "./host";
import { message, question, state } from "./kernel";

function started(manager?: unknown): { host: Host; session: Session } {
  const host = new Host(manager);
  const session = new Session(host);
  host.say(state(1));
  return { host, session };
}

it("says hello once when it begins", () => {
  const host = new Host();
  new Session(host);
  expect(host.sent).toEqual([{ type: "hello" }]);
});

it("says hello again when a number is missing, once for each gap", () => {
  const { host } = started();
  host.say({ type: "notice", seq: 5, text: "", error: null }, { type: "notice", seq: 6, text: "", error: null });
  expect(host.sentOf("hello")).toHaveLength(2);
});

describe("asking", () => {
  it("sends the text with the selected model under a turn of its own", () => {
    const { host, session } = started();
    expect(session.ask("Why?")).toBe(true);
    const [sent] = host.sentOf("send");
    expect(sent).toMatchObject({ text: "Why?", model: "demo/echo" });
    expect(sent?.turn).toMatch(/^[0-9a-f]{24}$/);
  });

  it("sends what stands in the composer once the first state is there, when Enter came before it", () => {
    const host = new Host();
    const session = new Session(host);
    session.setDraft("Why?");
    session.ask("Why?");
    expect(host.sentOf("send")).toHaveLength(0);
    session.setDraft("Why not?");
    host.say(state(1));
    expect(host.sentOf("send")).toMatchObject([{ text: "Why not?" }]);
    expect(session.view.draft).toBe("");
  });

  it("sends nothing while an answer is under way", () => {
    const { host, session } = started();
    session.ask("One?");
    expect(session.ask("Two?")).toBe(false);
    expect(host.sentOf("send")).toHaveLength(1);
  });

  it("sends nothing that is blank, and nothing before the first state", () => {
    const host = new Host();
    const session = new Session(host);
    expect(session.ask("Why?")).toBe(false);
    host.say(state(1));
    expect(session.ask(" \n ")).toBe(false);
    expect(host.sentOf("send")).toEqual([]);
  });

  it("gives the text back when the comm is gone at that moment", () => {
    const { host, session } = started();
    session.setDraft("Why?");
    host.send = () => {
      throw new Error("Cannot send");
    };
    expect(session.ask("Why?")).toBe(false);
    expect(session.view).toMatchObject({ draft: "Why?", link: "gone" });
  });
});

it("stops a question that the kernel has not yet begun to answer, and asks only once", () => {
  const { host, session } = started();
  session.ask("Why?");
  session.stop();
  session.stop();
  expect(host.sentOf("stop")).toEqual([{ type: "stop", turn: host.sentOf("send")[0]?.turn }]);
});

it("gives all its views one state", () => {
  const { host, session } = started();
  let told = 0;
  session.subscribe(() => told++);
  session.subscribe(() => told++);
  host.say({ type: "composed", seq: 2, text: "x" });
  expect(told).toBe(2);
});

it("keeps no key", () => {
  const { host, session } = started();
  session.setKey("openai", "sk-invented");
  expect(host.sentOf("set_key")).toEqual([{ type: "set_key", provider: "openai", key: "sk-invented" }]);
  expect(JSON.stringify(session.view)).not.toContain("sk-invented");
});

describe("the kernel's connection", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function lab() {
    const sessionContext = {
      connectionStatusChanged: new Signal(),
      statusChanged: new Signal(),
      kernelChanged: new Signal(),
    };
    return { restored: new Signal(), context: { sessionContext } };
  }

  it("that comes back makes the panel ask for the state again", () => {
    const manager = lab();
    const { host, session } = started(manager);
    vi.advanceTimersByTime(10_000);
    manager.context.sessionContext.connectionStatusChanged.emit("connecting");
    expect(session.view.link).toBe("lost");
    manager.context.sessionContext.connectionStatusChanged.emit("connected");
    manager.restored.emit(undefined);
    expect(host.sentOf("hello")).toHaveLength(2);
    host.say(state(40, { messages: [question("Why?"), message({ text: "So." })] }));
    expect(session.view).toMatchObject({ link: "live", seq: 40 });
  });

  it.each(["restarting", "autorestarting", "terminating", "dead"])("is gone when the kernel is %s", (status) => {
    const manager = lab();
    const { session } = started(manager);
    manager.context.sessionContext.statusChanged.emit(status);
    expect(session.view.link).toBe("gone");
    expect(session.ask("Why?")).toBe(false);
  });

  it("is gone when the notebook changes its kernel, not when it gets its first", () => {
    const manager = lab();
    const { session } = started(manager);
    manager.context.sessionContext.kernelChanged.emit({ oldValue: null, newValue: { id: "a" } });
    expect(session.view.link).toBe("live");
    manager.context.sessionContext.kernelChanged.emit({ oldValue: { id: "a" }, newValue: { id: "b" } });
    expect(session.view.link).toBe("gone");
  });

  it("is gone when the comm closes", () => {
    const { host, session } = started();
    host.trigger("comm:close");
    expect(session.view.link).toBe("gone");
  });

  it("is said to be silent when hello stays unanswered, until a state comes", () => {
    const host = new Host();
    const session = new Session(host);
    vi.advanceTimersByTime(8_000);
    expect(session.view.link).toBe("silent");
    host.say(state(1));
    expect(session.view.link).toBe("live");
  });

  it("is no longer watched after the end", () => {
    const manager = lab();
    const { host, session } = started(manager);
    session.dispose();
    expect(manager.restored.count + manager.context.sessionContext.statusChanged.count).toBe(0);
    host.say(state(9));
    expect(session.view.seq).toBe(1);
  });

  it("is left alone where the host's stand-ins throw", () => {
    const manager = {
      get context(): never {
        throw new Error("not supported here");
      },
    };
    expect(() => new Session(new Host(manager))).not.toThrow();
  });
});
