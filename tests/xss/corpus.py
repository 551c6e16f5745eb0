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
