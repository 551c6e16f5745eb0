/** Files that go from the panel to the user's disk and back. */
import { carriesFiles } from "../files";
import { formatBytes } from "../format";
import type { Exported } from "../protocol";
import { strings } from "./strings";
import type { Outcome } from "./talk";

/** Lets the browser keep the file where it keeps downloads. */
export function download({ name, media_type, text }: Pick<Exported, "name" | "media_type" | "text">): void {
  const address = URL.createObjectURL(new Blob([text], { type: media_type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun by then, and would otherwise hold the text for as long as the page lives.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Hands a file's text to `take`, where it is no larger than `most` bytes and can be read. */
export async function readExport(file: File, most: number, take: (text: string) => Promise<Outcome>): Promise<Outcome> {
  if (file.size > most) return refused(strings.tooLarge(formatBytes(file.size), formatBytes(most)));
  let text: string;
  try {
    text = await file.text();
  } catch {
    // A folder, or a file that went away.
    return refused(strings.unreadable);
  }
  return take(text);
}

/** Takes files that are dropped on an element, which has the class while they are over it. */
export function acceptDrops(node: HTMLElement, mark: string, take: (files: readonly File[]) => void): void {
  const over = (event: DragEvent, on: boolean): boolean => {
    if (!carriesFiles(event.dataTransfer)) return false;
    // Else the panel below would attach the file, or the browser open it.
    event.preventDefault();
    event.stopPropagation();
    node.classList.toggle(mark, on);
    return true;
  };
  node.addEventListener("dragenter", (event) => over(event, true));
  node.addEventListener("dragover", (event) => over(event, true));
  node.addEventListener("dragleave", (event) => over(event, node.contains(event.relatedTarget as Node | null)));
  node.addEventListener("drop", (event) => {
    if (over(event, false)) take([...(event.dataTransfer?.files ?? [])]);
  });
}

function refused(message: string): Outcome {
  return { conversations: [], error: { kind: "ConfigError", message, fix: "" } };
}
