"""Questions answered by typing a line: at a terminal, and in a cell where buttons cannot work.

What a server or a model says is untrusted: of its text, everything a terminal obeys is left out.
"""

from __future__ import annotations

import asyncio
import json
import webbrowser
from collections.abc import Mapping
from typing import Any, Protocol

from valechat.asking import Approval, Confirmation, Decision, Filled, Form, Grant, SamplingApproval, Visit
from valechat.forms import Entry, Field, checked, fields_of
from valechat.plaintext import plain

__all__ = ["Line", "TypedAsker", "grant_text", "question_text"]

MOST_SHOWN = 2_000
"""Most characters of a call's arguments, or of a sampling request, that are shown before it is allowed."""

MOST_TRIES = 3
"""How often an answer that makes no sense is asked for again."""

_DECISIONS: dict[str, Decision] = {
    **dict.fromkeys(("y", "yes", "o", "once"), "once"),
    **dict.fromkeys(("n", "no", ""), "no"),
    **dict.fromkeys(("t", "tool"), "always_tool"),
    **dict.fromkeys(("p", "plugin"), "always_plugin"),
    **dict.fromkeys(("v", "never"), "never"),
}


class Line(Protocol):
    """Where lines are shown and typed."""

    async def show(self, text: str) -> None:
        """Show some lines."""
        ...

    async def read(self, prompt: str) -> str | None:
        """One line, without its end; None where nobody can answer. Cancelled when the question is moot."""
        ...


class TypedAsker:
    """An `Asker` for a front end that has lines and nothing else.

    Args:
        line: Where to ask.
        browser: Whether a browser may be opened here; pages are opened by the user otherwise.
    """

    def __init__(self, line: Line, *, browser: bool = False) -> None:
        self._line = line
        self._browser = browser
        self._one_at_a_time = asyncio.Lock()

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        """Ask for one letter; what cannot be read means no."""
        async with self._one_at_a_time:
            await self._line.show(question_text(question))
            choices = "[y]es, [n]o, always this [t]ool, always this [p]lugin, ne[v]er"
            if isinstance(question, Approval) and question.each_time:
                choices = "[y]es, [n]o"
            if isinstance(question, SamplingApproval):
                choices = "[y]es, [n]o, always this [p]lugin, ne[v]er"
            for _ in range(MOST_TRIES):
                answer = await self._line.read(f"Allow it? {choices}: ")
                if answer is None:
                    break
                decision = _DECISIONS.get(answer.strip().lower())
                if decision is not None:
                    return decision
            return "no"

    async def fill(self, form: Form) -> Filled:
        """Ask field by field."""
        async with self._one_at_a_time:
            await self._line.show(f"{plain(form.plugin)} asks: {plain(form.message)}")
            answer = await self._line.read("Answer it? [y]es, [n]o: ")
            if answer is None:
                return Filled("cancel")
            if answer.strip().lower() not in ("y", "yes"):
                return Filled("decline")
            return await self._filled(form.schema)

    async def visit(self, page: Visit) -> str | None:
        """Show the link in full, and wait; a line that looks like an address is taken as where it ended."""
        async with self._one_at_a_time:
            await self._line.show(f"{plain(page.plugin)}: {plain(page.message)}\n  {plain(page.url)}")
            opens = "Enter opens it in the browser" if self._browser else "Open it in your browser"
            paste = ", or paste the address of the page where it ends" if page.paste else ""
            prompt = f"{opens}{paste}; n gives up: "
            while True:
                answer = await self._line.read(prompt)
                if answer is None or answer.strip().lower() in ("n", "no"):
                    return None
                if "://" in answer:
                    return answer.strip()
                if self._browser:
                    await asyncio.to_thread(webbrowser.open, page.url)
                prompt = "Waiting for the page to end" + (paste or "") + "; n gives up: "

    async def confirm(self, question: Confirmation) -> bool:
        """Ask for yes or no."""
        async with self._one_at_a_time:
            answer = await self._line.read(f"{plain(question.message)} Send it? [y/N] ")
            return answer is not None and answer.strip().lower() in ("y", "yes")

    async def grant(self, question: Grant) -> bool:
        """Ask for yes or no; see `GrantAsker.grant`."""
        async with self._one_at_a_time:
            await self._line.show(f"{grant_text(question)}\n  It is kept in mcp_plugins.json, and the plugin restarts.")
            answer = await self._line.read("Allow it from now on? [y/N] ")
            return answer is not None and answer.strip().lower() in ("y", "yes")

    async def _filled(self, schema: Mapping[str, Any]) -> Filled:
        entries: dict[str, Entry] = {}
        fields = fields_of(schema)
        for field in fields:
            for line in _about(field):
                await self._line.show(f"  {plain(line)}")
            for _ in range(MOST_TRIES):
                answer = await self._line.read(_prompt(field))
                if answer is None:
                    return Filled("cancel")
                entry = _entry(field, answer)
                _, problems = checked([field], {field.name: entry})
                if not problems:
                    entries[field.name] = entry
                    break
                await self._line.show(f"  {problems[field.name]}")
            else:
                return Filled("cancel")
        return checked(fields, entries)[0]


def question_text(question: Approval | SamplingApproval) -> str:
    """What is asked for, in lines, the arguments of a call indented."""
    if isinstance(question, SamplingApproval):
        cost = "its price is not known" if question.most_cost is None else f"at most ${question.most_cost}"
        head = f"{plain(question.plugin)} wants {plain(question.model)} to answer this, at your cost ({cost}):"
        said = "\n".join(part for part in (question.system, question.text) if part)
        return "\n".join([head, _indented(said)])
    hints = [
        "may change or delete something" if question.destructive else "",
        "says it only reads" if question.read_only and not question.destructive else "",
    ]
    hint = next((f" ({text})" for text in hints if text), "")
    lines = [
        f"{plain(question.plugin)} wants to run {plain(question.tool)}{hint}:",
        _indented(_pretty(question.arguments)),
    ]
    if question.changed:
        lines.append("  This tool is not what you allowed before.")
    return "\n".join(lines)


def grant_text(question: Grant) -> str:
    """What a plugin was refused, in a sentence."""
    value = question.value
    what = {
        "file_read": f"read {value}",
        "file_write": f"read and change {value}",
        "network_access": f"connect to {value}" if value else "use the network",
        "env_access": f"see the variable {value}",
        "allow_degraded": "run with permissions that this system cannot enforce",
    }.get(question.permit, f"{question.permit} {value}")
    return f"{plain(question.plugin)} may not {plain(what)}."


def _indented(text: str) -> str:
    cut = text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}\n… {len(text) - MOST_SHOWN:,} more characters"
    return "\n".join(f"  {line}" for line in plain(cut).splitlines())


def _pretty(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments or "{}"), indent=2, ensure_ascii=False)
    except ValueError:
        return arguments


def _about(field: Field) -> list[str]:
    lines = [field.description] if field.description else []
    return lines + [
        option.value if option.title == option.value else f"{option.value}: {option.title}" for option in field.options
    ]


def _prompt(field: Field) -> str:
    how = {"boolean": " (yes or no)", "choices": " (several, with commas)"}.get(field.kind, "")
    default = _default(field)
    if default:
        return f"{plain(field.title)}{how} [{plain(default)}]: "
    return f"{plain(field.title)}{how}{'' if field.required or field.kind == 'boolean' else ' (optional)'}: "


def _default(field: Field) -> str:
    match field.default:
        case None:
            return ""
        case bool():
            return "yes" if field.default else "no"
        case str():
            return field.default
    return ", ".join(field.default)


def _entry(field: Field, answer: str) -> Entry:
    text = answer.strip() or _default(field)
    if field.kind == "boolean":
        return text.lower() in ("y", "yes", "true", "1")
    if field.kind == "choices":
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
