/** What is attached in the composer and not sent yet, as values. No DOM. */
import { formatBytes } from "./format";
import type { Attached, AttachmentShown } from "./protocol";
import { strings } from "./strings";

export interface Chip {
  readonly key: string;
  readonly name: string;
  readonly size: number;
  /** A small picture, as an address that draws without asking anybody. */
  readonly preview: string | null;
  /** Null while they are read, or when only the kernel has them. */
  readonly bytes: ArrayBuffer | null;
  /** The kernel's name for the bytes, when it has them. */
  readonly id: string | null;
  /** Whether the kernel has yet to say that it still has them. */
  readonly unsure: boolean;
  /** Why it cannot be sent, as the file system or the kernel said. */
  readonly problem: string;
}

export interface UploadLimits {
  /** Bytes of one attachment. */
  readonly each: number;
  /** Bytes of all that go with one question. */
  readonly total: number;
}

let count = 0;

/** A chip with a key of its own. */
export function chip(parts: Partial<Chip> & Pick<Chip, "name" | "size">): Chip {
  return { key: `chip-${++count}`, preview: null, bytes: null, id: null, unsure: false, problem: "", ...parts };
}

/** What is wrong with each chip; empty where nothing is. */
export function problems(chips: readonly Chip[], limits: UploadLimits): string[] {
  let total = 0;
  return chips.map((one) => {
    if (one.problem !== "") return one.problem;
    if (one.size > limits.each) return strings.tooLarge(formatBytes(limits.each));
    // What only the kernel has never goes over the connection; what this page has may have to go again.
    if (one.id !== null && one.bytes === null) return "";
    if (total + one.size > limits.total) return strings.tooMuch(formatBytes(limits.total));
    total += one.size;
    return "";
  });
}

/** Whether all chips can go now. */
export function sendable(chips: readonly Chip[], limits: UploadLimits): boolean {
  return chips.every((one) => one.bytes !== null || one.id !== null) && problems(chips, limits).every((p) => p === "");
}

/** Whether some are still being read, and can go once they are. */
export function arriving(chips: readonly Chip[], limits: UploadLimits): boolean {
  const wrong = problems(chips, limits);
  return chips.some((one, i) => one.bytes === null && one.id === null && wrong[i] === "");
}

/** The chips as a message says them, and the buffers that go with it. */
export function packed(chips: readonly Chip[]): { attachments: Attached[]; buffers: ArrayBuffer[] } {
  const attachments = chips.map((one) => (one.id === null ? { name: one.name } : { name: one.name, id: one.id }));
  const buffers = chips.flatMap((one) => (one.id === null && one.bytes !== null ? [one.bytes] : []));
  return { attachments, buffers };
}

/** Chips for what the kernel gave back, with what this panel still has of it. */
export function returned(shown: readonly AttachmentShown[], sent: readonly Chip[]): Chip[] {
  return shown.map((one, i) => {
    const own = sent.length === shown.length ? sent[i] : undefined;
    return chip({
      name: one.name || own?.name || "",
      size: one.size || own?.size || 0,
      preview: own?.preview ?? safePreview(one.preview),
      bytes: own?.bytes ?? null,
      id: one.id === "" ? null : one.id,
      problem: one.problem ?? "",
    });
  });
}

/** The chips when the kernel may be another one. */
export function doubted(chips: readonly Chip[]): Chip[] {
  return chips.map((one) => (one.id === null ? one : { ...one, unsure: true }));
}

/** The chips without the one that could not go and in whose place another of its name is attached. */
export function instead(chips: readonly Chip[], name: string): Chip[] {
  const wrong = chips.find((one) => one.problem !== "" && one.name === name);
  return chips.filter((one) => one !== wrong);
}

const PREVIEW = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/;

/** A preview that is what it has to be, or null. */
export function safePreview(preview: string | null): string | null {
  return preview !== null && PREVIEW.test(preview) ? preview : null;
}
