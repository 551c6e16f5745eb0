"""A model server whose answers are written beforehand: what the documentation's pictures show.

A question is answered by its model's text; where the notebook's `query_data` is offered, the model first calls it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.chatwire import event, said
from tests.providers.faults import Connection, FaultServer, chunked, head

__all__ = ["PRICES", "QUESTION", "configure", "scripted"]

QUESTION = "Which species has the longest bills?"

SQL = """SELECT species, count(*) AS penguins, round(avg(bill_length_mm), 1) AS bill_length
FROM penguins GROUP BY species ORDER BY bill_length DESC"""

FOUND = """**Chinstrap**, by a little: 48.4 mm on average, with Gentoo at 47.0 mm and Adelie at 38.8 mm.

The difference of the first two is smaller than the spread within each, so look at the distributions
before you rely on it:

```python
penguins.boxplot("bill_length_mm", by="species")
```
"""

ANSWERS = {
    "large": """**Chinstrap**, narrowly. Means are close enough that the order may be an accident of the sample.

| species | mean, mm |
|---|---:|
| Chinstrap | 48.4 |
| Gentoo | 47.0 |
| Adelie | 38.8 |
""",
    "medium": """Chinstrap penguins have the longest bills:

1. Chinstrap, 48.4 mm
2. Gentoo, 47.0 mm
3. Adelie, 38.8 mm
""",
    "small": "Chinstrap, with 48.4 mm on average.\n",
}

PRICES = {"large": ("3", "0.3", "15"), "medium": ("0.8", "0.08", "4"), "small": ("0.1", "0.01", "0.4")}
"""Dollars for a million tokens of input, of input from the cache, and of output."""

SECONDS = {"large": 0.05, "medium": 0.02, "small": 0.01}
"""Between two pieces."""


def configure(home: Path, url: str) -> None:
    """A user's settings with these models, their prices, and limits."""
    prices = "\n".join(
        f'[prices."lab/{name}"]\ninput = "{given}"\ncache_read = "{cached}"\noutput = "{answered}"'
        for name, (given, cached, answered) in PRICES.items()
    )
    home.joinpath("config.toml").write_text(
        f'default_model = "lab/large"\n[limits]\ndaily = "5"\nmonthly = "60"\n'
        f'[providers.lab]\nkind = "openai-compatible"\nbase_url = "{url}"\n{prices}\n'
    )


def scripted() -> FaultServer:
    """The server, to be entered."""

    async def answer(connection: Connection) -> None:
        request = server.requests[-1]
        if request.method == "GET":
            listed = b'{"data": [%s]}' % b", ".join(b'{"id": "%s"}' % name.encode() for name in ANSWERS)
            await connection.send(
                head(200, {"content-type": "application/json", "content-length": str(len(listed))}) + listed
            )
            return
        body = request.json
        pieces = _pieces(body)
        await connection.send(head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        for piece in pieces:
            await connection.send(chunked(piece))
            await asyncio.sleep(SECONDS[body["model"]])
        await connection.send(b"0\r\n\r\n")

    server = FaultServer(answer)
    return server


def _pieces(body: dict[str, Any]) -> list[bytes]:
    text = ANSWERS[body["model"]]
    names = [tool["function"]["name"] for tool in body.get("tools", [])]
    query = next((name for name in names if name.endswith("query_data")), None)
    asked = len(str(body["messages"])) // 4
    if query is not None and body["messages"][-1]["role"] == "user":
        arguments = '{"sql": "' + SQL.replace("\n", "\\n") + '"}'
        call = {"index": 0, "id": "call_1", "function": {"name": query, "arguments": arguments}}
        return [
            event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}),
            *_end("tool_calls", asked, len(SQL) // 4),
        ]
    text = FOUND if query is not None else text
    words = [word + " " for word in text.split(" ")]
    return [*said(*words), *_end("stop", asked, len(text) // 4)]


def _end(reason: str, asked: int, answered: int) -> list[bytes]:
    usage = {"prompt_tokens": asked, "completion_tokens": answered}
    return [
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}),
        event({"choices": [], "usage": usage}),
        b"data: [DONE]\n\n",
    ]
