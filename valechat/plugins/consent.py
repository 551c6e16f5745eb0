"""Whether a call of a plugin's tool may run: by what the user decided before, or decides now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from valechat.asking import Approval, Asker, nobody
from valechat.errors import ConfigError
from valechat.ledger.threads import durably
from valechat.plugins.approvals import Approvals
from valechat.plugins.base import PluginTool

__all__ = ["Answered", "Consent"]

_HOW = " Allow it with `%valechat plugins allow {plugin} {tool}` (in a terminal without the %)."


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether a call may run. `told` is what the model is told if not, `note` what the user should know."""

    allowed: bool
    told: str = ""
    note: str = ""


class Consent:
    """Decides over the calls of one turn. The user is asked about one call at a time.

    Args:
        approvals: What the user decided before; None where nothing is remembered.
        trusts: Whether a plugin's word that a tool only reads is taken (`[plugins] trust_read_only`).
        source: A digest of a plugin's definition: what is allowed is allowed for this one only.
        each_time: Ask about each call; nothing is allowed for good, and no permission for a plugin counts.
    """

    def __init__(
        self,
        approvals: Approvals | None,
        trusts: Callable[[str], bool],
        source: Callable[[str], str] = lambda _: "",
        *,
        each_time: bool = False,
    ) -> None:
        self._approvals = approvals
        self._trusts = trusts
        self._source = source
        self._each_time = each_time
        self._open: list[asyncio.Event] = []

    async def ask(self, tool: PluginTool, arguments: str, call_id: str, asker: Asker | None) -> Answered:
        """Whether the tool may run with these arguments, which are shown to the user as they are.

        Calls are asked about in the order in which they come here.
        """
        earlier, settled = [*self._open], asyncio.Event()
        self._open.append(settled)
        try:
            known = await self._known(tool)
            if known is not None:
                return known
            for one in earlier:
                await one.wait()
            # The answer to a question before may have settled this one too.
            known = await self._known(tool) if earlier else None
            return known or await self._ask(tool, arguments, call_id, asker)
        finally:
            self._open.remove(settled)
            settled.set()

    async def _known(self, tool: PluginTool) -> Answered | None:
        if self._approvals is None or self._each_time:
            return None
        verdict = await durably(self._approvals.decision, tool, self._source(tool.plugin))
        if verdict == "deny":
            return Answered(
                allowed=False, told=f"The user has refused {tool.name} of {tool.plugin} for good. Do without it."
            )
        if verdict == "ask" and not (
            tool.read_only
            and self._trusts(tool.plugin)
            and not await durably(self._approvals.changed, tool, self._source(tool.plugin))
        ):
            return None
        return await self._held_to(tool, self._approvals)

    async def _held_to(self, tool: PluginTool, approvals: Approvals) -> Answered:
        try:
            await durably(approvals.note, tool, self._source(tool.plugin))
        except ConfigError as error:
            return Answered(allowed=True, note=str(error))
        return Answered(allowed=True)

    async def _ask(self, tool: PluginTool, arguments: str, call_id: str, asker: Asker | None) -> Answered:
        if asker is None or asker is nobody:
            return Answered(
                allowed=False,
                told="This call needs the user's permission, and nobody could be asked.",
                note=f"{tool.name} of {tool.plugin} was not called, because nobody could be asked here."
                + ("" if self._each_time else _HOW.format(plugin=tool.plugin, tool=tool.name)),
            )
        question = Approval(
            tool.plugin,
            tool.name,
            arguments,
            call_id=call_id,
            title=tool.title,
            description=tool.description,
            read_only=tool.read_only,
            destructive=tool.destructive,
            changed=not self._each_time and await self._changed(tool),
            each_time=self._each_time,
        )
        decision = await asker.approve(question)
        note = ""
        try:
            if self._approvals is not None and not self._each_time:
                await durably(self._approvals.remember, tool, decision, self._source(tool.plugin))
        except ConfigError as error:
            note = str(error)
        if decision in ("no", "never"):
            return Answered(allowed=False, told="The user did not allow this call.", note=note)
        return Answered(allowed=True, note=note)

    async def _changed(self, tool: PluginTool) -> bool:
        if self._approvals is None:
            return False
        return await durably(self._approvals.changed, tool, self._source(tool.plugin))
