/** What one view draws beside text: formulas and diagrams. What it needs for them comes when it is first needed. */
import type { CodeBlock } from "../render/code";
import { module, onePerPage, source } from "./assets";
import { isDark, watchTheme } from "./dark";
import { Diagram } from "./diagram";
import type { AssetFetcher } from "./fetcher";
import { Formulas, type Katex } from "./formula";
import { DiagramError, DrawingFrame } from "./frame";
import { strings } from "./strings";

/** What a Markdown view can have drawn. */
export interface Rich {
  formula(tex: string, display: boolean, source: Element): HTMLElement;
  diagram(source: string, block: CodeBlock): void;
}

export class RichView implements Rich {
  private readonly formulas: Formulas;
  private readonly diagrams = new Set<WeakRef<Diagram>>();
  private unwatch: (() => void) | null = null;
  private style: HTMLStyleElement | null = null;

  constructor(
    private readonly fetcher: AssetFetcher,
    /** The view's own element, for its colours and for styles that must be in its root. */
    private readonly el: HTMLElement,
  ) {
    this.formulas = new Formulas(
      () => module<Katex>("katex", fetcher),
      (katex) => this.styled(katex),
    );
  }

  formula(tex: string, display: boolean, source: Element): HTMLElement {
    return this.formulas.node(tex, display, source);
  }

  diagram(text: string, block: CodeBlock): void {
    const diagram = new Diagram(text, block, (what, dark) => this.draw(what, dark));
    this.diagrams.add(new WeakRef(diagram));
    this.unwatch ??= watchTheme(this.el, (dark) => this.redraw(dark));
    void diagram.redraw(isDark(this.el));
  }

  dispose(): void {
    this.unwatch?.();
    this.style?.remove();
  }

  private redraw(dark: boolean): void {
    for (const reference of this.diagrams) {
      const diagram = reference.deref();
      if (diagram) void diagram.redraw(dark);
      else this.diagrams.delete(reference);
    }
  }

  private async draw(text: string, dark: boolean): Promise<string> {
    const frame = await onePerPage("frame", async () => new DrawingFrame(await source("mermaid", this.fetcher))).catch(() => {
      throw new DiagramError(strings.assetMissing);
    });
    return frame.draw(text, dark);
  }

  /** Fonts belong to the document; rules must stand in the same root as what they style. */
  private styled({ faces, rules }: Katex): void {
    const id = "vc-formula-fonts";
    if (!document.getElementById(id)) {
      const fonts = document.createElement("style");
      fonts.id = id;
      fonts.textContent = faces;
      document.head.append(fonts);
    }
    this.style = document.createElement("style");
    this.style.textContent = rules;
    this.el.append(this.style);
  }
}
