"""Questions asked from a cell: buttons below it where they work while it runs, a typed line elsewhere.

Whether buttons work is not guessed: the question's box says when it is drawn, and that message reaches a
busy kernel only where the front end sends comms over subshells. A question that comes while no cell waits
is asked in the panel or plugin manager that was opened last. Where nobody can answer, it is refused, and
how to allow it is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anywidget
from IPython.core.getipython import get_ipython
from IPython.display import display, update_display

from valechat.asking import (
    Approval,
    Asker,
    Confirmation,
    Decision,
    Filled,
    Form,
    Grant,
    GrantAsker,
    PassphraseAsker,
    SamplingApproval,
    Visit,
    nobody,
)
from valechat.engine import engine
from valechat.ids import new_id
from valechat.notebook.asks import PanelAsker
from valechat.notebook.assets import static
from valechat.notebook.comms import answer_while_busy, front_end, routing
from valechat.notebook.outbox import Outbox
from valechat.notebook.outputs import show, small
from valechat.notebook.places import place
from valechat.typedasker import TypedAsker, grant_text

__all__ = ["CellAsker", "QuestionBox"]

DRAWN_SECONDS = 15.0
"""How long a front end that has widgets may take to draw a question before it is asked for on a line."""

UNKNOWN_SECONDS = 3.0
"""The same for a program of which it is not known whether it has any."""

T = TypeVar("T")

_DECIDED: dict[Decision, str] = {
    "once": "Allowed, this once",
    "always_tool": "Allowed from now on",
    "always_plugin": "Allowed from now on, with all other tools of the plugin",
    "no": "Not allowed, this once",
    "never": "Not allowed from now on",
}


class QuestionBox(anywidget.AnyWidget):
    """One question below a cell. What is asked and answered goes by messages, never by traits."""

    _esm = static("questions.js")
    _css = static("questions.css")

    def __init__(self) -> None:
        super().__init__()
        answer_while_busy(self)
        self.drawn = asyncio.Event()
        self.asker = PanelAsker(Outbox(self.send))
        self.on_msg(self._hand_over)

    def __repr__(self) -> str:
        return "A question of ValeChat's"

    def _hand_over(self, _widget: Any, content: Any, _buffers: Any) -> None:
        engine().loop.call_soon_threadsafe(self._receive, content)

    def _receive(self, content: Any) -> None:
        match content:
            case {"type": "ready"}:
                self.drawn.set()
            case {"type": "ask_answer", "ask": str(), "choice": str()}:
                self.asker.answer(content)


class CellAsker:
    """The `Asker` of magics and of `chat.ask()` in a cell."""

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        """See `Asker.approve`."""
        what = question.tool if isinstance(question, Approval) else question.model
        words = f"{question.plugin} {question.tool}" if isinstance(question, Approval) else question.plugin
        return await self._asked(
            lambda asker: asker.approve(question),
            lambda decision: f"{_DECIDED[decision]}: {question.plugin} {what}",
            f"{question.plugin} {what} was not allowed: nobody can be asked here. "
            f"`%valechat plugins allow {words}` allows it.",
        )

    async def fill(self, form: Form) -> Filled:
        """See `Asker.fill`."""
        return await self._asked(
            lambda asker: asker.fill(form),
            lambda filled: f"{form.plugin} asked for values: {filled.action}",
            f"{form.plugin} asked for values, and nobody can be asked here.",
        )

    async def visit(self, page: Visit) -> str | None:
        """See `Asker.visit`."""
        return await self._asked(
            lambda asker: asker.visit(page),
            lambda _: f"{page.plugin}: sign-in",
            f"{page.plugin} needs a sign-in, and nobody can be asked here. "
            f"`%valechat plugins signin {page.plugin}` in a notebook does it.",
        )

    async def confirm(self, question: Confirmation) -> bool:
        """See `Asker.confirm`."""
        return await self._asked(lambda asker: asker.confirm(question), lambda _: "", "")

    async def grant(self, question: Grant) -> bool:
        """See `GrantAsker.grant`."""

        async def ask(asker: object) -> bool:
            return isinstance(asker, GrantAsker) and await asker.grant(question)

        return await self._asked(
            ask,
            lambda allowed: f"{'Allowed' if allowed else 'Not allowed'}: {grant_text(question)}",
            f"{grant_text(question)} Nobody can be asked here; the plugin manager can allow it.",
        )

    async def passphrase(self, *, new: bool) -> str | None:
        """See `PassphraseAsker.passphrase`."""

        async def ask(asker: object) -> str | None:
            if isinstance(asker, PassphraseAsker):
                return await asker.passphrase(new=new)
            return await _typed_unseen(new=new) if isinstance(asker, TypedAsker) else None

        return await self._asked(
            ask,
            lambda typed: "The passphrase was not given." if typed is None else "The passphrase was given.",
            "The key file needs its passphrase, and nobody can be asked here: set VALECHAT_PASSPHRASE.",
        )

    async def _asked(self, ask: Callable[[Asker], Awaitable[T]], told: Callable[[T], str], refused: str) -> T:
        if not engine().attended or get_ipython() is None:
            return await ask(place() or nobody)
        if not _stdin():
            # nbconvert, papermill and their like run cells where nobody looks.
            if refused:
                await engine().on_main(lambda: show(small(refused)))
            return await ask(nobody)
        if routing()[0] and (box := await _shown()) is not None:
            return await self._in(box, ask, told)
        return await ask(TypedAsker(_CellLine()))

    async def _in(self, box: _Shown, ask: Callable[[Asker], Awaitable[T]], told: Callable[[T], str]) -> T:
        text = "The question is moot."
        try:
            answer = await ask(box.widget.asker)
            text = told(answer)
            return answer
        finally:
            with contextlib.suppress(RuntimeError):  # the cell has ended, and its outputs with it
                await asyncio.shield(engine().on_main(lambda: box.over(text)))


class _Shown:
    """A box that stands below the cell, and what takes its place."""

    def __init__(self) -> None:
        self.widget = QuestionBox()
        self._place = new_id()
        display(self.widget, display_id=self._place)

    def over(self, text: str) -> None:
        self.widget.close()
        update_display(small(text), display_id=self._place, raw=True)


async def _shown() -> _Shown | None:
    """A box that the front end drew; None where it did not, or cannot say so while the cell runs."""
    box: _Shown = await engine().on_main(_Shown)
    try:
        patience = UNKNOWN_SECONDS if front_end().startswith("unknown") else DRAWN_SECONDS
        await asyncio.wait_for(box.widget.drawn.wait(), patience)
    except TimeoutError:
        await engine().on_main(lambda: box.over(""))
        return None
    return box


class _CellLine:
    """`input()` and outputs of the cell that waits."""

    async def show(self, text: str) -> None:
        await engine().on_main(lambda: show({"text/plain": text}))

    async def read(self, prompt: str) -> str | None:
        try:
            line: str = await engine().on_main(lambda: input(prompt))
        except (EOFError, NotImplementedError, RuntimeError):
            return None  # a front end without input
        return line


async def _typed_unseen(*, new: bool) -> str | None:
    """A passphrase from the front end's own field for passwords, twice the same where it is being chosen."""

    def read(prompt: str) -> str | None:
        try:
            return getpass.getpass(prompt)
        except (EOFError, NotImplementedError, RuntimeError):
            return None  # a front end without input

    while True:
        first: str | None = await engine().on_main(lambda: read("Passphrase of the key file: "))
        if not new or not first or first == await engine().on_main(lambda: read("Again: ")):
            return first or None


def _stdin() -> bool:
    """Whether the running cell may ask for a line."""
    return bool(getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", False))
