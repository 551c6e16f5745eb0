/** JSON as people read it. */

/** JSON with its structure shown; anything else as it is. */
export function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** JSON in one line, cut; empty for an empty object. */
export function brief(json: string): string {
  const line = json.slice(0, 1000).replace(/\s+/g, " ").trim();
  return line === "{}" ? "" : line.slice(0, 160);
}
