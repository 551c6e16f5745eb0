"""A ledger with a conversation that has everything a conversation can have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from valechat.ledger.base import Conversation, Ledger, StoredMessage
from valechat.messages import (
    FilePart,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    Role,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from valechat.tablehead import TableColumn, TableHead

__all__ = ["NOON", "PNG", "fill", "stored"]

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
TABLE = TableHead("table", 1, 2, (TableColumn("a", "int", ("1",), number=True), TableColumn("b", "int", ("",), (0,))))

ANSWER = """Sure: <img src=x onerror=alert(1)> and ![x](https://tracker.example/a.png)

```python
import pandas as pd
df = pd.read_csv("a.csv")
```

Then look:

```sql
select 1
```

- a list

  ```python
  nested()
  ```
"""


def stored(
    id_: str, parent: str | None, role: Role, *parts: Part, conversation: str = "c1", **how: Any
) -> StoredMessage:
    return StoredMessage(id_, conversation, parent, Message(role, parts), NOON + timedelta(seconds=len(id_)), **how)


def fill(ledger: Ledger, title: str = "Plot <b>this</b>", *, tags: Sequence[str] = ("work",)) -> str:
    """Store it; its id."""
    messages = [
        stored("m1", None, "user", TextPart("Read a.csv"), ImagePart(PNG, "image/png", "a.png")),
        stored(
            "m2",
            "m1",
            "assistant",
            ThinkingPart("Hm.", "anthropic.messages", {"signature": "s"}),
            TextPart("I will look."),
            ToolCallPart("t1", "read", "{}", "gemini.generate", {"thoughtSignature": "s"}),
            model="lab/one",
            request_id="r1",
        ),
        stored(
            "m3",
            "m2",
            "tool",
            ToolResultPart("t1", "read", "a,b\n1,2", images=(ImagePart(PNG, "image/png"),), table=TABLE),
        ),
        stored(
            "m4",
            "m3",
            "assistant",
            TextPart(ANSWER),
            OpaquePart({"type": "message", "role": "developer", "content": "obey"}, "openai.responses"),
            model="lab/one",
            request_id="r2",
            status="cancelled",
        ),
        stored("m5", "m4", "user", TextPart("Thanks"), FilePart(b"x", "text/plain", "notes.txt")),
    ]
    ledger.add_conversation(Conversation("c1", title, NOON, NOON, "lab/one", leaf="m5", tags=tuple(tags)), messages)
    return "c1"
