/**
 * mermaid as the panel uses it: a script for a frame that has no origin and can reach nothing (`rich/frame.ts`). It
 * takes sources through the port its page gives it and answers with SVG.
 */
import mermaid from "mermaid";

interface Task {
  readonly number: number;
  readonly source: string;
  readonly dark: boolean;
}

const FONT = "system-ui, sans-serif";

/** What a source's own directives may not change. */
const SECURE = ["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "suppressErrorRendering", "htmlLabels", "fontFamily", "altFontFamily", "themeCSS", "dompurifyConfig"];

async function drawn({ number, source, dark }: Task): Promise<string> {
  mermaid.initialize({
    altFontFamily: FONT,
    darkMode: dark,
    deterministicIds: true,
    fontFamily: FONT,
    htmlLabels: false,
    flowchart: { htmlLabels: false },
    class: { htmlLabels: false },
    journey: { textPlacement: "old" },
    maxEdges: 300,
    maxTextSize: 20_000,
    secure: SECURE,
    securityLevel: "strict",
    startOnLoad: false,
    suppressErrorRendering: true,
    theme: dark ? "dark" : "neutral",
  });
  const { svg } = await mermaid.render(`vc${number}`, source);
  // mermaid writes HTML's form of SVG; an image has to be XML.
  const holder = document.createElement("template");
  holder.innerHTML = svg;
  const element = holder.content.querySelector("svg");
  if (element === null) throw new Error("mermaid drew nothing");
  return new XMLSerializer().serializeToString(element);
}

function serve(port: MessagePort): void {
  port.onmessage = ({ data }: MessageEvent<Task>) => {
    drawn(data).then(
      (svg) => port.postMessage({ number: data.number, svg }),
      (error: unknown) => port.postMessage({ number: data.number, error: String(error instanceof Error ? error.message : error) }),
    );
  };
  port.postMessage({ ready: true });
}

serve((globalThis as unknown as { vcPort: MessagePort }).vcPort);
