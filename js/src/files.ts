/** Files from the clipboard, a drag or the file dialog, read into memory, with a small picture of each image. */

/** The longer side of a small picture, in pixels. */
const SIDE = 320;

/** The files a paste or a drop carries; none where it is text above all. */
export function filesOf(transfer: DataTransfer | null): File[] {
  if (transfer === null) return [];
  const files = [...transfer.files];
  // A spreadsheet copies its cells as text and as a picture of them: the text is what is meant.
  const text = transfer.types.includes("text/plain");
  return text && files.every((file) => file.type.startsWith("image/")) ? [] : files;
}

/** Whether a drag carries files. Their names and sizes are told only at the drop. */
export function carriesFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes("Files") ?? false;
}

/** A name for a file; a pasted picture has none of its own. */
export function nameOf(file: File): string {
  return file.name || `pasted.${file.type.split("/")[1] ?? "bin"}`;
}

/** A small picture of an image file as a `data:` URL; null for anything else, and where it cannot be drawn. */
export async function smallPicture(file: File): Promise<string | null> {
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type) || typeof createImageBitmap !== "function") return null;
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return canvas.toDataURL("image/png");
  } catch {
    // Not an image after all; the kernel will say what it is.
    return null;
  }
}
