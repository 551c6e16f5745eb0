import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Session } from "../src/session";
import { Host } from "./host";
import { state } from "./kernel";

/** Sends by a request of its own, as marimo does. */
class Asynchronous extends Host {
  down = false;

  override send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): Promise<void> {
    super.send(content, callbacks, buffers);
    return this.down ? Promise.reject(new Error("500")) : Promise.resolve();
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function failed(): Promise<{ host: Asynchronous; session: Session }> {
  const host = new Asynchronous();
  const session = new Session(host);
  host.say(state(1));
  host.down = true;
  session.ask("Why?");
  await vi.advanceTimersByTimeAsync(0);
  return { host, session };
}

it("gives a question back that did not arrive, and says that the kernel is gone", async () => {
  const { session } = await failed();
  expect(session.view).toMatchObject({ link: "gone", draft: "Why?", pending: [] });
});

it("asks for the state until it is answered, and goes on then", async () => {
  const { host, session } = await failed();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(host.sentOf("hello").length).toBeGreaterThan(5);
  expect(session.view.link).toBe("gone");
  host.down = false;
  await vi.advanceTimersByTimeAsync(3_000);
  const asked = host.sentOf("hello").length;
  host.say(state(7));
  expect(session.view.link).toBe("live");
  await vi.advanceTimersByTimeAsync(20_000);
  expect(host.sentOf("hello")).toHaveLength(asked);
});

it("asks no more once it is disposed", async () => {
  const { host, session } = await failed();
  const asked = host.sentOf("hello").length;
  session.dispose();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(host.sentOf("hello")).toHaveLength(asked);
});
