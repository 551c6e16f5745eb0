import { expect, it } from "vitest";

import { keepTranscript } from "../src/notebook";
import { Host } from "./host";

const saved = { type: "transcript", seq: 1, id: "abc", html: '<div data-vc="abc">new</div>', markdown: "new", text: "new" } as const;

class Outputs {
  readonly set = (index: number, output: object) => void (this.changed[index] = output);
  readonly changed: object[] = [];
  constructor(private readonly html: (string | undefined)[]) {}
  get length(): number {
    return this.html.length;
  }
  get(index: number): unknown {
    return { data: { "text/html": this.html[index] } };
  }
}

function notebook(...outputs: (Outputs | undefined)[]): Host {
  const cells = { length: outputs.length, get: (index: number) => ({ outputs: outputs[index] }) };
  return new Host({ context: { model: { cells } } });
}

it("takes the place of the transcript with its id, and of no other output", () => {
  const [mine, other] = [new Outputs([undefined, '<div data-vc="abc">old</div>']), new Outputs(['<div data-vc="xyz">'])];
  keepTranscript(notebook(undefined, other, mine), saved);
  expect(mine.changed[1]).toMatchObject({ output_type: "display_data", data: { "text/html": saved.html } });
  expect(mine.changed).toHaveLength(2);
  expect(other.changed).toEqual([]);
});

it("leaves alone what is up to date, so that nothing is marked as changed", () => {
  const outputs = new Outputs([saved.html]);
  keepTranscript(notebook(outputs), saved);
  expect(outputs.changed).toEqual([]);
});

it("does nothing where the host has no notebook", () => {
  expect(() => keepTranscript(new Host(), saved)).not.toThrow();
});
