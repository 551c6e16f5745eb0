import { expect, it } from "vitest";

import { redrawn } from "../../src/render/growncode";
import { highlighted } from "../../src/render/highlight";
import { sanitized } from "../../src/render/sanitize";

const CODE: Readonly<Record<string, string>> = {
  python: 'import os\n\ndef f(x: int) -> str:\n    """Says `x`,\n    in two lines."""\n    return f"{x!r} < {os.sep}"  # done\n',
  javascript: "const a = `x ${y + `in ${z}`} z`; // c\n/* two\nlines */ class A extends B { get c() { return /[/]/g; } }\n",
  html: '<div class="a">\n<script>let x = 1 < 2 && "y";</script>\n<style>a { color: red }</style></div>\n',
  sql: "select a, count(*) from t where b = 'it''s' -- why\ngroup by a;\n",
};

it.each(Object.entries(CODE))("%s that grows looks as if it had been drawn at once", (language, code) => {
  const target = document.createElement("code");
  let before = "";
  for (let end = 1; end <= code.length; end += 1) {
    const after = highlighted(code.slice(0, end), language) ?? "";
    redrawn(target, before, after);
    const once = document.createElement("code");
    once.append(sanitized(after));
    expect(target.innerHTML).toBe(once.innerHTML);
    before = after;
  }
});

it("what did not change keeps its elements", () => {
  const target = document.createElement("code");
  const before = highlighted("import os\nx = 1\n", "python") ?? "";
  redrawn(target, "", before);
  const first = target.querySelector(".hljs-keyword");
  redrawn(target, before, highlighted("import os\nx = 1\ny = 'a'\n", "python") ?? "");
  expect(target.querySelector(".hljs-keyword")).toBe(first);
  expect(target.querySelector(".hljs-string")?.textContent).toBe("'a'");
});
