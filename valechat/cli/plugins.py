"""`valechat plugins …`: MCP servers without a notebook. Starts only what a verb needs, and stops it."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import sys

from valechat.cli.asker import TerminalLine, ask_at_the_terminal, somebody_is_there
from valechat.cli.output import emit, harmless, note, say
from valechat.cli.terminal import ask_passphrase
from valechat.engine import engine
from valechat.plaintext import plain
from valechat.plugins.base import Answer
from valechat.pluginverbs.blocks import Answered, Block, Code, Note, Said, Table
from valechat.pluginverbs.desk import Desk
from valechat.pluginverbs.plain import as_json, in_words
from valechat.pluginverbs.run import run as carry_out
from valechat.services import services

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Carry out a verb. Fails when it does, or when a tool reports an error."""
    opened = services()
    opened.keys.ask_passphrase = ask_passphrase
    asker = ask_at_the_terminal()
    desk = Desk(
        opened,
        live=False,
        ask=_ask if somebody_is_there() else None,
        asker=asker,
        progress=_progress if sys.stderr.isatty() else lambda _text: None,
        read_input=_piped,
    )
    outcome = engine().run(carry_out(options, desk))
    if options.format == "json":
        json.dump(as_json(outcome.value), sys.stdout, ensure_ascii=sys.stdout.isatty(), indent=2, default=str)
        say()
    else:
        for block in outcome.blocks:
            _draw(block)
    return 1 if outcome.failed else 0


def _draw(block: Block) -> None:
    match block:
        case Table(columns=columns, rows=rows):
            emit(columns, rows, "table")
        case Said(text=text):
            say(harmless(text))
        case Note(text=text):
            note(harmless(text))
        case Code(text=text):
            say(harmless(text))
        case Answered(answer=answer):
            _answer(answer)


def _answer(answer: Answer) -> None:
    for piece in answer.content:
        say(harmless(in_words(piece)))
    if answer.structured is not None and not answer.text:
        say(harmless(json.dumps(answer.structured, ensure_ascii=False, indent=2, default=str)))
    if answer.is_error:
        note("The tool reports an error.")


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{plain(text)}")
    sys.stderr.flush()


async def _ask(prompt: str, *, secret: bool) -> str | None:
    if secret:
        return await asyncio.to_thread(getpass.getpass, f"{prompt} (not shown): ") or None
    return await TerminalLine().read(f"{prompt}: ")


def _piped() -> str:
    return "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
