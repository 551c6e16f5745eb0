import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { end, grow } from "../../src/render/turns";

let frames: (() => void)[] = [];
let clock = 0;

/** The next frame, as a page has it: with a time of its own. */
function frame(): void {
  clock += 16;
  for (const one of frames.splice(0)) one();
}

/** A piece of work that takes so many milliseconds. */
function work(name: string, milliseconds: number, done: string[]): () => void {
  return () => {
    now += milliseconds;
    done.push(name);
  };
}

let now = 0;

beforeEach(() => {
  frames = [];
  vi.stubGlobal("requestAnimationFrame", (one: () => void) => frames.push(one));
  vi.spyOn(performance, "now").mockImplementation(() => now);
  Object.defineProperty(document, "timeline", { configurable: true, value: { get currentTime() { return clock; } } });
  clock += 16;
});

afterEach(() => {
  while (frames.length > 0) frame();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  Reflect.deleteProperty(document, "timeline");
});

it("texts grow at once while the frame has room", () => {
  const done: string[] = [];
  for (const name of ["a", "b", "c"]) grow(work(name, 2, done));
  expect(done).toEqual(["a", "b", "c"]);
});

it("what a frame has no room for comes in the next ones, in its order", () => {
  const done: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) grow(work(name, 5, done));
  expect(done).toEqual(["a", "b"]);
  frame();
  expect(done).toEqual(["a", "b", "c", "d"]);
  frame();
  expect(done).toEqual(["a", "b", "c", "d", "e"]);
});

it("what came first is not overtaken by what comes later", () => {
  const done: string[] = [];
  for (const name of ["a", "b"]) grow(work(name, 9, done));
  clock += 16;
  grow(work("c", 1, done));
  expect(done).toEqual(["a"]);
  frame();
  frame();
  expect(done).toEqual(["a", "b", "c"]);
});

it("one text ends in a frame", () => {
  const done: string[] = [];
  for (const name of ["a", "b", "c"]) end(work(name, 1, done));
  expect(done).toEqual(["a"]);
  frame();
  expect(done).toEqual(["a", "b"]);
  frame();
  expect(done).toEqual(["a", "b", "c"]);
});
