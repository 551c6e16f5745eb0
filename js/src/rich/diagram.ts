/** A mermaid diagram in the place of its source, which stays a click away and is shown when it cannot be drawn. */
import { icon } from "../icons";
import type { CodeBlock } from "../render/code";
import { harmlessPicture, type Picture } from "./harmless";
import { strings } from "./strings";

/** Draws a source for a light or a dark ground. */
export type Draw = (source: string, dark: boolean) => Promise<string>;

/** Characters of the longest source that is drawn. */
const LONGEST = 20_000;

/** A picture is made narrower to fit, down to this part of its size; below that it can be scrolled. */
const SMALLEST = 0.55;

export class Diagram {
  private readonly holder = document.createElement("div");
  private readonly toggle = document.createElement("button");
  private readonly message = document.createElement("p");
  private picture = false;
  private chosen = true;
  private number = 0;

  constructor(
    private readonly source: string,
    private readonly block: CodeBlock,
    private readonly draw: Draw,
  ) {
    this.holder.className = "vc-diagram";
    this.holder.tabIndex = 0;
    this.message.className = "vc-diagram-message";
    this.message.setAttribute("role", "status");
    this.toggle.type = "button";
    this.toggle.className = "vc-button-text";
    this.toggle.addEventListener("click", () => {
      this.chosen = !this.chosen;
      this.show();
    });
    block.draws(this.toggle, this.message, this.holder);
    this.show();
  }

  /** Draws for this ground. What was drawn before stays until then. */
  async redraw(dark: boolean): Promise<void> {
    const number = ++this.number;
    if (this.source.length > LONGEST) {
      this.say(strings.diagramFailed(strings.diagramTooLong));
      return;
    }
    if (!this.picture) this.say(strings.diagramDrawing, true);
    try {
      const svg = await this.draw(this.source, dark);
      if (number === this.number) this.place(harmlessPicture(svg));
    } catch (error) {
      if (number === this.number && !this.picture) this.say(strings.diagramFailed(brief(error)));
    }
  }

  private place({ url, width, height }: Picture): void {
    const image = document.createElement("img");
    image.alt = strings.diagramOf(kindOf(this.source));
    image.width = Math.ceil(width);
    image.height = Math.ceil(height);
    image.style.minWidth = `${Math.round(width * SMALLEST)}px`;
    image.addEventListener("error", () => {
      this.picture = false;
      this.say(strings.diagramFailed(strings.diagramEmpty));
      this.show();
    });
    image.src = url;
    this.holder.replaceChildren(image);
    this.picture = true;
    this.say("");
    this.show();
  }

  private say(text: string, busy = false): void {
    this.message.textContent = text;
    this.message.hidden = text === "";
    this.block.node.setAttribute("aria-busy", String(busy));
  }

  private show(): void {
    const drawn = this.picture && this.chosen;
    this.holder.hidden = !drawn;
    this.toggle.hidden = !this.picture;
    this.block.showSource(!drawn);
    this.toggle.replaceChildren(icon(drawn ? "file" : "image"), drawn ? strings.showSource : strings.showDiagram);
    this.toggle.setAttribute("aria-pressed", String(!drawn));
  }
}

/** What kind of diagram a source names: its first word that is no comment and no setting. */
function kindOf(source: string): string {
  const bare = source.replace(/^---\n[^]*?\n---\n/, "").replace(/%%[^\n]*\n/g, "");
  return (/[A-Za-z]+/.exec(bare)?.[0] ?? "").replace(/^graph$/, "flowchart");
}

function brief(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, 600);
}
