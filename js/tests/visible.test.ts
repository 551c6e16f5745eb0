import { expect, it } from "vitest";

import { indented } from "../src/render/json";
import { visible } from "../src/visible";

it("shows what nobody sees, and leaves what scripts and emoji need", () => {
  expect(visible("invoice\u202efdp.exe")).toBe("invoice\\u202efdp.exe");
  expect(visible("a\u001b[31mb\u{e0041}")).toBe("a\\u001b[31mb\\u{e0041}");
  expect(visible("👩‍🚀 نمی‌خواهم\n\tend")).toBe("👩‍🚀 نمی‌خواهم\n\tend");
});

it("shows arguments of a call with every character that is decided on", () => {
  expect(indented('{"path":"/a\u202eb"}')).toBe('{\n  "path": "/a\\u202eb"\n}');
});
