/**
 * A table that a tool gave: its first rows and columns, in a frame that scrolls by itself. Names and cells are
 * somebody's data and drawn as text.
 */
import { html, nothing, type TemplateResult } from "lit-html";
import { guard } from "lit-html/directives/guard.js";

import { formatCount } from "../format";
import type { ColumnShown, TableShown } from "../protocol";
import { strings } from "./strings";

/** Characters of a cell that stand in it for certain; a longer one tells itself where it is pointed at. */
const SEEN = 28;

/** The table, drawn once: it never changes, and its card is drawn again with each word of the answer. */
export function tableView(table: TableShown): unknown {
  return guard([table], () => drawn(table));
}

function drawn(table: TableShown): TemplateResult {
  const size = strings.size(formatCount(table.rows), formatCount(table.width));
  const length = table.columns[0]?.cells.length ?? 0;
  const alone = table.columns.filter((column) => column.label).length === 1;
  return html`<figure class="vc-sheet">
    <figcaption>${[table.kind, size, part(table, length)].filter(Boolean).join(" · ")}</figcaption>
    ${table.columns.length === 0
      ? nothing
      : html`<div class="vc-sheet-frame" tabindex="0" role="group" aria-label=${strings.table(size)}>
          <table class=${alone ? "vc-sheet-labelled" : nothing}>
            <thead>
              <tr>
                ${table.columns.map(heading)}
              </tr>
            </thead>
            <tbody>
              ${Array.from({ length }, (_, row) => html`<tr>${table.columns.map((column) => cell(column, row))}</tr>`)}
            </tbody>
          </table>
        </div>`}
  </figure>`;
}

/** What of it is shown, where that is not all. */
function part({ rows, width, columns }: TableShown, length: number): string {
  const shown = columns.filter((column) => !column.label).length;
  const parts = [
    length < rows ? strings.firstRows(length) : "",
    shown < width ? strings.firstColumns(shown) : "",
  ].filter(Boolean);
  return parts.length === 0 ? "" : strings.shown(parts.join(strings.and));
}

function heading({ name, type, number }: ColumnShown): TemplateResult {
  return html`<th scope="col" class=${number ? "vc-sheet-number" : nothing} title=${type ? `${name}: ${type}` : name}>
    <span class="vc-sheet-name">${name}</span>
    ${type ? html`<span class="vc-sheet-type">${type}</span>` : nothing}
  </th>`;
}

function cell({ cells, missing, number, label }: ColumnShown, row: number): TemplateResult {
  const text = cells[row] ?? "";
  const title = text.length > SEEN ? text : nothing;
  if (label) return html`<th scope="row" class=${number ? "vc-sheet-number" : nothing} title=${title}>${text}</th>`;
  const kind = [number ? "vc-sheet-number" : "", missing.includes(row) ? "vc-sheet-missing" : ""].filter(Boolean).join(" ");
  return html`<td class=${kind || nothing} title=${title}>${text}</td>`;
}
