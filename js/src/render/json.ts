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
