/** A block of code with its language, a copy button and, in a notebook, a button that makes it a cell. */
import { strings as words } from "../branches/strings";
import { icon } from "../icons";
import { strings } from "../strings";
import { copyButton, flash } from "./copy";
import { redrawn } from "./growncode";
import { highlighted } from "./highlight";

/** Puts code into a new cell. Absent where the host has no cells. */
export interface CellInserter {
  /** Whether code in this language can become a cell of this notebook. */
  accepts(language: string): boolean;
  insert(code: string, language: string): boolean;
  /** Whether such a cell can also be run. */
  runs?(language: string): boolean;
  /** Puts code into a new cell and runs it. Tells whether it runs; it is inserted in any case. */
  run?(code: string, language: string): boolean;
}

/** While code still grows, colours are drawn only up to this length: each tick draws all of it again. */
const MOST_WHILE_GROWING = 4_000;

/** Whether growing code is shown without colours for now, so that its end draws it again. */
export function waitsForColours(code: string, growing: boolean): boolean {
  return growing && code.length > MOST_WHILE_GROWING;
}

const views = new WeakMap<Element, CodeBlock>();

export class CodeBlock {
  readonly node = document.createElement("div");
  private readonly bar = document.createElement("div");
  private readonly pre = document.createElement("pre");
  private readonly target = document.createElement("code");
  private code = "";
  /** What the colours were last drawn from. */
  private html = "";
  /** Whether something is drawn from this code, which then is not to change any more. */
  drawn = false;

  constructor(
    readonly language: string,
    cells: CellInserter | null,
  ) {
    this.node.className = "vc-code";
    const { bar, pre } = this;
    bar.className = "vc-code-bar";
    const label = document.createElement("span");
    label.className = "vc-code-language";
    label.textContent = language || strings.code;
    bar.append(label);
    if (cells?.accepts(language)) bar.append(this.insertButton(cells));
    if (cells?.run && cells.runs?.(language)) bar.append(this.runButton(cells.run.bind(cells)));
    bar.append(copyButton(() => this.code, strings.copyCode, "vc-button-text"));
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", label.textContent);
    pre.append(this.target);
    this.node.append(bar, pre);
    views.set(this.node, this);
  }

  /** Shows this code. `growing` while more is expected. */
  update(code: string, growing: boolean): void {
    this.code = code;
    const html = waitsForColours(code, growing) ? null : highlighted(code, this.language);
    if (html === null) this.target.textContent = code;
    else redrawn(this.target, this.html, html);
    this.html = html ?? "";
  }

  /** Makes room for what is drawn from the code, below it, with a button before those that are in the bar. */
  draws(button: HTMLButtonElement, ...below: Element[]): void {
    this.drawn = true;
    this.bar.children[0]?.after(button);
    this.node.append(...below);
  }

  /** Shows the code, or hides it behind what is drawn from it. */
  showSource(shown: boolean): void {
    this.pre.hidden = !shown;
  }

  private runButton(run: (code: string, language: string) => boolean): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "vc-button-text";
    button.append(icon("play"), words.run);
    button.addEventListener("click", () => {
      flash(button, run(this.code, this.language) ? words.ran : strings.inserted);
    });
    return button;
  }

  private insertButton(cells: CellInserter): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "vc-button-text";
    button.append(icon("insert"), strings.insertCode);
    button.addEventListener("click", () => {
      if (cells.insert(this.code, this.language)) flash(button, strings.inserted);
    });
    return button;
  }
}

/** The code block drawn as this element, if it is one. */
export function codeBlockOf(node: Node | undefined): CodeBlock | undefined {
  return node instanceof Element ? views.get(node) : undefined;
}
