import { describe, expect, it } from "vitest";

import type { ToolShown, ToPanel } from "../../src/protocol";
import { frame } from "../host";
import { message, question } from "../kernel";
import { all, el, host, panel } from "./page";

const CALL: ToolShown = {
  id: "call-1",
  name: "files_read",
  plugin: "files",
  tool: "read",
  arguments: '{"path":"/home/ada"}',
  result: null,
  is_error: false,
};

async function shown(tool: Partial<ToolShown>): Promise<void> {
  await panel({ messages: [question("Why?"), message({ id: "a", tools: [{ ...CALL, ...tool }] })] });
}

async function say(...messages: ToPanel[]): Promise<void> {
  host.say(...messages);
  await frame();
}

function text(selector: string): string {
  return el.querySelector(selector)?.textContent?.replace(/\s+/g, " ").trim() ?? "";
}

describe("a tool's card", () => {
  it("names tool and plugin, tells the arguments in a line and how long it took", async () => {
    await shown({ result: "ok", duration_ms: 1234 });
    expect(text("summary .vc-tool-name")).toBe("read");
    expect(text("summary .vc-badge")).toBe("files");
    expect(text("summary code")).toBe('{"path":"/home/ada"}');
    expect(text(".vc-tool-state")).toBe("done1.2 s");
    expect(el.querySelector<HTMLDetailsElement>("details.vc-tool")?.open).toBe(false);
  });

  it("shows JSON with its structure and anything else as it is", async () => {
    await shown({ result: '{"rows":[1,2]}' });
    expect(el.querySelector(".vc-tool-result pre")?.textContent).toBe(JSON.stringify({ rows: [1, 2] }, null, 2));
    await shown({ result: "rows: 1, 2\n  and more" });
    expect(el.querySelector(".vc-tool-result pre")?.textContent).toBe("rows: 1, 2\n  and more");
  });

  it("draws what a server says as text: no markup, no link", async () => {
    const evil = '<img src=x onerror=alert(1)> <a href="https://x.example">x</a> [x](javascript:alert(1)) https://x.example/?s=1';
    await shown({ result: evil, tool: "<b>read</b>", plugin: "<i>files</i>", arguments: "<script>" });
    const card = el.querySelector(".vc-tool") as HTMLElement;
    expect(card.querySelector("img, a, b, i, script")).toBeNull();
    expect(card.textContent).toContain(evil);
  });

  it("says that it failed", async () => {
    await shown({ result: "No such file", is_error: true });
    expect(el.querySelector(".vc-tool-failed")).not.toBeNull();
    expect(text(".vc-tool-state")).toBe("failed");
  });
});

describe("progress", () => {
  async function running(progress: NonNullable<ToolShown["progress"]>): Promise<void> {
    await panel();
    await say(
      { type: "turn_started", seq: 2, turn: "t1", question: question("?"), answer: message({ id: "a", status: "streaming", turn: "t1" }) },
      { type: "deltas", seq: 3, deltas: [{ turn: "t1", tools: [{ ...CALL, progress }] }] },
    );
  }

  it("is a bar with its part and what the server says of it", async () => {
    await running({ done: 3, total: 12, message: "Reading <b>4</b> files" });
    const bar = el.querySelector('[role="progressbar"]');
    expect(bar?.getAttribute("aria-valuenow")).toBe("25");
    expect(text(".vc-tool-progress")).toBe("25 % Reading <b>4</b> files");
  });

  it("without an end tells how far it is and no part", async () => {
    await running({ done: 1234, total: null, message: "" });
    expect(el.querySelector('[role="progressbar"]')?.hasAttribute("aria-valuenow")).toBe(false);
    expect(text(".vc-tool-progress")).toBe("1,234");
  });

  it.each([
    [{ done: 20, total: 10, message: "" }, "100"],
    [{ done: -5, total: 10, message: "" }, "0"],
  ])("of a server that cannot count stays within its bar: %o", async (progress, now) => {
    await running(progress);
    expect(el.querySelector('[role="progressbar"]')?.getAttribute("aria-valuenow")).toBe(now);
  });

  it("goes when the result is there", async () => {
    await running({ done: 3, total: 12, message: "Reading" });
    await say({ type: "deltas", seq: 4, deltas: [{ turn: "t1", tools: [{ ...CALL, result: "ok" }] }] });
    expect(el.querySelector('[role="progressbar"]')).toBeNull();
  });
});

describe("a long result", () => {
  it("is brought whole, piece by piece, where it was cut", async () => {
    await shown({ result: "beginn… end", whole: true });
    const more = () => el.querySelector<HTMLButtonElement>(".vc-tool-more");
    expect(more()?.textContent?.trim()).toBe("Show all");
    more()?.click();
    expect(host.sentOf("show_tool")).toEqual([{ type: "show_tool", message: "a", call: "call-1", at: 0 }]);
    await say({ type: "tool_piece", seq: 2, message: "a", call: "call-1", at: 0, text: "begin😀", left: 6 });
    expect(text(".vc-tool-result")).toBe("begin😀");
    expect(more()?.textContent?.trim()).toBe("Show more (6 characters left)");
    more()?.click();
    // Counted as Python counts: an emoji is one.
    expect(host.sentOf("show_tool")[1]?.at).toBe(6);
    await say({ type: "tool_piece", seq: 3, message: "a", call: "call-1", at: 6, text: "ning.", left: 0 });
    expect(text(".vc-tool-result")).toBe("begin😀ning.");
    expect(more()).toBeNull();
  });

  it("a piece that comes twice is taken once", async () => {
    await shown({ result: "begi", whole: true });
    const piece: ToPanel = { type: "tool_piece", seq: 2, message: "a", call: "call-1", at: 0, text: "begin", left: 3 };
    await say(piece, { ...piece, seq: 3 });
    expect(text(".vc-tool-result")).toBe("begin");
  });

  it("that is not kept any more says so", async () => {
    await shown({ result: "", whole: true });
    await say({ type: "tool_piece", seq: 2, message: "a", call: "call-1", at: 0, text: "", left: 0 });
    expect(text(".vc-tool-gone")).toBe("The whole result is not kept any more.");
  });
});

describe("what a tool answers besides text", () => {
  const file = { name: "plot.png", media_type: "image/png", size: 2048, url: "data:image/png;base64,iVBORw0KGgo=", path: "" };

  it("is drawn, played, or named with its place", async () => {
    const sound = { ...file, name: "2.mp3", media_type: "audio/mpeg", url: "data:audio/mpeg;base64,AAAA", path: "/home/ada/2.mp3" };
    const other = { ...file, name: "3.bin", media_type: "", url: null, path: "/home/ada/3.bin" };
    await shown({ result: "", files: [file, sound, other] });
    expect(el.querySelector<HTMLImageElement>(".vc-tool-image")?.alt).toBe("plot.png");
    expect(el.querySelector("audio")?.getAttribute("preload")).toBe("none");
    expect(all(".vc-tool-path").map((one) => one.textContent)).toEqual(["Kept at /home/ada/2.mp3", "Kept at /home/ada/3.bin"]);
  });

  it.each(["https://x.example/p.png", "data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA", "javascript:alert(1)"])(
    "is not loaded from %s",
    async (url) => {
      await shown({ result: "", files: [{ ...file, url }] });
      expect(el.querySelector(".vc-tool-image, audio")).toBeNull();
      expect(text(".vc-file-name")).toBe("plot.png");
    },
  );
});
