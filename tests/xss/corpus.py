"""Scripts in disguise, and how to see in a browser that none ran and nothing was asked for.

The payloads and where they come from are in `payloads.json`.
"""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Dialog, Locator, Page, Request

PAYLOADS: list[str] = [
    entry["payload"] for entry in json.loads(Path(__file__).with_name("payloads.json").read_text())["payloads"]
]

_DANGEROUS = """(roots) => {
    const found = [];
    const elements = "script,iframe,frame,object,embed,link,meta,base,form[action],applet,portal,audio,video,source";
    const schemes = /^\\s*(javascript|vbscript|data|file|blob):/i;
    for (const root of roots) {
        for (const element of root.querySelectorAll("*")) {
            if (element.matches(elements)) found.push(element.outerHTML.slice(0, 200));
            for (const { name, value } of element.attributes) {
                const plain = value.replace(/[\\u0000-\\u0020]/g, "");
                // An image that is all in its address asks nobody; `drawn_dangers` looks into it.
                if (name === "src" && plain.startsWith("data:image/")) continue;
                const link = ["href", "xlink:href", "action", "formaction", "to", "values"].includes(name);
                if (/^on/i.test(name) || name === "srcdoc" || name === "ping" || (link && schemes.test(plain))
                    || /canary/.test(value) && ["src", "srcset", "poster", "background", "style"].includes(name)) {
                    found.push(`${name}=${value.slice(0, 150)}`);
                }
            }
        }
    }
    return found;
}"""


_DANGEROUS_DRAWINGS = """(images) => images.flatMap((image) => {
    const text = decodeURIComponent(image.src.slice(image.src.indexOf(",") + 1));
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml");
    const found = image.naturalWidth > 0 ? [] : ["not drawn: " + text.slice(0, 200)];
    for (const element of drawing.querySelectorAll("*")) {
        if (element.matches("script,foreignObject,image,use,iframe,animate,set,feImage,parsererror"))
            found.push(element.outerHTML.slice(0, 200));
        if (element.localName === "style" && /@import|url\\(\\s*["']?[^#"']|\\\\/i.test(element.textContent))
            found.push(element.textContent.slice(0, 200));
        for (const { name, value } of element.attributes) {
            const leaves = /^on/i.test(name) || /href$/.test(name) || /url\\(\\s*["']?[^#"']/i.test(value);
            if (leaves) found.push(`${name}=${value}`);
        }
    }
    return found;
})"""


def formulas_and_diagrams() -> str:
    """Every payload in a formula and in two diagrams, where those may take it for more than text."""
    pieces: list[str] = []
    for number, payload in enumerate(PAYLOADS):
        line = " ".join(payload.split())
        formulas = (
            f"$$ {line} $$",
            rf"$\text{{{line}}}$",
            rf"\(\href{{{line}}}{{x}}\)",
            f"```math\n{payload}\n```",
        )
        pieces.append(formulas[number % 4])
    for number in range(0, len(PAYLOADS), 16):
        lines = [" ".join(payload.split()) for payload in PAYLOADS[number : number + 16]]
        labels = [line.replace('"', "#quot;") for line in lines]
        css = " ".join(labels).replace("'", "")
        diagrams = (
            ["sequenceDiagram", *(f"  A->>B: {line}" for line in lines)],
            ["graph TD", *(f'  n{n} --> B\n  click n{n} href "{label}" "{label}"' for n, label in enumerate(labels))],
            ["classDiagram", *(f'  class C{n}["{label}"]\n  C{n} : {label}' for n, label in enumerate(labels))],
            ["stateDiagram-v2", *(f"  s{n}: {line}" for n, line in enumerate(lines))],
            [
                f"%%{{init: {{'themeCSS': '{css}', 'htmlLabels': true, 'securityLevel': 'loose'}}}}%%",
                "graph TD",
                "  A --> B",
            ],
            ["graph TD", "  A --> B", "  style A fill:url(https://canary.invalid/x)", f"  style B stroke:{labels[0]}"],
            ["graph TD", *(f"  n{n}[{line}]" for n, line in enumerate(lines))],
        )
        quoted = ["graph TD", *(f'  n{n}["{label}"] --> x' for n, label in enumerate(labels))]
        pieces += ["```mermaid\n" + "\n".join(source) + "\n```" for source in (quoted, diagrams[number // 16 % 7])]
    return "\n\n".join([*pieces, "The end."])


class Watch:
    """What a page did since the watch began: dialogs that scripts opened, and requests for what was drawn."""

    def __init__(self, page: Page) -> None:
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        page.on("dialog", self._on_dialog)
        page.on("request", self._on_request)

    async def _on_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        drawn = request.resource_type in ("image", "media", "font", "stylesheet", "document", "ping", "object", "other")
        own = "/static/favicons/" in request.url  # the front end's, when the kernel becomes busy
        if "canary" in request.url or (drawn and not own and request.url.startswith("http")):
            self.requests.append(f"{request.resource_type} {request.url}")


async def dangers(drawn: Locator) -> list[Any]:
    """Elements and attributes in what was drawn that could run a script or ask another server."""
    found: list[Any] = await drawn.evaluate_all(_DANGEROUS)
    return found


async def drawn_dangers(images: Locator) -> list[str]:
    """What in drawings that were made images could run or ask, and drawings that are none."""
    found: list[str] = await images.evaluate_all(_DANGEROUS_DRAWINGS)
    return found
