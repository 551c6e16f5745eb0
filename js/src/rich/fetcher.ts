/**
 * Brings a file of the front end from the kernel, piece by piece: each is asked for when the one before is here, so
 * that a slow link carries what a user does in between, and no limit on messages is met.
 */
import type { Asset, NeedAsset } from "../protocol";

/** A piece that has not come by then is asked for again, this often. */
const PATIENCE_MS = 15_000;
const TRIES = 3;

interface Waiting {
  readonly pieces: Uint8Array[];
  at: number;
  tries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (reason: Error) => void;
}

export type AssetName = NeedAsset["name"];

export class AssetFetcher {
  private readonly waiting = new Map<AssetName, Waiting>();
  private readonly coming = new Map<AssetName, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(private readonly send: (message: NeedAsset) => boolean) {}

  /** The file as the kernel sends it, compressed. Rejected when the kernel has none or does not answer. */
  bytes(name: AssetName): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.coming.get(name);
    if (known) return known;
    const coming = new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      const waiting: Waiting = { pieces: [], at: 0, tries: 0, timer: undefined, resolve, reject };
      this.waiting.set(name, waiting);
      this.next(name, waiting);
    }).finally(() => {
      clearTimeout(this.waiting.get(name)?.timer);
      this.waiting.delete(name);
      this.coming.delete(name);
    });
    this.coming.set(name, coming);
    return coming;
  }

  /** Takes a piece. Another page's, and one that came twice, are not wanted. */
  answered(message: Asset, buffers: readonly (ArrayBufferView | ArrayBuffer)[]): void {
    const waiting = this.waiting.get(message.name);
    if (waiting === undefined || message.at !== waiting.at) return;
    const piece = buffers[0];
    if (piece === undefined || piece.byteLength === 0) {
      waiting.reject(new Error("the kernel does not have it"));
      return;
    }
    // A copy: the buffer may be the whole message's. Some hosts hand over buffers, most hand over views.
    const view = ArrayBuffer.isView(piece) ? new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength) : new Uint8Array(piece);
    waiting.pieces.push(view.slice());
    waiting.at += piece.byteLength;
    waiting.tries = 0;
    if (message.left === 0) waiting.resolve(joined(waiting.pieces, waiting.at));
    else this.next(message.name, waiting);
  }

  /** Nothing that was asked for will come any more. */
  forget(): void {
    for (const waiting of this.waiting.values()) waiting.reject(new Error("the kernel is gone"));
  }

  private next(name: AssetName, waiting: Waiting): void {
    clearTimeout(waiting.timer);
    waiting.tries += 1;
    if (waiting.tries > TRIES || !this.send({ type: "need_asset", name, at: waiting.at })) {
      waiting.reject(new Error("the kernel does not answer"));
      return;
    }
    waiting.timer = setTimeout(() => this.next(name, waiting), PATIENCE_MS);
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
