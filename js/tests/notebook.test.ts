import { beforeEach, describe, expect, it, vi } from "vitest";

import { cellInserter, saveNotebook } from "../src/notebook";
import { Host } from "./host";

interface Cell {
  cell_type: string;
  source: string;
}

function notebook(sources: string[], language = "python") {
  const cells: Cell[] = sources.map((source) => ({ cell_type: "code", source }));
  const sharedModel = {
    cells,
    insertCell(index: number, cell: Cell) {
      cells.splice(index, 0, cell);
      return cell;
    },
    getMetadata: (name: string) => (name === "language_info" ? { name: language } : {}),
  };
  return { cells, manager: { context: { model: { sharedModel }, save: vi.fn(async () => {}) } } };
}

/** A panel's element in the cell at `index`, as JupyterLab renders it. */
function inCell(index: number, count: number, listed: boolean): Element {
  document.body.innerHTML = "";
  const parent = document.createElement("div");
  for (let i = 0; i < count; i++) {
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    if (listed) cell.dataset["windowedListIndex"] = String(i);
    parent.append(cell);
  }
  document.body.append(parent);
  const el = document.createElement("div");
  parent.children[index]?.append(el);
  return el;
}

describe("inserting a cell", () => {
  beforeEach(() => {
    document.body.innerHTML = "";
  });

  it.each([true, false])("puts code below the panel's own cell (windowed: %s)", (listed) => {
    const { cells, manager } = notebook(["a", "panel", "b"]);
    cellInserter(new Host(manager), inCell(1, 3, listed))?.insert("new", "python");
    expect(cells.map((c) => c.source)).toEqual(["a", "panel", "new", "b"]);
  });

  it("keeps the order in which blocks are clicked", () => {
    const { cells, manager } = notebook(["panel", "b"]);
    const inserter = cellInserter(new Host(manager), inCell(0, 2, true));
    for (const code of ["one", "two", "three"]) inserter?.insert(code, "");
    expect(cells.map((c) => c.source)).toEqual(["panel", "one", "two", "three", "b"]);
  });

  it("appends where the panel stands in no cell", () => {
    const { cells, manager } = notebook(["a"]);
    cellInserter(new Host(manager), document.createElement("div"))?.insert("new", "python");
    expect(cells.at(-1)?.source).toBe("new");
  });

  it("makes Markdown a Markdown cell", () => {
    const { cells, manager } = notebook([]);
    cellInserter(new Host(manager), document.createElement("div"))?.insert("# Title", "markdown");
    expect(cells[0]?.cell_type).toBe("markdown");
  });

  it("is offered for the notebook's language only", () => {
    const python = cellInserter(new Host(notebook([]).manager), document.body);
    expect(["python", "py", "", "markdown"].every((l) => python?.accepts(l))).toBe(true);
    expect(["rust", "bash", "r"].some((l) => python?.accepts(l))).toBe(false);
    const r = cellInserter(new Host(notebook([], "R").manager), document.body);
    expect(r?.accepts("r")).toBe(true);
    expect(r?.accepts("python")).toBe(false);
  });

  it("is not offered by a host without a notebook", () => {
    expect(cellInserter(new Host(), document.body)).toBeNull();
    expect(cellInserter(new Host({ context: { model: {} } }), document.body)).toBeNull();
  });
});

it("saves the notebook where the host can", () => {
  const { manager } = notebook([]);
  expect(saveNotebook(new Host(manager))).toBe(true);
  expect(manager.context.save).toHaveBeenCalledOnce();
  expect(saveNotebook(new Host())).toBe(false);
});
