/** What our own markup adds to sanitised content: code bars, honest links, images only on request. */
import { icon } from "../icons";
import { strings } from "../strings";
import { CodeBlock, type CellInserter } from "./code";
import { safeAddress } from "./sanitize";

/** Makes a sanitised fragment ready for the page. Must run before the fragment is in a document. */
export function decorate(fragment: DocumentFragment, cells: CellInserter | null, growing: boolean): void {
  for (const image of fragment.querySelectorAll("img")) image.replaceWith(imageButton(image));
  for (const link of fragment.querySelectorAll("a")) honest(link);
  for (const code of fragment.querySelectorAll("pre > code")) {
    const block = new CodeBlock(languageOf(code), cells);
    block.update((code.textContent ?? "").replace(/\n$/, ""), growing);
    code.parentElement?.replaceWith(block.node);
  }
  for (const table of fragment.querySelectorAll("table")) scrollable(table);
  for (const box of fragment.querySelectorAll("li > input")) box.parentElement?.classList.add("vc-task");
  for (const element of fragment.querySelectorAll("[src]")) element.removeAttribute("src");
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

function imageButton(image: HTMLImageElement): Element {
  const address = safeAddress(image.getAttribute("src"));
  const alt = image.getAttribute("alt") ?? "";
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
  button.append(icon("image"), alt ? `${strings.loadImage}: ${alt}` : strings.loadImage, shown);
  // An image stands in a link often; loading it must not follow the link.
  button.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const loaded = document.createElement("img");
    loaded.className = "vc-image";
    loaded.alt = alt;
    loaded.title = address;
    loaded.referrerPolicy = "no-referrer";
    loaded.src = address;
    button.replaceWith(loaded);
  });
  return button;
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
