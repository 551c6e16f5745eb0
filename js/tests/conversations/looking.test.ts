/** When the kernel is told that somebody looks. */
import { expect, test, vi } from "vitest";

import { Looking } from "../../src/conversations/looking";

test("somebody who comes back or touches the panel looks; nobody else does", () => {
  vi.useFakeTimers();
  const root = document.createElement("div");
  const tell = vi.fn();
  const looking = new Looking(root, tell);
  vi.advanceTimersByTime(600_000);
  expect(tell).not.toHaveBeenCalled();
  root.dispatchEvent(new Event("pointerenter"));
  root.dispatchEvent(new Event("focusin"));
  expect(tell).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(5_000);
  root.dispatchEvent(new Event("keydown"));
  expect(tell).toHaveBeenCalledTimes(1);
  window.dispatchEvent(new Event("focus"));
  document.dispatchEvent(new Event("visibilitychange"));
  expect(tell).toHaveBeenCalledTimes(2);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  vi.advanceTimersByTime(120_000);
  document.dispatchEvent(new Event("visibilitychange"));
  root.dispatchEvent(new Event("keydown"));
  expect(tell).toHaveBeenCalledTimes(2);
  looking.dispose();
  vi.restoreAllMocks();
  vi.useRealTimers();
});
