"""A front end for tests: answers as it is told to and keeps the questions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from valechat.asking import Approval, Confirmation, Decision, Filled, Form, SamplingApproval, Visit

__all__ = ["Asked"]


class Asked:
    """Gives its answers in turn, the last one for ever; `never_mind` keeps a question open until it is cancelled."""

    def __init__(self, *answers: Decision, confirms: bool = True, never_mind: bool = False) -> None:
        self.questions: list[Approval | SamplingApproval] = []
        self.confirmations: list[Confirmation] = []
        self.open = 0
        self.most_open = 0
        self.asked = asyncio.Event()
        self.withdrawn = 0
        self._answers: Sequence[Decision] = answers or ("no",)
        self._confirms = confirms
        self._never_mind = never_mind

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        self.questions.append(question)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.asked.set()
        try:
            await asyncio.sleep(0)
            if self._never_mind:
                await asyncio.Event().wait()
            return self._answers[min(len(self.questions), len(self._answers)) - 1]
        except asyncio.CancelledError:
            self.withdrawn += 1
            raise
        finally:
            self.open -= 1

    async def fill(self, form: Form) -> Filled:
        raise AssertionError(f"nothing asks for a form here: {form}")

    async def visit(self, page: Visit) -> str | None:
        raise AssertionError(f"nothing asks for a visit here: {page}")

    async def confirm(self, question: Confirmation) -> bool:
        self.confirmations.append(question)
        return self._confirms
