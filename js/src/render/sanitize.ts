/**
 * Untrusted HTML made harmless. All that a model, a tool or a server wrote passes through here.
 *
 * Beyond what DOMPurify removes by itself: nothing that loads an address (an image's address tells a
 * stranger that it was drawn), no style, id, name or data attribute (JupyterLab runs commands named in
 * `data-commandlinker-command`), and no class but the ones our highlighting writes.
 */
import createPurifier, { type Config } from "dompurify";

const CONFIG: Config = {
  ALLOWED_TAGS: [
    ..."a abbr b blockquote br caption code col colgroup dd del details dfn div dl dt em h1 h2 h3 h4 h5 h6".split(" "),
    ..."hr i img input ins kbd li mark ol p pre q s samp small span strong sub summary sup".split(" "),
    ..."table tbody td tfoot th thead tr u ul var".split(" "),
  ],
  ALLOWED_ATTR: [
    ..."align alt checked class colspan disabled href lang open rowspan scope src start title type".split(" "),
  ],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  IN_PLACE: true,
};

const OUR_CLASS = /^(hljs(-[\w-]+)?|language-[\w+#.-]+|[a-z]+_)$/;

const purifier = createPurifier(window);
// Given with each call it would be read anew each time, which takes as long as a small block itself.
purifier.setConfig(CONFIG);

purifier.addHook("afterSanitizeAttributes", (element) => {
  const classes = element.getAttribute("class");
  if (classes !== null) {
    const kept = classes.split(/\s+/).filter((name) => OUR_CLASS.test(name));
    if (kept.length) element.setAttribute("class", kept.join(" "));
    else element.removeAttribute("class");
  }
  // A task list's box is drawn, never used; any other field could ask for a secret.
  if (element.tagName === "INPUT") {
    if (element.getAttribute("type") === "checkbox") element.setAttribute("disabled", "");
    else element.remove();
  }
});

/** How often a document serves. Each purification leaves an iterator on it, at which every later change has to look. */
const USES = 32;

/** Belongs to no window: what is parsed in it runs no script and loads no image. */
let inert = document.implementation.createHTMLDocument("");
let uses = 0;

/** The harmless part of some HTML. Images are still in it: `decorate` must see them before a page does. */
export function sanitized(html: string): DocumentFragment {
  if (++uses % USES === 0) inert = document.implementation.createHTMLDocument("");
  const parsed = inert.createElement("div");
  parsed.innerHTML = html;
  purifier.sanitize(parsed);
  const fragment = inert.createDocumentFragment();
  fragment.append(...parsed.childNodes);
  return fragment;
}

/** The address in full when a link may lead there, else null: absolute http, https and mailto only. */
export function safeAddress(text: string | null): string | null {
  if (text === null || !URL.canParse(text)) return null;
  const url = new URL(text);
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}
