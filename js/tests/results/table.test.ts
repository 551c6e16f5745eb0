import { describe, expect, it } from "vitest";

import type { ColumnShown, TableShown, ToolFileShown, ToolShown } from "../../src/protocol";
import { Pins } from "../../src/render/list/pins";
import { message, question } from "../kernel";
import { all, el, panel } from "../render/page";

const EVIL = '<img src=x onerror=alert(1)><a href="https://x.example">x</a>';

function column(name: string, cells: string[], parts: Partial<ColumnShown> = {}): ColumnShown {
  return { name, type: "str", number: false, label: false, cells, missing: [], ...parts };
}

const TABLE: TableShown = {
  kind: "pandas DataFrame",
  rows: 1204,
  width: 3,
  columns: [
    column("region", ["N", "S"], { label: true, type: "" }),
    column("eur", ["1.50", "nan"], { number: true, missing: [1], type: "float64" }),
    column(EVIL, [EVIL, "two"]),
  ],
};

const CALL: ToolShown = { id: "c1", name: "sales", arguments: '{"year":2026}', result: "schema", is_error: false, table: TABLE };
const PICTURE: ToolFileShown = { name: "", media_type: "image/png", size: 9, url: "data:image/png;base64,AAAA", path: "" };

async function shown(tool: Partial<ToolShown> = {}): Promise<HTMLDetailsElement> {
  await panel({ messages: [question("?"), message({ id: "a", tools: [{ ...CALL, ...tool }] })] });
  return el.querySelector("details.vc-tool") as HTMLDetailsElement;
}

const words = (selector: string) => all(selector).map((node) => node.textContent?.replace(/\s+/g, " ").trim() ?? "");

describe("a table that a tool gave", () => {
  it("has a heading for each column, and a row for each row, its labels as headings", async () => {
    await shown();
    expect(words(".vc-sheet thead th .vc-sheet-name")).toEqual(["region", "eur", EVIL]);
    expect(words(".vc-sheet thead th .vc-sheet-type")).toEqual(["float64", "str"]);
    expect(words('.vc-sheet tbody th[scope="row"]')).toEqual(["N", "S"]);
    expect(words(".vc-sheet tbody tr:last-child td")).toEqual(["nan", "two"]);
  });

  it("says what it is, how large it is and which part of it is shown", async () => {
    await shown();
    expect(words(".vc-sheet figcaption")).toEqual([
      "pandas DataFrame · 1,204 rows × 3 columns · first 2 rows and first 2 columns shown",
    ]);
    await shown({ table: { ...TABLE, rows: 2, width: 2 } });
    expect(words(".vc-sheet figcaption")).toEqual(["pandas DataFrame · 2 rows × 2 columns"]);
  });

  it("marks columns of numbers and cells without a value", async () => {
    await shown();
    expect(words(".vc-sheet td.vc-sheet-number")).toEqual(["1.50", "nan"]);
    expect(words(".vc-sheet th.vc-sheet-number .vc-sheet-name")).toEqual(["eur"]);
    expect(words(".vc-sheet-missing")).toEqual(["nan"]);
  });

  it("is text alone, whatever its names and cells say", async () => {
    const card = await shown();
    expect(card.querySelector(".vc-sheet :is(img, a)")).toBeNull();
    expect(words(".vc-sheet tbody tr:first-child td")[1]).toBe(EVIL);
  });

  it("scrolls in a frame that the keyboard reaches, and tells a long cell where it is pointed at", async () => {
    await shown({ table: { ...TABLE, columns: [column("note", ["a remark that is longer than its cell", "short"])] } });
    expect(el.querySelector<HTMLElement>(".vc-sheet-frame")?.tabIndex).toBe(0);
    expect(el.querySelector(".vc-sheet-frame")?.getAttribute("aria-label")).toBe("Table, 1,204 rows × 3 columns");
    expect(all(".vc-sheet td").map((cell) => cell.title)).toEqual(["a remark that is longer than its cell", ""]);
  });

  it("may have no rows, or no columns", async () => {
    await shown({ table: { ...TABLE, rows: 0, width: 1, columns: [column("a", [])] } });
    expect(words(".vc-sheet figcaption")).toEqual(["pandas DataFrame · 0 rows × 1 column"]);
    await shown({ table: { ...TABLE, rows: 0, width: 0, columns: [] } });
    expect(all(".vc-sheet table")).toEqual([]);
  });
});

describe("the card of a function's table or picture", () => {
  it("is open, with the arguments and the model's words folded below", async () => {
    const card = await shown();
    expect(card.open).toBe(true);
    expect(words(".vc-tool-fold > summary")).toEqual(["What the model got", "Arguments"]);
    expect(all(".vc-tool-fold").some((fold) => (fold as HTMLDetailsElement).open)).toBe(false);
    expect(words(".vc-tool-fold .vc-tool-result")).toEqual(["schema"]);
  });

  it("has a picture by the name that stands for it in the words", async () => {
    const parts = { result: "[Matplotlib figure · Rain]", files: [PICTURE], arguments: "{}" };
    await panel({ messages: [question("?"), message({ id: "a", tools: [{ id: "c1", name: "plot", is_error: false, ...parts }] })] });
    expect(el.querySelector<HTMLDetailsElement>("details.vc-tool")?.open).toBe(true);
    expect(el.querySelector<HTMLImageElement>(".vc-tool-image")?.alt).toBe("Matplotlib figure · Rain");
    expect(words(".vc-tool-fold > summary")).toEqual(["What the model got"]);
  });

  it("shows what code printed beside its picture", async () => {
    await panel({ messages: [question("?"), message({ id: "a", tools: [{ id: "c1", name: "run", arguments: "{}", result: "42\n[x]", is_error: false, files: [PICTURE] }] })] });
    expect(words(".vc-tool-body > .vc-tool-result")).toEqual(["42 [x]"]);
  });

  it.each([
    ["a plugin's", { plugin: "files" }],
    ["a failed call's", { is_error: true }],
    ["one without anything to see", { table: undefined, files: [{ ...PICTURE, url: null }] }],
  ])("stays folded where it is %s", async (_, parts) => {
    expect((await shown(parts as Partial<ToolShown>)).open).toBe(false);
  });
});

it("keeps a row drawn for what the reader changed, and not for what is open by itself", async () => {
  const list = document.createElement("div");
  list.innerHTML = '<div class="vc-row" data-key="a"><details data-open open></details></div><div class="vc-row" data-key="b"><details></details></div>';
  document.body.append(list);
  const pins = new Pins(list, () => undefined);
  const [own, other] = [...list.querySelectorAll("details")];
  const kept = () => pins.indexes((key) => ({ a: 0, b: 1 })[key]);
  own?.dispatchEvent(new Event("toggle"));
  expect(kept()).toEqual([]);
  own!.open = false;
  own?.dispatchEvent(new Event("toggle"));
  other!.open = true;
  other?.dispatchEvent(new Event("toggle"));
  expect(kept()).toEqual([0, 1]);
  pins.dispose();
  list.remove();
});
