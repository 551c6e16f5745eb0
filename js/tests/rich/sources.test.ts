import { render } from "lit-html";
import { describe, expect, it } from "vitest";

import { answerFiles, sources } from "../../src/rich/sources";
import { message, question } from "../kernel";
import { all, panel } from "../render/page";

function drawn(template: unknown): HTMLElement {
  const node = document.createElement("div");
  render(template, node);
  return node;
}

const cited = (url: string, title = "", quote = "") => ({ url, title, quote });

describe("the sources of an answer", () => {
  it("are numbered links below it that tell their whole address", async () => {
    const answer = message({ text: "Rates fell.", citations: [cited("https://example.org/a?b=1", "Rates", "fell by half")] });
    await panel({ messages: [question("?"), answer] });
    const [link] = all(".vc-answer .vc-sources ol a") as HTMLAnchorElement[];
    expect([link?.textContent, link?.href, link?.rel]).toEqual(["Rates", "https://example.org/a?b=1", "noopener noreferrer"]);
    expect(link?.getAttribute("aria-label")).toContain("https://example.org/a?b=1");
    expect(all(".vc-source-told")[0]?.textContent).toContain("https://example.org/a?b=1");
    expect(all(".vc-source-quote")[0]?.textContent).toBe("fell by half");
  });

  it("without a title are named by their host", () => {
    expect(drawn(sources([cited("https://example.org/a")])).querySelector("a")?.textContent).toBe("example.org");
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "", "lab/tree"])("with the address %j are no links", (url) => {
    const node = drawn(sources([cited(url, "A file")]));
    expect(node.querySelector("a")).toBeNull();
    expect(node.textContent).toContain("A file");
  });

  it("beyond six are folded and go on with their numbers", () => {
    const node = drawn(sources(Array.from({ length: 9 }, (_, i) => cited(`https://example.org/${i}`))));
    expect(node.querySelectorAll("section > ol > li")).toHaveLength(6);
    expect(node.querySelector("details ol")?.getAttribute("start")).toBe("7");
    expect(node.querySelector("summary")?.textContent).toBe("All 9 sources");
  });

  it("are absent where none was named", () => {
    expect(drawn(sources([])).textContent).toBe("");
    expect(drawn(sources(undefined)).textContent).toBe("");
  });
});

describe("a picture of an answer", () => {
  it("is drawn with its name and can be saved", async () => {
    const url = "data:image/png;base64,iVBORw0KGgo=";
    const file = { name: "picture.png", media_type: "image/png", size: 8, url, path: "" };
    await panel({ messages: [question("?"), message({ text: "Here.", files: [file] })] });
    expect((all(".vc-answer-files img")[0] as HTMLImageElement).alt).toBe("picture.png");
    const saved: string[] = [];
    document.addEventListener("click", (event) => {
      const link = event.target as HTMLAnchorElement;
      if (link.download) saved.push(link.download);
    });
    HTMLAnchorElement.prototype.click = function () {
      saved.push(this.download);
    };
    all(".vc-answer-files button")[0]?.click();
    expect(saved).toEqual(["picture.png"]);
  });

  it("too large to be sent is named", () => {
    const file = { name: "p.png", media_type: "image/png", size: 9_000_000, url: null, path: "" };
    const node = drawn(answerFiles([file]));
    expect(node.querySelector("img, button")).toBeNull();
    expect(node.textContent).toContain("p.png");
  });
});
