/** The panel's icons: 16 by 16, drawn with lines in the colour of the text. */

const PATHS = {
  send: "M8 13V3.5M3.75 7.5 8 3.25l4.25 4.25",
  stop: "M4.5 4.5h7v7h-7z",
  plus: "M8 3.25v9.5M3.25 8h9.5",
  chevron: "m4.5 6.25 3.5 3.5 3.5-3.5",
  down: "M8 3v9.5M3.75 8.5 8 12.75 12.25 8.5",
  copy: "M5.75 5.75h7v7h-7zM10.25 5.75v-2.5h-7v7h2.5",
  check: "m3.25 8.5 3 3 6.5-7",
  insert: "M2.75 3h10.5v4H2.75zM8 9.5v4M6 11.5h4",
  retry: "M12.75 8a4.75 4.75 0 1 1-1.4-3.36l1.4 1.36M12.75 3v3h-3",
  close: "m4 4 8 8M12 4l-8 8",
  alert: "M8 2.25 14.25 13H1.75zM8 6.5v3M8 11.25v.1",
  info: "M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 0 0 0-12.5zM8 7.25v4M8 4.9v.1",
  key: "M10.25 2.5a3.25 3.25 0 1 0 0 6.5 3.25 3.25 0 0 0 0-6.5zM7.9 8.1 2.75 13.25M4.75 11.25l1.75 1.75",
  tool: "M13.2 4.6a3.4 3.4 0 0 1-4.5 4.2l-4.5 4.5-1.5-1.5 4.5-4.5a3.4 3.4 0 0 1 4.2-4.5L9.2 5l1.8 1.8z",
  image: "M2.25 3.25h11.5v9.5H2.25zM2.5 11l3.25-3.25 2.5 2.5 2-2L13.5 11M10.75 5.9v.1",
  paperclip: "m13 7.25-5 5a3.2 3.2 0 0 1-4.5-4.5l5.4-5.4a2.1 2.1 0 0 1 3 3l-5.3 5.3a1 1 0 0 1-1.5-1.5l4.7-4.6",
  file: "M3.75 1.75h5.5l3 3v9.5h-8.5zM9 1.9v3.1h3.1",
  external: "M6.5 3.25H3.25v9.5h9.5V9.5M9.25 2.75h4v4M13 3 7.5 8.5",
  shield: "M8 1.75 13.25 3.5v4.25c0 3-2 5.2-5.25 6.5-3.25-1.3-5.25-3.5-5.25-6.5V3.5z",
  stack: "M8 2.25 14 5.1 8 8 2 5.1zM2.4 8 8 10.75 13.6 8M2.4 10.9 8 13.65l5.6-2.75",
  sliders: "M2.75 4.5h6M12.25 4.5h1M2.75 8h1.5M7.75 8h5.5M2.75 11.5h5M11.25 11.5h2M10.5 2.9v3.2M6 6.4v3.2M9.5 9.9v3.2",
  columns: "M2.25 3.25h11.5v9.5H2.25zM8 3.25v9.5",
  plug: "M5.75 1.75v3.5M10.25 1.75v3.5M3.75 5.25h8.5v2a4.25 4.25 0 0 1-8.5 0zM8 11.5v2.75",
  search: "M7 2.75a4.25 4.25 0 1 0 0 8.5 4.25 4.25 0 0 0 0-8.5zM10.1 10.1l3.4 3.4",
  history: "M2.75 8a5.25 5.25 0 1 1 1.55 3.72M2.5 8.75v3.5H6M8 5v3.25l2.25 1.5",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  edit: "M10.75 2.75l2.5 2.5-7.5 7.5-3 .5.5-3zM9.25 4.25l2.5 2.5",
  trash: "M2.75 4.25h10.5M6.25 4.25v-1.5h3.5v1.5M4.25 4.25l.5 9h6.5l.5-9M6.75 7v3.5M9.25 7v3.5",
  pin: "M6 2.25h4M6.5 2.25l-.25 4.5-2.5 2.5h8.5l-2.5-2.5-.25-4.5M8 9.25v4.5",
  play: "M5 3.25v9.5l7.5-4.75z",
  unplugged: "M2.5 2.5l11 11M6 4.25 7.25 3a3.9 3.9 0 0 1 5.5 5.5L11.5 9.75M9.75 11.5 8.75 12.5a3.9 3.9 0 0 1-5.5-5.5l1-1",
} as const;

export type IconName = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** A fresh icon element. It is decoration: the name is the business of what stands around it. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", `vc-icon vc-icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
