/** What KaTeX and mermaid drew, checked once more: a fault of theirs must not become the page's. */
import createPurifier, { type Config } from "dompurify";

import { strings } from "./strings";

const MATHML =
  "annotation math menclose mfrac mi mlabeledtr mn mo mover mpadded mphantom mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics";

const MATH: Config = {
  ALLOWED_TAGS: ["span", "svg", "path", "line", ...MATHML.split(" ")],
  ALLOWED_ATTR: [
    ..."aria-hidden class d display encoding height preserveAspectRatio stroke-width style viewBox width x1 x2 xmlns y1 y2".split(" "),
    ..."accent accentunder columnalign columnlines columnspacing depth displaystyle fence form linebreak linethickness".split(" "),
    ..."lspace mathbackground mathcolor mathsize mathvariant maxsize minsize movablelimits notation rowlines rowspacing".split(" "),
    ..."rspace scriptlevel separator side stretchy symmetric voffset".split(" "),
  ],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  IN_PLACE: true,
};

/** A style that may load, or leave its place. */
const RISKY_STYLE = /url|image|expression|fixed|sticky|absolute|\\|@/i;

const math = createPurifier(window);
math.setConfig(MATH);
math.addHook("uponSanitizeAttribute", (_, data) => {
  if (data.attrName === "style" && RISKY_STYLE.test(data.attrValue)) data.keepAttr = false;
});

/** A drawn formula, with nothing in it but what formulas need. */
export function harmlessFormula(drawn: HTMLElement): HTMLElement {
  math.sanitize(drawn);
  return drawn;
}

const SVG: Config = {
  USE_PROFILES: { svg: true, svgFilters: true },
  ADD_TAGS: ["style"],
  ADD_ATTR: ["dominant-baseline", "marker-end", "marker-start", "orient", "refX", "refY"],
  FORBID_TAGS: ["animate", "animateMotion", "animateTransform", "feImage", "foreignObject", "image", "script", "set", "use"],
  FORBID_ATTR: ["href", "xlink:href", "target"],
  ALLOW_DATA_ATTR: false,
  RETURN_DOM: true,
};

const svg = createPurifier(window);
svg.setConfig(SVG);
svg.addHook("uponSanitizeAttribute", (_, data) => {
  if (leaves(data.attrValue)) data.keepAttr = false;
});
svg.addHook("uponSanitizeElement", (node, data) => {
  if (data.tagName === "style" && leaves(node.textContent ?? "")) node.textContent = "";
});

/** Whether a style or an attribute names anything but a part of the same picture. */
function leaves(text: string): boolean {
  return /@import|\\|(?:image-set|image|src|cross-fade)\s*\(/i.test(text) || /url\s*\(\s*(?!["']?#)/i.test(text);
}

/** Characters that HTML has and XML does not; with one of them an image is none. */
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

export interface Picture {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

/**
 * A drawn diagram as an image. As an image it runs nothing and loads nothing, whatever is in it, and its styles are
 * its own.
 */
export function harmlessPicture(text: string): Picture {
  const body = svg.sanitize(text) as unknown as Element;
  const element = body.querySelector("svg");
  const box = (element?.getAttribute("viewBox") ?? "").trim().split(/[\s,]+/).map(Number);
  const [, , width, height] = box;
  if (!element || width === undefined || height === undefined || !(width > 0 && height > 0)) {
    throw new Error(strings.diagramEmpty);
  }
  element.setAttribute("width", String(width));
  element.setAttribute("height", String(height));
  const xml = new XMLSerializer().serializeToString(element).replace(NOT_XML, "");
  return { url: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(xml)}`, width, height };
}
