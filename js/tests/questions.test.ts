import { afterEach, beforeEach, expect, it, vi } from "vitest";

import questions from "../src/questions";
import { Host } from "./host";

let host: Host;
let el: HTMLElement;
let dispose: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  dispose = questions.render({ model: host, el });
});

afterEach(() => {
  dispose();
  vi.useRealTimers();
});

const approval = {
  plugin: "git",
  tool: "log",
  title: "",
  description: "",
  arguments: '{"count": 3}',
  call_id: "",
  read_only: false,
  destructive: false,
  changed: false,
};

it("says that it is drawn until it is asked, for the first words wait for a running cell", () => {
  expect(host.sent).toEqual([{ type: "ready" }]);
  vi.advanceTimersByTime(1000);
  expect(host.sent.length).toBe(4);
  host.say({ type: "asked", seq: 1, ask: { id: "q", kind: "approval", approval } });
  vi.advanceTimersByTime(5000);
  expect(host.sent.length).toBe(4);
});

it("does not say so for ever", () => {
  vi.advanceTimersByTime(100_000);
  expect(host.sent.length).toBe(50);
});

it("sends the answer, but not to a click that came too early to be meant", () => {
  host.say({ type: "asked", seq: 1, ask: { id: "q", kind: "approval", approval } });
  const button = () => el.querySelector<HTMLButtonElement>("button");
  expect(button()?.disabled).toBe(true);
  vi.advanceTimersByTime(600);
  button()?.click();
  expect(host.sent.at(-1)).toEqual({ type: "ask_answer", ask: "q", choice: "once" });
  host.say({ type: "ask_ended", seq: 2, ask: "q" });
  expect(el.textContent?.trim()).toBe("");
});
