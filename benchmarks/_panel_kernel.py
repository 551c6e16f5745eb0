"""The kernel's side of `bench_panel.py`: ways to show answers as they arrive, and what is shown.

Runs in the notebook. Each way gets tokens where a turn's text enters it, from a thread that keeps the pace,
so that what is compared is the way from there to the screen.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Protocol

__all__ = ["WAYS", "feed", "long_conversation", "long_list", "turns"]

LIBRARIES = Path(__file__).parents[1] / "js" / "node_modules"

ANSWER = """## What the table says

The **mean** of `bill_length` differs between the species, and the *spread* does too. A look at the counts before
any test is worth its time, because a group of five tells little about the species it came from.

- Adelie is the most frequent one
- Gentoo has the longest bills
- two rows have no sex, and should be named where they are left out

```python
import pandas as pd

penguins = pd.read_csv("penguins.csv")
summary = penguins.groupby("species")["bill_length"].agg(["mean", "std", "count"])
print(summary.round(2))
```

| species | mean | std |
|---|---|---|
| Adelie | 38.79 | 2.66 |
| Gentoo | 47.50 | 3.08 |

"""


class Way(Protocol):
    """How answers are shown. `show` runs in a cell, the others in another thread."""

    def show(self, streams: int) -> None: ...
    def begin(self) -> None: ...
    def token(self, stream: int, text: str) -> None: ...
    def end(self) -> None: ...


class Valechat:
    """The panel: all answers in one, by its own way out."""

    def __init__(self) -> None:
        import valechat
        from valechat.engine import engine
        from valechat.notebook.panel import panel_of

        self._chat = valechat.Chat("demo/echo")
        self._outbox = panel_of(self._chat)._views.outbox
        self._loop = engine().loop
        self._streams = 0
        self._texts: list[list[str]] = []
        self._run = 0

    def show(self, streams: int) -> None:
        from valechat.notebook.panel import show

        self._streams = streams
        show(self._chat)

    def begin(self) -> None:
        from valechat.notebook.shown import blank_answer, question_shown

        self._run += 1
        self._texts = [[] for _ in range(self._streams)]
        for stream in range(self._streams):
            turn = self._turn(stream)
            self._send(
                type="turn_started",
                turn=turn,
                question={**question_shown(f"q-{turn}", f"Question {turn}", datetime.now(UTC)), "turn": turn},
                answer=blank_answer(f"a-{turn}", "demo/echo", turn),
            )

    def token(self, stream: int, text: str) -> None:
        self._texts[stream].append(text)
        self._loop.call_soon_threadsafe(self._outbox.text, self._turn(stream), text)

    def end(self) -> None:
        from valechat.notebook.shown import blank_answer

        for stream, text in enumerate(self._texts):
            turn = self._turn(stream)
            answer = blank_answer(f"a-{turn}", "demo/echo", turn)
            answer.update({"status": "complete", "turn": None, "text": "".join(text)})
            self._send(type="turn_ended", turn=turn, answer=answer, total_cost=None, unpriced=0)

    def _turn(self, stream: int) -> str:
        return f"{self._run}-{stream}"

    def _send(self, **message: Any) -> None:
        self._loop.call_soon_threadsafe(self._outbox.send, message)


class Naive:
    """A widget each, whose text is a trait: with every token the whole text is sent and drawn again."""

    def __init__(self) -> None:
        self._widgets: list[Any] = []

    def show(self, streams: int) -> None:
        import anywidget
        import traitlets
        from IPython.display import display

        class Answer(anywidget.AnyWidget):
            _esm = _drawing("""
                const draw = () => { el.innerHTML = DOMPurify.sanitize(marked.parse(model.get("text"))); };
                el.classList.add("bench-naive"); model.on("change:text", draw); draw();""")
            text = traitlets.Unicode("").tag(sync=True)

        self._widgets = [Answer() for _ in range(streams)]
        for widget in self._widgets:
            display(widget)

    def begin(self) -> None: ...

    def token(self, stream: int, text: str) -> None:
        self._widgets[stream].text += text

    def end(self) -> None: ...


class Chatlas:
    """What chatlas shows in a notebook: its own display, told of each token as its `chat()` tells it."""

    def __init__(self) -> None:
        self._displays: list[Any] = []

    def show(self, streams: int) -> None:
        from chatlas import _chat
        from chatlas._display import IPyMarkdownDisplay

        options = getattr(_chat, "EMPTY_ECHO", None) or {
            "rich_markdown": {},
            "rich_console": {},
            "css_styles": {},
            "tool_result_max_lines": 20,
            "tool_result_max_height": "400px",
            "thinking_max_lines": None,
            "web_activity_max_sources": None,
            "image_max_lines": None,
        }
        self._displays = [IPyMarkdownDisplay(options) for _ in range(streams)]
        for one in self._displays:
            one.__enter__()

    def begin(self) -> None: ...

    def token(self, stream: int, text: str) -> None:
        self._displays[stream].echo(text)

    def end(self) -> None: ...


WAYS: dict[str, type[Way]] = {"ValeChat": Valechat, "naive": Naive, "chatlas": Chatlas}


def feed(way: Way, streams: int, rate: int, seconds: float, start: int = 0) -> threading.Thread:
    """Tell `streams` answers at once, `rate` tokens a second each, after `start` characters that are there at once.

    Every tenth token says when it was told; the last word is `END`.
    """

    def run() -> None:
        way.begin()
        pieces = _tokens()
        if start:
            text = (ANSWER * (start // len(ANSWER) + 1))[:start].rsplit("\n\n", 1)[0] + "\n\n"
            for stream in range(streams):
                way.token(stream, text)
            time.sleep(2)
        begun, count = time.monotonic(), int(rate * seconds)
        for number in range(count):
            if (wait := begun + number / rate - time.monotonic()) > 0:
                time.sleep(wait)
            piece = next(pieces)
            mark = f"@{time.time() * 1000:.0f} " if number % 10 == 0 else ""
            for stream in range(streams):
                way.token(stream, mark + piece)
        for stream in range(streams):
            way.token(stream, "\n\n```\n```\n\nEND")
        time.sleep(1)
        way.end()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def turns(way: Way, count: int, tokens: int) -> threading.Thread:
    """Tell answers of so many tokens one after the other, each in a quarter of a second."""

    def run() -> None:
        pieces = _tokens()
        for _ in range(count):
            way.begin()
            for number in range(tokens):
                way.token(0, next(pieces))
                if number % (tokens // 5) == 0:
                    time.sleep(0.05)
            way.end()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def long_conversation(count: int) -> Any:
    """A chat whose conversation has so many messages in the ledger."""
    import valechat
    from valechat.ledger.base import Conversation, StoredMessage
    from valechat.messages import Message, TextPart
    from valechat.services import services

    at = datetime(2026, 1, 1, tzinfo=UTC)
    ledger = services().ledger
    ledger.start_conversation(Conversation("long", "Long", at, at, "demo/echo"))
    ledger.add_messages(
        [
            StoredMessage(
                f"m{number}",
                "long",
                f"m{number - 1}" if number else None,
                Message("assistant" if number % 2 else "user", (TextPart(_said(number)),)),
                at + timedelta(seconds=number),
                "demo/echo" if number % 2 else None,
            )
            for number in range(count)
        ]
    )
    return valechat.Chat("demo/echo", conversation="long")


def long_list(count: int) -> Any:
    """The same in the naive way: a widget that draws them all."""
    import anywidget
    import traitlets

    class Messages(anywidget.AnyWidget):
        _esm = _drawing("""
            const begun = performance.now();
            el.classList.add("bench-list"); el.style.cssText = "height: 600px; overflow: auto";
            for (const text of model.get("texts")) {
                const one = document.createElement("div");
                one.innerHTML = DOMPurify.sanitize(marked.parse(text));
                el.append(one);
            }
            requestAnimationFrame(() => requestAnimationFrame(() => {
                window.benchList = { paint: performance.now() - begun, nodes: el.querySelectorAll("*").length };
            }));""")
        texts = traitlets.List().tag(sync=True)

    return Messages(texts=[_said(number) for number in range(count)])


def _said(number: int) -> str:
    return f"{number}: {ANSWER}" if number % 2 else f"Question {number}: what does the table say about them?"


def _tokens() -> Iterator[str]:
    return cycle([word + " " if not word.endswith("\n") else word for word in _words()])


def _words() -> list[str]:
    return [word for line in ANSWER.splitlines(keepends=True) for word in (line.split(" ") if line.strip() else [line])]


def _drawing(body: str) -> str:
    """A widget's module that has marked and DOMPurify and runs `body` with `model` and `el`."""
    sources = {
        "marked": (LIBRARIES / "marked" / "lib" / "marked.esm.js").read_text(encoding="utf-8"),
        "purify": (LIBRARIES / "dompurify" / "dist" / "purify.es.mjs").read_text(encoding="utf-8"),
    }
    return f"""
        const sources = {json.dumps(sources)};
        const load = (text) => import(URL.createObjectURL(new Blob([text], {{ type: "text/javascript" }})));
        export default {{ async render({{ model, el }}) {{
            const {{ marked }} = await load(sources.marked);
            const {{ default: DOMPurify }} = await load(sources.purify);
            {body}
        }} }};"""
