"""One panel's conversation: what a click does, and what the panel is told of it.

Everything here runs on the engine's loop; the widget only hands messages over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from valechat.branches import Tree
from valechat.chat import Chat
from valechat.errors import ValeChatError
from valechat.events import DoneEvent
from valechat.ids import new_id
from valechat.ledger.base import StoredMessage, UsageRow
from valechat.ledger.threads import durably
from valechat.notebook.asks import PanelAsker
from valechat.notebook.assets import AssetDesk
from valechat.notebook.branchdesk import BranchDesk
from valechat.notebook.comparedesk import CompareDesk
from valechat.notebook.conversationdesk import ConversationDesk
from valechat.notebook.draftdesk import DraftDesk
from valechat.notebook.estimating import Estimating
from valechat.notebook.following import Following
from valechat.notebook.latest import Latest
from valechat.notebook.liveturn import LiveTurn
from valechat.notebook.modeldesk import ModelDesk
from valechat.notebook.models import breakers_shown
from valechat.notebook.outbox import Outbox
from valechat.notebook.paging import EarlierDesk, newest
from valechat.notebook.piecedesk import PieceDesk
from valechat.notebook.places import ask_here
from valechat.notebook.plugindesk import PluginDesk
from valechat.notebook.protocol import (
    AskAnswer,
    ErrorShown,
    FromPanel,
    Notice,
    Refused,
    Regenerate,
    Send,
    State,
    Stop,
    TurnEnded,
)
from valechat.notebook.settingsdesk import SettingsDesk
from valechat.notebook.shown import error_shown, messages_shown, spent
from valechat.notebook.uploads import UPLOAD_TOTAL, Taken, Uploads, upload_limit
from valechat.notebook.variabledesk import VariableDesk
from valechat.reply import Reply
from valechat.services import services

__all__ = ["PanelConversation"]


class PanelConversation:
    """A chat as one panel sees it.

    `stored` is called after each turn with the conversation's messages, for the transcript.
    """

    def __init__(self, chat: Chat, outbox: Outbox, stored: Callable[[list[StoredMessage]], None]) -> None:
        self.chat = chat
        self._outbox = outbox
        self._stored = stored
        self._asker = PanelAsker(outbox, self._decided)
        self._live: dict[str, LiveTurn] = {}
        self._models = ModelDesk(chat, outbox)
        self._tasks: set[asyncio.Task[None]] = set()
        self._uploads = Uploads()
        self._drafts = DraftDesk(chat, outbox, self._uploads)
        self._variables = VariableDesk(outbox, self._uploads)
        self._estimating = Estimating(chat, self._uploads, outbox)
        self._desk = PluginDesk(chat, outbox, self._uploads)
        self._settings = SettingsDesk(chat, outbox, lambda: self._models.send(refresh=True))
        self._following = Following(lambda: chat.conversation_id, self._busy, self.show)
        self._conversations = ConversationDesk(chat, outbox, self)
        self._branches = BranchDesk(chat, outbox, self)
        self._compare = CompareDesk(chat, outbox, (self._uploads, self._variables), self._asker, self.show)
        self._stored_ids: dict[str, str] = {}
        self._hellos = 0
        self._show_latest = Latest(partial(self.show, follows=True))
        chat.watch(self._turn_ended)

    def receive(self, content: Any, buffers: Sequence[bytes | memoryview] = ()) -> None:
        """Take a message from the panel, with its binary buffers. A malformed one is answered with a notice."""
        try:
            message = _FROM_PANEL.validate_python(content)
        except ValidationError as error:
            self._fault(ValeChatError(f"The panel sent something unreadable: {error.errors()[0]['msg']}."))
            return
        if message["type"] == "send":
            self._start(self._on_send(message, buffers))
            return
        if message["type"] == "compare":
            self._start(self._compare.compare(message, buffers))
            return
        if message["type"] == "keep_attached":
            self._start(self._drafts.keep(message, buffers))
            return
        desk, settings = self._desk, self._settings
        at_desks: dict[str, Callable[[Any], Coroutine[Any, Any, None]]] = {
            "attach_resource": desk.attach,
            "complete": desk.complete,
            "list_offers": desk.list_offers,
            "use_plugin": desk.use,
            "use_prompt": desk.use_prompt,
            "open_settings": settings.open,
            "change_chat": settings.change_chat,
            "change_settings": settings.change_settings,
            "delete_key": settings.delete_key,
            "show_earlier": EarlierDesk(self.chat, self._outbox, self.chat.stored, self._branches.marked).show,
            "need_asset": AssetDesk(self._outbox).send,
            "estimate": self._estimating.answer,
            **PieceDesk(self._outbox, self.chat.stored, self.stored_id).handlers,
            **self._variables.handlers,
            **self._compare.handlers,
            **self._conversations.handlers,
            **self._branches.handlers,
            **self._models.handlers,
        }
        handle = at_desks.get(message["type"]) or getattr(self, f"_on_{message['type']}")
        self._start(handle(message))

    @property
    def reloaded(self) -> bool:
        """Whether the panel was opened more than once: its page was reloaded, or missed something."""
        return self._hellos > 1

    def _turn_ended(self) -> None:
        """Follow a turn that was asked elsewhere: from Python, or by a magic."""
        self._estimating.forget()
        if not self._busy():
            self._start(self._show_latest())

    def _busy(self) -> bool:
        return self.chat.conversation_id in self.answering()

    def answering(self) -> set[str]:
        """See `Talks.answering`."""
        return {live.conversation_id for live in self._live.values()} | self._compare.answering

    def stop(self, conversation_id: str) -> None:
        """See `Talks.stop`."""
        for live in self._live.values():
            if live.task is not None and live.conversation_id == conversation_id:
                live.task.cancel()

    def usable(self, model: str) -> bool:
        """See `Talks.usable`."""
        return self._models.usable(model)

    def stored_id(self, shown: str) -> str:
        """The stored message that the panel knows by this id."""
        return self._stored_ids.get(shown, shown)

    async def show(self, *, follows: bool = False) -> None:
        """See `Talks.show`. What `follows` another leaves its transcript until something is said in it."""
        await self._send_state()
        if (stored := await self.chat.stored()) or not follows:
            self._stored(stored)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # a click must never be answered by silence
            self._fault(error)

    async def _on_hello(self, _message: Mapping[str, Any]) -> None:
        self._hellos += 1
        # What comes from no turn, a plugin's sign-in for example, is asked where the user looks.
        ask_here(self._asker)
        await self._send_state()
        await self._following.look()

    async def _on_send(self, message: Send, buffers: Sequence[bytes | memoryview]) -> None:
        attached = message.get("attachments", [])
        if not (message["text"].strip() or attached) or message["turn"] in self._live:
            return
        self._compare.close()
        self.chat.model = message["model"] or self.chat.model
        conversation_id, question_id = self.chat.conversation_id, new_id()
        replaces, follows = message.get("replaces"), None
        try:
            if replaces is not None:
                self._branches.free()
                follows = self._branches.before(replaces)
            sizes = services().settings.sizes
            taken = await self._uploads.take(attached, buffers, question_id, conversation_id, sizes)
            taken = await self._variables.join(taken, message, question_id)
        except ValeChatError as error:
            # The settings cannot be read; the panel still has what it sent.
            taken = Taken([], [], error)
        live = LiveTurn(message, question_id, taken, self.chat.model or "", conversation_id, follows=follows)
        if taken.error is not None:
            self._refuse(live, taken.error)
            if replaces is not None:
                await self._send_state()
            return
        if replaces is not None:
            live.beside(self._branches.siblings(replaces))
        await self._run(live)

    async def _on_regenerate(self, message: Regenerate) -> None:
        self._branches.free()
        asked = self._branches.question(message["message"])
        again = Send(type="send", turn=message["turn"], text=asked.message.text, model=message["model"])
        nothing = Taken([], [], None)
        here = self.chat.conversation_id
        live = LiveTurn(again, asked.id, nothing, message["model"], here, follows=asked.id, again=True)
        live.beside(self._branches.answers(message["message"]))
        await self._run(live)

    async def _run(self, live: LiveTurn) -> None:
        live.task = asyncio.current_task()
        self._live[live.turn] = live
        try:
            await self._answer(live)
        finally:
            del self._live[live.turn]
            self._models.send_breakers()
        if live.refused and live.follows is not None:
            await self._send_state()

    async def _begin(self, live: LiveTurn) -> None:
        if live.follows is not None:
            await self._send_state()
            return
        self._outbox.send(live.started())

    async def _on_stop(self, message: Stop) -> None:
        live = self._live.get(message["turn"])
        if live is not None and live.task is not None:
            live.task.cancel()
        self._compare.stop(message["turn"])

    async def _on_ask_answer(self, message: AskAnswer) -> None:
        self._asker.answer(message)

    async def _on_look(self, _message: Mapping[str, Any]) -> None:
        await self._following.look()

    async def _on_new_conversation(self, _message: Mapping[str, Any]) -> None:
        self.chat.conversation_id = new_id()
        await self._send_state()

    def _decided(self, call_id: str) -> None:
        for live in self._live.values():
            live.began(call_id)

    async def _answer(self, live: LiveTurn) -> None:
        reply: Reply | None = None
        turn = self.chat.turn(
            live.question["text"],
            again=live.question["id"] if live.again else None,
            after=None if live.again else live.follows,
            model=live.model or None,
            files=live.attached.parts,
            question_id=live.question["id"],
            asker=self._asker,
            conversation_id=live.conversation_id,
        )
        try:
            await self._begin(live)
            async with contextlib.aclosing(turn) as events:
                async for event in events:
                    live.take(event, self._outbox)
                    if isinstance(event, DoneEvent):
                        reply = event.reply
        except asyncio.CancelledError:
            # A click on stop is an end like any other.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
        except Exception as error:  # noqa: BLE001  # every fault is shown beside the text it kept from being answered
            if not live.tools_ran:
                self._refuse(live, error)
                return
            # What tools did is in the conversation; the question does not go back.
            await self._end(live, None, error_shown(error))
            return
        await self._end(live, reply)

    def _refuse(self, live: LiveTurn, error: BaseException) -> None:
        live.refused = True
        if live.again:
            self._fault(error)
            return
        if live.attached.error is None:
            self._uploads.keep(live.attached.to_return.shown, live.attached.to_return.parts)
        refused = Refused(
            type="refused",
            seq=0,
            turn=live.turn,
            text=live.question["text"],
            error=error_shown(error),
            conversation=live.conversation_id,
        )
        if live.attached.to_return.shown:
            refused["attachments"] = live.attached.to_return.shown
        self._outbox.send(refused)

    async def _end(self, live: LiveTurn, reply: Reply | None, error: ErrorShown | None = None) -> None:
        stored, rows = await self._read(live.conversation_id, live.question["id"])
        await self._following.wrote(live.conversation_id, live.question["id"], stored)
        shown = self._branches.marked(messages_shown(stored, rows))
        ids = [message["id"] for message in shown]
        place = ids.index(live.question["id"]) + 1 if live.question["id"] in ids else len(ids)
        answer = shown[place] if place < len(shown) else {**live.answer, "turn": None, "status": "cancelled"}
        self._stored_ids[live.answer["id"]] = answer["id"]
        notes = list(reply.notes) if reply is not None else live.answer["notes"]
        total_cost, unpriced = spent(rows.values())
        self._outbox.send(
            TurnEnded(
                type="turn_ended",
                seq=0,
                turn=live.turn,
                answer={
                    **answer,
                    "id": live.answer["id"],
                    "notes": notes,
                    "tools": live.timed(answer["tools"]),
                    "error": error,
                },
                total_cost=total_cost,
                unpriced=unpriced,
            )
        )
        if live.conversation_id == self.chat.conversation_id:
            self._stored(stored)

    async def _read(self, of: str, leaf: str | None) -> tuple[list[StoredMessage], dict[str, UsageRow]]:
        """The path of a conversation through a message, and its requests."""
        ledger = services().ledger
        stored = await durably(ledger.messages, of)
        rows = await durably(ledger.conversation_usage, of)
        path = self._branches.read(stored, leaf) if of == self.chat.conversation_id else Tree(stored).path(leaf)
        return path, {row.request_id: row for row in rows}

    async def _send_state(self) -> None:
        """Send all there is to show. Models may be slow to find, so they follow when they are not known yet."""
        conversation = self.chat.conversation_id
        plugins = await self._desk.open()
        head = await durably(services().ledger.conversation, conversation)
        stored, rows = await self._read(conversation, head.leaf if head else None)
        self._following.saw(conversation, head)
        total_cost, unpriced = spent(rows.values())
        live = [live for live in self._live.values() if live.conversation_id == conversation]
        under_way = {live.question["id"] for live in live}
        settled = list(takewhile(lambda message: message.id not in under_way, stored))
        branch = next((turn.follows for turn in live if turn.follows is not None), None)
        page = newest(settled if branch is None else self._branches.until(branch), rows)
        self._outbox.send(
            State(
                type="state",
                seq=0,
                conversation_id=conversation,
                title=head.title if head else "",
                messages=[
                    *self._branches.marked(page.messages),
                    *(message for turn in live for message in turn.shown),
                ],
                model=self.chat.model or "",
                models=self._models.shown,
                total_cost=total_cost,
                unpriced=unpriced,
                draft="",
                upload_limit=upload_limit(),
                upload_total=UPLOAD_TOTAL,
                breakers=breakers_shown(services().breakers()),
                asks=self._asker.shown,
                plugins=plugins,
                plugins_problem=self._desk.problem,
                earlier=page.earlier,
                pins=self._branches.pins(),
                comparison=self._compare.shown(conversation),
            )
        )
        if not self._models.shown:
            await self._models.send(refresh=False)

    def _fault(self, error: BaseException) -> None:
        self._outbox.send(Notice(type="notice", seq=0, text="", error=error_shown(error)))


_FROM_PANEL: TypeAdapter[FromPanel] = TypeAdapter(Annotated[FromPanel, Field(discriminator="type")])
