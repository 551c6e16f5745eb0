/** JSON as people read it. */
import { visible } from "../visible";

/** JSON with its structure shown, anything else as it is; what nobody sees is made visible. */
export function indented(text: string): string {
  try {
    return visible(JSON.stringify(JSON.parse(text), null, 2));
  } catch {
    return visible(text);
  }
}

/** JSON in one line, cut; empty for an empty object. */
export function brief(json: string): string {
  const line = json.slice(0, 1000).replace(/\s+/g, " ").trim();
  return line === "{}" ? "" : line.slice(0, 160);
}

/**
 * A call's arguments for reading: as `indented`, but a text of several lines, code for one, stands below its name as it
 * is, indented so that nothing in it can pass for another argument.
 */
export function spelled(text: string): string {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return visible(text);
  }
  if (found === null || typeof found !== "object" || Array.isArray(found)) return indented(text);
  const entries = Object.entries(found);
  if (!entries.some(([, value]) => typeof value === "string" && value.includes("\n"))) return indented(text);
  const spelt = entries
    .map(([name, value]) =>
      typeof value === "string" && value.includes("\n")
        ? `${JSON.stringify(name)}:\n${value.replace(/^/gm, "    ")}`
        : `${JSON.stringify(name)}: ${JSON.stringify(value, null, 2).replace(/\n/g, "\n    ")}`,
    )
    .join("\n");
  return visible(spelt);
}
