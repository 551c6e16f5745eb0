/**
 * Draws diagrams in a frame that belongs to no origin: its script sees nothing of the page, its policy lets nothing
 * in or out, and what it draws comes back as text. A frame that takes too long is thrown away.
 */
import { strings } from "./strings";

const PATIENCE_MS = 10_000;

/** The frame goes when no diagram was drawn for this long. */
const IDLE_MS = 60_000;

const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

/** The script comes by a message: a page's policy may forbid a frame to load even a blob. */
const PAGE = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><body><script>
addEventListener("message", (event) => {
  if (event.source !== parent || !event.ports[0]) return;
  globalThis.vcPort = event.ports[0];
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = event.data;
  document.body.append(script);
}, { once: true });
</script>`;

/** Out of sight, yet in the window: what is outside of it is not laid out in time. */
const STYLE =
  "position:fixed;inset-block-end:0;inset-inline-start:0;width:900px;height:1px;border:0;opacity:0;pointer-events:none;z-index:-1;color-scheme:light";

interface Answer {
  readonly ready?: boolean;
  readonly number?: number;
  readonly svg?: string;
  readonly error?: string;
}

export class DrawingFrame {
  private frame: HTMLIFrameElement | null = null;
  private port: MessagePort | null = null;
  private last: Promise<unknown> = Promise.resolve();
  private number = 0;
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly script: string) {}

  /** The SVG of a diagram, after those asked for before. Rejected with what is wrong with its source. */
  draw(source: string, dark: boolean): Promise<string> {
    const drawn = this.last.then(() => this.one(source, dark));
    this.last = drawn.catch(() => undefined);
    return drawn;
  }

  private async one(source: string, dark: boolean): Promise<string> {
    clearTimeout(this.idle);
    const number = ++this.number;
    try {
      const port = await this.opened();
      const { svg, error } = await answer(port, () => port.postMessage({ number, source, dark }), (a) => a.number === number);
      if (svg === undefined) throw new DiagramError(error ?? "");
      return svg;
    } catch (error) {
      if (!(error instanceof DiagramError)) this.close();
      throw error;
    } finally {
      this.idle = setTimeout(() => this.close(), IDLE_MS);
    }
  }

  private async opened(): Promise<MessagePort> {
    if (this.port !== null) return this.port;
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.setAttribute("aria-hidden", "true");
    frame.setAttribute("style", STYLE);
    frame.tabIndex = -1;
    frame.srcdoc = PAGE;
    this.frame = frame;
    const loaded = new Promise((done) => frame.addEventListener("load", done, { once: true }));
    document.body.append(frame);
    await bounded(loaded);
    const { port1, port2 } = new MessageChannel();
    await answer(port1, () => frame.contentWindow?.postMessage(this.script, "*", [port2]), (a) => a.ready === true);
    this.port = port1;
    return port1;
  }

  private close(): void {
    this.port?.close();
    this.frame?.remove();
    this.port = this.frame = null;
  }
}

/** What is wrong with a diagram's source. */
export class DiagramError extends Error {}

function answer(port: MessagePort, ask: () => void, wanted: (answer: Answer) => boolean): Promise<Answer> {
  const come = new Promise<Answer>((resolve) => {
    port.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (wanted(data)) resolve(data);
    };
  });
  ask();
  return bounded(come);
}

function bounded<T>(promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(strings.diagramTooSlow)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
