import { describe, expect, it } from "vitest";

import { spelled } from "../../src/render/json";

describe("a call's arguments for reading", () => {
  it("show code as it is, below its name", () => {
    expect(spelled('{"code": "a = 1\\nprint(a)", "n": 2}')).toBe('"code":\n    a = 1\n    print(a)\n"n": 2');
  });

  it("let no text pass for another argument", () => {
    const hostile = JSON.stringify({ code: 'x\n"path": "/harmless"' });
    expect(spelled(hostile).split("\n").filter((line) => !line.startsWith("    "))).toEqual(['"code":']);
  });

  it("without lines of their own are JSON", () => {
    expect(spelled('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(spelled("not json")).toBe("not json");
    expect(spelled('["a\\nb"]')).toContain('"a\\nb"');
  });
});
