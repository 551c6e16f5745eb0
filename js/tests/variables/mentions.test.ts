import { describe, expect, it } from "vitest";

import { best, fit, mentions, openMention } from "../../src/variables/mentions";

describe("mentions in a text", () => {
  it.each([
    ["look at @df", ["df"]],
    ["@df.city, @df", ["df.city", "df"]],
    ['@df["a b"] and @rows[-1][\'x\'].', ['df["a b"]', "rows[-1]['x']"]],
    ["(@größe)", ["größe"]],
    ["@df @df", ["df"]],
    ["see @df.", ["df"]],
    ["mail ada@example.org or a.b@c", []],
    ["npm install @scope/name and @1", ["scope"]],
    ["`@cached` stays, @df goes", ["df"]],
    ["```python\n@dataclass\nclass A: ...\n```\n@df", ["df"]],
    ["```\n@unclosed", []],
    ["no mention", []],
  ])("%j mentions %j", (text, found) => {
    expect(mentions(text)).toEqual(found);
  });

  it("are found in a hostile text without a pause", () => {
    const begun = performance.now();
    mentions("@a.".repeat(50_000));
    mentions("@a[".repeat(50_000));
    mentions("`@".repeat(50_000));
    expect(performance.now() - begun).toBeLessThan(1500);
  });
});

describe("a mention that is being typed", () => {
  it("is what stands between its sign and the cursor", () => {
    expect(openMention("plot @df now", 8)).toEqual({ query: "df", start: 5 });
    expect(openMention("@", 1)).toEqual({ query: "", start: 0 });
  });

  it("ends with a blank, and is none in an address or in code", () => {
    for (const text of ["@df ", "ada@ex", "`@ca", "```\n@prop"]) expect(openMention(text, text.length)).toBeNull();
  });
});

describe("finding by what is typed", () => {
  const names = ["sales_by_region", "sales", "regions", "df_sales", "tmp"];

  it("puts beginnings first, then words, then scattered letters", () => {
    expect(best(names, (one) => one, "sales", 9)).toEqual(["sales", "sales_by_region", "df_sales"]);
    expect(best(names, (one) => one, "sbr", 9)).toEqual(["sales_by_region"]);
  });

  it("keeps the order without a query", () => {
    expect(best(names, (one) => one, "", 2)).toEqual(["sales_by_region", "sales"]);
  });

  it("needs all letters in their order", () => {
    expect(fit("tmp", "pm")).toBeNull();
  });
});
