/** A formula where its source stands: drawn once KaTeX is there, and left as it is where KaTeX cannot read it. */
import { icon } from "../icons";
import { copyButton } from "../render/copy";
import { LONGEST } from "../render/math";
import { harmlessFormula } from "./harmless";
import { strings } from "./strings";

export interface Katex {
  readonly faces: string;
  readonly rules: string;
  draw(tex: string, display: boolean): HTMLElement;
}

/** Formulas drawn lately: an answer that grows draws its last lines again and again. */
const KEPT = 300;

type Drawn = HTMLElement | string;

export class Formulas {
  private katex: Katex | null = null;
  private asked = false;
  private waiting: (() => void)[] = [];
  private readonly drawn = new Map<string, Drawn>();

  /** `load` brings KaTeX; `ready` is told once, before the first formula is drawn. */
  constructor(
    private readonly load: () => Promise<Katex>,
    private readonly ready: (katex: Katex) => void,
  ) {}

  /** What stands for `source` on the page. */
  node(tex: string, display: boolean, source: Element): HTMLElement {
    const node = document.createElement("span");
    node.className = `vc-math${display ? " vc-math-display" : ""}`;
    node.append(source);
    if (tex.length > LONGEST) failed(node, strings.formulaTooLong);
    else if (this.katex !== null) this.draw(this.katex, node, tex, display);
    else {
      this.waiting.push(() => this.katex && this.draw(this.katex, node, tex, display));
      this.bring();
    }
    return node;
  }

  private bring(): void {
    if (this.asked) return;
    this.asked = true;
    this.load().then(
      (katex) => {
        this.katex = katex;
        this.ready(katex);
        const waiting = this.waiting;
        this.waiting = [];
        step(waiting);
      },
      () => {
        // The source is there to read. The next formula tries once more.
        this.asked = false;
        this.waiting = [];
      },
    );
  }

  private draw(katex: Katex, node: HTMLElement, tex: string, display: boolean): void {
    const drawn = this.one(katex, tex, display);
    if (typeof drawn === "string") {
      failed(node, drawn);
      return;
    }
    node.replaceChildren(drawn.cloneNode(true));
    if (display) node.append(copyTex(tex));
  }

  private one(katex: Katex, tex: string, display: boolean): Drawn {
    const key = `${display ? "d" : "i"}${tex}`;
    const known = this.drawn.get(key);
    if (known !== undefined) return known;
    let drawn: Drawn;
    try {
      drawn = harmlessFormula(katex.draw(tex, display));
    } catch (error) {
      drawn = String(error instanceof Error ? error.message : error).slice(0, 300);
    }
    if (this.drawn.size >= KEPT) this.drawn.clear();
    this.drawn.set(key, drawn);
    return drawn;
  }
}

/** How long formulas that waited together are drawn at a stretch. */
const STRETCH_MS = 12;

function step(waiting: (() => void)[]): void {
  const until = performance.now() + STRETCH_MS;
  while (waiting.length > 0 && performance.now() < until) waiting.shift()?.();
  if (waiting.length > 0) requestAnimationFrame(() => step(waiting));
}

function failed(node: HTMLElement, why: string): void {
  node.classList.add("vc-math-failed");
  node.title = strings.formulaFailed(why);
}

function copyTex(tex: string): HTMLButtonElement {
  const button = copyButton(() => tex, "", "vc-button-icon vc-math-copy");
  button.setAttribute("aria-label", strings.copyFormula);
  button.title = strings.copyFormula;
  button.replaceChildren(icon("copy"));
  return button;
}
