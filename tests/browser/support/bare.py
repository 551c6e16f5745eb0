"""The panel on a page without any Jupyter: the real bundle in a real browser, and a kernel of two answers."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page

from valechat.notebook.assets import _packed, static
from valechat.notebook.protocol import MessageShown

ADDRESS = "http://panel.invalid/"

_MOUNT = """async ({esm, css, state, assets, shadow}) => {
    const outer = document.body.appendChild(document.createElement("div"));
    const root = shadow ? outer.attachShadow({mode: "open"}) : outer;
    const style = root.appendChild(document.createElement("style"));
    style.textContent = css;
    const el = root.appendChild(document.createElement("div"));
    const listeners = {};
    const say = (message, buffers) => (listeners["msg:custom"] ?? []).forEach((listen) => listen(message, buffers));
    let seq = 1;
    const model = {
        get() {}, off() {},
        on(name, listen) { (listeners[name] ??= []).push(listen); },
        send(message) {
            if (message.type === "hello") queueMicrotask(() => say({...state, seq}, []));
            if (message.type !== "need_asset") return;
            const bytes = Uint8Array.from(atob(assets[message.name]), (c) => c.charCodeAt(0)).slice(message.at);
            const piece = bytes.slice(0, 200_000);
            const reply = {...message, type: "asset", seq: ++seq, left: bytes.length - piece.length};
            setTimeout(() => say(reply, [new DataView(piece.buffer)]));
        },
    };
    const url = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
    const widget = (await import(url)).default();
    widget.initialize({model});
    widget.render({model, el});
}"""


@dataclass
class BarePanel:
    """A panel and the page it is alone on."""

    page: Page
    root: Locator
    errors: list[str] = field(default_factory=list)


async def bare_panel(context: BrowserContext, messages: Sequence[MessageShown], *, shadow: bool = False) -> BarePanel:
    """A panel that shows these messages; in a shadow root, as marimo draws it, where that is asked for."""
    page = await context.new_page()
    panel = BarePanel(page, page.locator(".vc-panel"))
    page.on("pageerror", lambda error: panel.errors.append(error.message))
    await page.route(ADDRESS, lambda route: route.fulfill(content_type="text/html", body="<!doctype html><body>"))
    await page.goto(ADDRESS)
    state: dict[str, Any] = {
        "type": "state",
        "conversation_id": "c",
        "title": "",
        "messages": list(messages),
        "model": "demo/echo",
        "models": [],
        "total_cost": None,
        "unpriced": 0,
        "draft": "",
    }
    argument = {
        "esm": static("panel.js").read_text(),
        "css": static("panel.css").read_text(),
        "state": state,
        "assets": {name: base64.b64encode(_packed(name)).decode() for name in ("katex", "mermaid")},
        "shadow": shadow,
    }
    await page.evaluate(_MOUNT, argument)
    return panel
