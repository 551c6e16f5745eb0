"""`valechat ask`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys

from valechat.chat import Chat
from valechat.cli.asker import ask_at_the_terminal
from valechat.cli.output import harmless, note, shown
from valechat.cli.terminal import ask_passphrase
from valechat.engine import engine
from valechat.errors import ConfigError
from valechat.events import DoneEvent, ProgressEvent, StatusEvent, TextEvent
from valechat.pluginverbs.toolnames import plugins_by_name
from valechat.reply import Reply
from valechat.services import services

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Ask, and write the answer as it arrives. Fails when the answer is not complete."""
    question = _question(options.question)
    chat = Chat(
        options.model,
        system=options.system,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        conversation=options.conversation,
        plugins=plugins_by_name(name.strip() for name in (options.tools or "").split(",") if name.strip()),
    )
    ask_at_the_terminal()
    services().keys.ask_passphrase = ask_passphrase
    reply = asyncio.run(_answer(chat, question, options))
    if options.format == "json":
        json.dump(_as_json(chat, reply), sys.stdout, ensure_ascii=sys.stdout.isatty(), indent=2)
        sys.stdout.write("\n")
    elif not reply.text.endswith("\n"):
        sys.stdout.write("\n")
    sys.stdout.flush()
    note(_bill(reply))
    return 0 if reply.status == "complete" else 1


async def _answer(chat: Chat, question: str, options: argparse.Namespace) -> Reply:
    turn = chat.turn(
        question, images=options.image, files=options.attach, max_cost=options.max_cost, confirmed=options.yes
    )
    async with contextlib.aclosing(engine().iterate(turn)) as events:
        async for event in events:
            if isinstance(event, TextEvent) and options.format != "json":
                sys.stdout.write(harmless(event.text))
                sys.stdout.flush()
            elif isinstance(event, StatusEvent) and not isinstance(event, ProgressEvent):
                note(harmless(event.text))
            elif isinstance(event, DoneEvent):
                return event.reply
    raise AssertionError("a turn that does not raise ends with `done`")


def _question(words: list[str]) -> str:
    said = " ".join(words)
    piped = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    question = "\n\n".join(part for part in (said, piped) if part.strip())
    if not question:
        raise ConfigError("There is no question.", fix='Write it behind the command: valechat ask "What is 2 + 2?"')
    return question


def _bill(reply: Reply) -> str:
    usage = reply.usage
    tokens = f"{shown(usage.input_tokens) or '?'} tokens in, {shown(usage.output_tokens) or '?'} out"
    cost = "cost unknown" if reply.cost is None else f"${shown(reply.cost)}"
    ending = "" if reply.status == "complete" else f" · {reply.status}"
    return f"{reply.model} · {tokens} · {cost}{ending}"


def _as_json(chat: Chat, reply: Reply) -> dict[str, object]:
    return {
        "text": reply.text,
        "model": reply.model,
        "status": reply.status,
        "cost": None if reply.cost is None else shown(reply.cost),
        "input_tokens": reply.usage.input_tokens,
        "output_tokens": reply.usage.output_tokens,
        "conversation": chat.conversation_id,
        "request_ids": list(reply.request_ids),
    }
