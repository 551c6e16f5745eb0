"""The panel as the one who asks the user: questions out, answers in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

import orjson

from valechat.asking import Approval, Confirmation, Decision, Filled, Form, Grant, SamplingApproval, Visit
from valechat.forms import Entry, Field, checked, fields_of
from valechat.ids import new_id
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import (
    ApprovalShown,
    AskAnswer,
    Asked,
    AskEnded,
    AskShown,
    ConfirmationShown,
    FieldShown,
    FormShown,
    GrantShown,
    OptionShown,
    PassphraseShown,
    SamplingShown,
    VisitShown,
)
from valechat.notebook.shown import money
from valechat.plaintext import plain

__all__ = ["PanelAsker"]

CLIP = 100_000
"""Characters of a server's text that a question shows."""


class PanelAsker:
    """Asks the user of one panel; see `valechat.asking.Asker`. Used on the engine's loop.

    A question waits until a view of the panel answers it, and is taken back when the one who asks is
    cancelled. A view that opens meanwhile finds it in `shown`. `answered` is told the tool calls that were
    decided on.
    """

    def __init__(self, outbox: Outbox, answered: Callable[[str], None] = lambda _call: None) -> None:
        self._outbox = outbox
        self._answered = answered
        self._waiting: dict[str, _Waiting] = {}

    @property
    def shown(self) -> list[AskShown]:
        """The questions that wait, oldest first."""
        return [one.shown for one in self._waiting.values()]

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        """See `Asker.approve`."""
        shown = _approval(question) if isinstance(question, Approval) else _sampling(question)
        answer = await self._ask(shown, frozenset(get_args(Decision)))
        if isinstance(question, Approval):
            self._answered(question.call_id)
        return cast("Decision", answer["choice"])

    async def fill(self, form: Form) -> Filled:
        """See `Asker.fill`. What does not fit the form is told at its fields, and the question stays."""
        fields = fields_of(form.schema)
        ask = _form(form, fields, {})
        while True:
            answer = await self._ask(ask, frozenset({"accept", "decline", "cancel"}), keep=True)
            if answer["choice"] != "accept":
                self._end(ask["id"])
                return Filled("decline" if answer["choice"] == "decline" else "cancel")
            filled, problems = checked(fields, _entries(answer.get("text", "")))
            if not problems:
                self._end(ask["id"])
                return filled
            ask = {**_form(form, fields, problems), "id": ask["id"]}

    async def visit(self, page: Visit) -> str | None:
        """See `Asker.visit`. Where there is nothing to paste, the user says that the page was opened."""
        visit = VisitShown(plugin=page.plugin, message=_clipped(plain(page.message)), url=page.url, paste=page.paste)
        ask = AskShown(id=new_id(), kind="visit", visit=visit)
        while True:
            answer = await self._ask(ask, frozenset({"accept", "decline", "cancel"}), keep=True)
            address = answer.get("text", "").strip() if answer["choice"] == "accept" else None
            if address != "" or not page.paste:
                self._end(ask["id"])
                return address

    async def confirm(self, question: Confirmation) -> bool:
        """See `Asker.confirm`."""
        shown = ConfirmationShown(message=question.message, most_cost=money(question.most_cost), model=question.model)
        ask = AskShown(id=new_id(), kind="confirmation", confirmation=shown)
        return (await self._ask(ask, frozenset({"send", "no"})))["choice"] == "send"

    async def grant(self, question: Grant) -> bool:
        """See `GrantAsker.grant`."""
        shown = GrantShown(plugin=question.plugin, permit=question.permit, value=question.value, proven=question.proven)
        ask = AskShown(id=new_id(), kind="grant", grant=shown)
        return (await self._ask(ask, frozenset({"accept", "decline"})))["choice"] == "accept"

    async def passphrase(self, *, new: bool) -> str | None:
        """See `PassphraseAsker.passphrase`."""
        ask = AskShown(id=new_id(), kind="passphrase", passphrase=PassphraseShown(new=new))
        answer = await self._ask(ask, frozenset({"accept", "decline"}))
        return answer.get("text") or None if answer["choice"] == "accept" else None

    def answer(self, answer: AskAnswer) -> None:
        """Take the user's answer. One to a question that does not wait, or that is none to it, changes nothing."""
        waiting = self._waiting.get(answer["ask"])
        if waiting is not None and answer["choice"] in waiting.choices and not waiting.answer.done():
            waiting.answer.set_result(answer)

    async def _ask(self, shown: AskShown, choices: frozenset[str], *, keep: bool = False) -> AskAnswer:
        """Ask, and wait. With `keep` the question stays in the panel until `_end`."""
        waiting = _Waiting(shown, choices)
        self._waiting[shown["id"]] = waiting
        self._outbox.send(Asked(type="asked", seq=0, ask=shown))
        answered = False
        try:
            answer = await waiting.answer
            answered = True
            return answer
        finally:
            if not (keep and answered):
                self._end(shown["id"])

    def _end(self, ask: str) -> None:
        if self._waiting.pop(ask, None) is not None:
            self._outbox.send(AskEnded(type="ask_ended", seq=0, ask=ask))


class _Waiting:
    """A question, the answers it takes, and where the answer comes."""

    def __init__(self, shown: AskShown, choices: frozenset[str]) -> None:
        self.shown = shown
        self.choices = choices
        self.answer: asyncio.Future[AskAnswer] = asyncio.get_running_loop().create_future()


def _approval(question: Approval) -> AskShown:
    approval = ApprovalShown(
        plugin=question.plugin,
        tool=question.tool,
        title=plain(question.title),
        description=_clipped(plain(question.description)),
        arguments=question.arguments,
        call_id=question.call_id,
        read_only=question.read_only,
        destructive=question.destructive,
        changed=question.changed,
    )
    if question.each_time:
        approval["each_time"] = True
    return AskShown(id=new_id(), kind="approval", approval=approval)


def _sampling(question: SamplingApproval) -> AskShown:
    sampling = SamplingShown(
        plugin=question.plugin,
        model=question.model,
        system=_clipped(question.system),
        text=_clipped(question.text),
        max_tokens=question.max_tokens,
        most_cost=money(question.most_cost),
    )
    return AskShown(id=new_id(), kind="sampling", sampling=sampling)


def _form(form: Form, fields: tuple[Field, ...], problems: Mapping[str, str]) -> AskShown:
    shown = [_field(field, problems.get(field.name)) for field in fields]
    return AskShown(
        id=new_id(),
        kind="form",
        form=FormShown(plugin=form.plugin, message=_clipped(form.message), fields=shown),
    )


def _field(field: Field, problem: str | None) -> FieldShown:
    shown = FieldShown(
        name=field.name,
        title=field.title,
        description=field.description,
        kind=field.kind,
        required=field.required,
        default=field.default if isinstance(field.default, str | None) else orjson.dumps(field.default).decode(),
        options=[OptionShown(value=option.value, title=option.title) for option in field.options],
        least=field.least,
        most=field.most,
    )
    return shown if problem is None else {**shown, "problem": problem}


def _entries(text: str) -> dict[str, Entry]:
    """What stood in a form's fields; nothing where it is not readable, and then what is needed is missing."""
    try:
        found: Any = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): entry for name, entry in found.items() if isinstance(entry, str | bool) or _listed(entry)}


def _listed(entry: object) -> bool:
    return isinstance(entry, list) and all(isinstance(one, str) for one in entry)


def _clipped(text: str) -> str:
    return text if len(text) <= CLIP else f"{text[:CLIP]}\n… {len(text) - CLIP:,} more characters"
