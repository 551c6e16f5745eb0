/**
 * Markdown that grows. A long answer drawn anew for each tick takes 100 ms and more; here each tick
 * parses and draws only the last two blocks, the ones that new text can still change.
 *
 * Blocks before those are settled: their source is never parsed again until `finish`, which parses the
 * whole text once and replaces only the blocks that came out differently (a link defined at the end).
 */
import { Lexer, Marked, type MarkedOptions, type Token, type Tokens } from "marked";

import type { Rich } from "../rich/rich";
import { plainInstead } from "./boundary";
import { CodeBlock, codeBlockOf, waitsForColours, type CellInserter } from "./code";
import { decorate, drawn } from "./decorate";
import { extended } from "./extend";
import { formulas } from "./math";
import { sanitized } from "./sanitize";
import { end, grow } from "./turns";

const marked = new Marked({ gfm: true, breaks: false, async: false }, formulas);

/** The same for a text whose end is on the way. */
const GROWING = { ...marked.defaults, growing: true } as MarkedOptions;

interface Block {
  /** What the block is drawn from: equal keys draw equal nodes. */
  readonly key: string;
  readonly nodes: Node[];
  /** The HTML of a block whose last text may grow in its place. */
  readonly html?: string;
}

type Links = Lexer["tokens"]["links"];

/** How many blocks at the end new text can still change. */
const OPEN = 2;

/** Characters drawn at once; more are drawn frame by frame, so that the page answers in between. */
const STEP = 2_000;

export class MarkdownView {
  readonly node = document.createElement("div");
  private target = { text: "", done: false };
  /** A frame, or room in one, is waited for. */
  private waits = false;
  private failed: { readonly error: unknown } | null = null;
  private text = "";
  private finished = false;
  /** How much of `text` the settled blocks cover, and how many they are. */
  private settledLength = 0;
  private settledCount = 0;
  private blocks: Block[] = [];
  private links: Links = Object.create(null) as Links;

  constructor(
    private readonly cells: CellInserter | null = null,
    private readonly rich: Rich | null = null,
  ) {
    this.node.className = "vc-md";
  }

  /** Draws `source`. `done` when no more will come. Much is drawn over several frames. */
  update(source: string, done: boolean): void {
    // The lexer does this by itself, and then its tokens would not add up to the text.
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    this.target = { text, done };
    if (!this.waits && !this.failed) {
      const grows = this.text !== "" && !this.finished;
      if (grows) this.later(grow, () => this.advance());
      else this.attempt(() => this.advance());
    }
    if (this.failed) throw this.failed.error;
  }

  /** Draws the next step towards the target. */
  private advance(): void {
    const { text, done } = this.target;
    const drawn = text.startsWith(this.text) ? this.text.length : 0;
    if (text.length - drawn <= 2 * STEP) {
      const grew = this.text !== "" && !this.finished;
      this.show(text, done && !grew);
      if (done && grew) this.later(end, () => this.show(this.target.text, this.target.done));
      return;
    }
    this.show(text.slice(0, drawn + STEP), false);
    this.later(requestAnimationFrame, () => this.advance());
  }

  private later(when: (work: () => void) => unknown, work: () => void): void {
    this.waits = true;
    when(() => {
      this.waits = false;
      this.attempt(work);
    });
  }

  /** Nobody else sees to what goes wrong in a later frame. */
  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failed = { error };
      plainInstead(this.node, this.target.text, error);
    }
  }

  private show(text: string, done: boolean): void {
    if (text === this.text && done === this.finished) return;
    const grows = text.startsWith(this.text) && !this.finished;
    this.text = text;
    this.finished = done;
    if (done || !grows) {
      this.settledLength = this.settledCount = 0;
      this.links = Object.create(null) as Links;
    }
    this.draw(!done);
  }

  private draw(growing: boolean): void {
    const tokens = this.lexed(this.text.slice(this.settledLength));
    const visible = tokens.filter((token) => token.type !== "space" && token.type !== "def");
    const start = this.settledCount;
    const fresh = visible.map((token, i) => this.block(token, this.blocks[start + i], growing));
    this.place(start, fresh);
    if (growing) this.settle(tokens, visible);
  }

  private lexed(source: string): Token[] {
    const lexer = new Lexer(this.finished ? marked.defaults : GROWING);
    Object.assign(lexer.tokens.links, this.links);
    const tokens = lexer.lex(source);
    Object.assign(this.links, tokens.links);
    return tokens;
  }

  /** Counts as settled all but the last visible blocks. */
  private settle(tokens: readonly Token[], visible: readonly Token[]): void {
    const firstOpen = visible[visible.length - OPEN];
    if (firstOpen === undefined) return;
    for (const token of tokens) {
      if (token === firstOpen) break;
      this.settledLength += token.raw.length;
    }
    this.settledCount += visible.length - OPEN;
  }

  /** The block for a token: the old one when it is the same, grown in place when it is code. */
  private block(token: Token, old: Block | undefined, growing: boolean): Block {
    const language = token.type === "code" ? languageOf(token as Tokens.Code) : null;
    if (language !== null) {
      const code = (token as Tokens.Code).text;
      const open = growing && !isClosed(token.raw);
      const key = `${waitsForColours(code, growing) ? "plain" : "code"}:${open}:${language}:${code}`;
      if (old?.key === key) return old;
      const previous = codeBlockOf(old?.nodes[0]);
      const view = previous?.language === language && !previous.drawn ? previous : new CodeBlock(language, this.cells);
      view.update(code, growing);
      if (this.rich === null || open) return { key, nodes: [view.node] };
      return { key, nodes: [drawn(this.rich, language, code, view)] };
    }
    const html = marked.parser([token]);
    const waits = growing && DRAWN_INSIDE.test(html);
    const key = `html:${waits}:${html}`;
    if (old?.key === key) return old;
    if (token.type === "html" || waits) return { key, nodes: this.made(html, growing) };
    if (old?.html !== undefined && extended(old.nodes, old.html, html)) return { key, nodes: old.nodes, html };
    return { key, nodes: this.made(html, growing), html };
  }

  private made(html: string, growing: boolean): Node[] {
    const fragment = sanitized(html);
    decorate(fragment, this.cells, growing, this.rich);
    return [...fragment.childNodes];
  }

  /** Puts `fresh` in the place of all blocks from `start` on, leaving unchanged nodes where they are. */
  private place(start: number, fresh: Block[]): void {
    const kept = new Set(fresh.flatMap((block) => block.nodes));
    for (const block of this.blocks.slice(start)) {
      for (const node of block.nodes) if (!kept.has(node)) node.parentNode?.removeChild(node);
    }
    this.blocks.length = start;
    this.blocks.push(...fresh);
    const before = this.blocks.slice(0, start).reduce((count, block) => count + block.nodes.length, 0);
    let at = this.node.childNodes[before] ?? null;
    // New neighbours go in together: each insertion costs the page a look around.
    const waiting = document.createDocumentFragment();
    for (const block of fresh) {
      for (const node of block.nodes) {
        if (node !== at) {
          waiting.append(node);
          continue;
        }
        at = at.nextSibling;
        if (waiting.hasChildNodes()) this.node.insertBefore(waiting, node);
      }
    }
    if (waiting.hasChildNodes()) this.node.insertBefore(waiting, at);
  }
}

/** What is drawn inside of another block, a list for example, waits for the end: each tick makes such a block anew. */
const DRAWN_INSIDE = /<pre><code class="language-(?:katex|latex|math|mermaid|tex)"/;

/** Whether a fenced block has its end. An indented one has none that could be missing. */
function isClosed(raw: string): boolean {
  const fence = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
  if (fence === undefined) return true;
  const last = raw.trimEnd().split("\n").slice(1).at(-1)?.trim() ?? "";
  return last.startsWith(fence) && last.replaceAll(fence.charAt(0), "") === "";
}

function languageOf(token: Tokens.Code): string {
  return (token.lang ?? "").trim().split(/\s+/)[0]?.toLowerCase() ?? "";
}
