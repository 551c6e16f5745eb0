/** Every text around what tools gave. */
export const strings = {
  size: (rows: string, columns: string) =>
    `${rows} ${rows === "1" ? "row" : "rows"} × ${columns} ${columns === "1" ? "column" : "columns"}`,
  table: (size: string) => `Table, ${size}`,
  firstRows: (count: number) => (count === 0 ? "no rows" : count === 1 ? "first row" : `first ${count} rows`),
  firstColumns: (count: number) => (count === 1 ? "first column" : `first ${count} columns`),
  and: " and ",
  shown: (part: string) => `${part} shown`,
  told: "What the model got",
};
