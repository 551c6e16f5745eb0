import { gzipSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";

import type { NeedAsset } from "../../src/protocol";
import { onePerPage, source } from "../../src/rich/assets";
import { AssetFetcher } from "../../src/rich/fetcher";

/** A kernel that hands out `file` in pieces of `size` bytes. */
function served(file: Uint8Array, size: number) {
  const asked: NeedAsset[] = [];
  const fetcher = new AssetFetcher((message) => {
    asked.push(message);
    const piece = file.slice(message.at, message.at + size);
    const left = Math.max(0, file.length - message.at - size);
    // Buffers come as views into one message's bytes.
    const whole = new Uint8Array([9, ...piece, 9]);
    const view = new DataView(whole.buffer, 1, piece.length);
    queueMicrotask(() => fetcher.answered({ ...message, type: "asset", seq: 1, left }, piece.length ? [view] : []));
    return true;
  });
  return { fetcher, asked };
}

describe("an asset", () => {
  it("comes piece by piece and is what the kernel packed", async () => {
    const text = "export const x = 'ü';".repeat(50);
    const { fetcher, asked } = served(gzipSync(text), 20);
    expect(await source("katex", fetcher)).toBe(text);
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.map((m) => m.at)).toEqual(asked.map((_, i) => i * 20));
  });

  it("is asked for once by all that need it meanwhile", async () => {
    const { fetcher, asked } = served(new Uint8Array(10), 20);
    await Promise.all([fetcher.bytes("katex"), fetcher.bytes("katex")]);
    expect(asked).toHaveLength(1);
  });

  it("that the kernel does not have is refused", async () => {
    const { fetcher } = served(new Uint8Array(0), 20);
    await expect(fetcher.bytes("mermaid")).rejects.toThrow();
  });

  it("is refused when the kernel is gone, and can be asked for again", async () => {
    const fetcher = new AssetFetcher(() => true);
    const waiting = fetcher.bytes("katex");
    fetcher.forget();
    await expect(waiting).rejects.toThrow();
    void fetcher.bytes("katex").catch(() => undefined);
    fetcher.answered({ type: "asset", seq: 1, name: "katex", at: 0, left: 5 }, [new Uint8Array(3)]);
    fetcher.forget();
  });

  it("whose piece is lost is asked for again from there, and given up in the end", async () => {
    vi.useFakeTimers();
    const asked: number[] = [];
    const fetcher = new AssetFetcher(({ at }) => asked.push(at) > 0);
    const refused = expect(fetcher.bytes("katex")).rejects.toThrow();
    fetcher.answered({ type: "asset", seq: 1, name: "katex", at: 0, left: 5 }, [new Uint8Array(3)]);
    fetcher.answered({ type: "asset", seq: 2, name: "katex", at: 0, left: 5 }, [new Uint8Array(3)]);
    await vi.advanceTimersByTimeAsync(60_000);
    await refused;
    expect(asked).toEqual([0, 3, 3, 3]);
    vi.useRealTimers();
  });
});

it("what is made once per page is made anew after it failed, by whoever asks then", async () => {
  const made = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error("gone")).mockResolvedValue(2);
  await expect(onePerPage("test", made)).rejects.toThrow("gone");
  expect(await Promise.all([onePerPage("test", made), onePerPage("test", made)])).toEqual([2, 2]);
  expect(made).toHaveBeenCalledTimes(2);
});
