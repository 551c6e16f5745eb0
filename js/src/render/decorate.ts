/** What our own markup adds to sanitised content: code bars, honest links, images only on request. */
import { icon } from "../icons";
import type { Rich } from "../rich/rich";
import { strings } from "../strings";
import { CodeBlock, type CellInserter } from "./code";
import { DISPLAY, fencedFormula, INLINE } from "./math";
import { safeAddress } from "./sanitize";

/** Makes a sanitised fragment ready for the page. Must run before the fragment is in a document. */
export function decorate(
  fragment: DocumentFragment,
  cells: CellInserter | null,
  growing: boolean,
  rich: Rich | null = null,
): void {
  for (const element of fragment.querySelectorAll("[src]:not(img)")) element.removeAttribute("src");
  for (const image of fragment.querySelectorAll("img")) image.replaceWith(imageButton(image));
  for (const link of fragment.querySelectorAll("a")) honest(link);
  for (const code of fragment.querySelectorAll("pre > code")) {
    const block = new CodeBlock(languageOf(code), cells);
    const text = (code.textContent ?? "").replace(/\n$/, "");
    block.update(text, growing);
    code.parentElement?.replaceWith(rich === null || growing ? block.node : drawn(rich, block.language, text, block));
  }
  for (const code of fragment.querySelectorAll(`code:is(.${DISPLAY}, .${INLINE})`)) formula(code, rich);
  for (const table of fragment.querySelectorAll("table")) scrollable(table);
  for (const box of fragment.querySelectorAll("li > input")) box.parentElement?.classList.add("vc-task");
}

/** What stands for a block of code on the page: what it draws, where it is a drawing, or itself. */
export function drawn(rich: Rich, language: string, code: string, block: CodeBlock): HTMLElement {
  const formula = fencedFormula(language, code);
  if (formula !== null) return rich.formula(formula, true, block.node);
  if (language === "mermaid") rich.diagram(code, block);
  return block.node;
}

function formula(code: Element, rich: Rich | null): void {
  const display = code.classList.contains(DISPLAY);
  code.removeAttribute("class");
  if (rich === null) return;
  const place = document.createComment("");
  code.replaceWith(place);
  place.replaceWith(rich.formula(code.textContent ?? "", display, code));
}

function languageOf(code: Element): string {
  const name = [...code.classList].find((c) => c.startsWith("language-"));
  return name ? name.slice("language-".length).toLowerCase() : "";
}

function honest(link: HTMLAnchorElement): void {
  const address = safeAddress(link.getAttribute("href"));
  if (address === null) {
    // No place a link may lead to; its text stays.
    link.replaceWith(...link.childNodes);
    return;
  }
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.title = strings.linkOpens(address);
}

/** Pictures that are in the text itself and ask nobody. An SVG is none of them: it is a document. */
const CONTAINED = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$/;

function imageButton(image: HTMLImageElement): Element {
  const source = image.getAttribute("src") ?? "";
  const address = safeAddress(source);
  const alt = image.getAttribute("alt") ?? "";
  if (CONTAINED.test(source)) return picture(source, alt);
  if (address === null || address.startsWith("mailto:")) {
    const note = document.createElement("span");
    note.className = "vc-image-refused";
    note.textContent = alt || strings.imageRefused;
    return note;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "vc-image-button";
  const shown = document.createElement("span");
  shown.className = "vc-image-address";
  shown.textContent = address;
  const label = strings.loadImage(new URL(address).host);
  button.append(icon("image"), alt ? `${label}: ${alt}` : label, shown);
  // An image stands in a link often; loading it must not follow the link.
  button.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const loaded = picture(address, alt);
    loaded.title = address;
    loaded.addEventListener("error", () => {
      shown.textContent = strings.imageFailed(address);
      loaded.replaceWith(button);
    });
    button.replaceWith(loaded);
  });
  return button;
}

function picture(address: string, alt: string): HTMLImageElement {
  const image = document.createElement("img");
  image.className = "vc-image";
  image.alt = alt;
  image.referrerPolicy = "no-referrer";
  image.src = address;
  return image;
}

function scrollable(table: HTMLTableElement): void {
  const head = table.tHead;
  // Markdown has no table without a head, so models leave it empty.
  if (head && head.textContent?.trim() === "") head.hidden = true;
  const frame = document.createElement("div");
  frame.className = "vc-table";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", strings.tableLabel);
  table.replaceWith(frame);
  frame.append(table);
}
