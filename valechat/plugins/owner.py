"""The owner of one server: it starts it, watches it, starts it again, and stops it.

A wish (on or off) is set at once and from anywhere on the loop; one task brings the server there, whatever
it is doing at that moment, so of many quick wishes only the last one counts. Each run of the server is one
task of its own, which enters and leaves everything that the run opens.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from valechat.errors import PluginError, ValeChatError
from valechat.plugins import sentences
from valechat.plugins.backoff import Backoff, Clock
from valechat.plugins.base import Need, PluginInfo, PluginTool, Problem, State
from valechat.plugins.deadline import Deadline
from valechat.plugins.failures import HOPELESS, failure
from valechat.plugins.health import watched
from valechat.plugins.log import PluginLog
from valechat.plugins.needs import Needs
from valechat.plugins.runs import Host, Run

if TYPE_CHECKING:
    from valechat.plugins.connection import Connection
    from valechat.plugins.definition import Definition
    from valechat.plugins.denials import Denials
    from valechat.plugins.transports.base import Link

__all__ = ["Owner"]

_log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
"""How long a server's end may take before it is left to itself."""
CUT_SECONDS = 2.0


class Owner:
    """One server. All of it is used on one loop.

    Attributes:
        definition: As it is in the file; the next start goes by it.
        found: The tools as the server describes them.
        tools: The same as they are offered: named, and switched on or off. Filled by the host.
        connection: While it runs.
        used: Whether anything here wanted it since the last shutdown.
        needs: What it was refused and the user may grant.
        denials: Finds that in what it says; None where it is not confined. Set by the host.
    """

    def __init__(self, definition: Definition, host: Host, clock: Clock) -> None:
        self.definition = definition
        self.state: State = "stopped"
        self.problem: Problem | None = None
        self.found: tuple[PluginTool, ...] = ()
        self.tools: tuple[PluginTool, ...] = ()
        self.connection: Connection | None = None
        self.log = PluginLog(lambda line: host.logged(self, line))
        self.started_at: datetime | None = None
        self.used = False
        self.needs = Needs()
        self.denials: Denials | None = None
        self._link: Link | None = None
        self._host = host
        self._clock = clock
        self._wanted = False
        self._wish = 0
        self._fulfilled = 0
        self._wished = asyncio.Event()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._backoff = Backoff()
        self._pause: float | None = None
        self._listing = asyncio.Lock()
        self._background: set[asyncio.Task[Any]] = set()

    @property
    def wanted(self) -> bool:
        """Whether it is to run."""
        return self._wanted

    @property
    def recovering(self) -> bool:
        """Whether it is on its way up by itself: starting, or about to be started again."""
        return self._wanted and (self.state != "error" or self._pause is not None) and self.state != "running"

    @property
    def _between(self) -> bool:
        """Whether it is on its way to another state."""
        return self.state not in ("running", "error") and (self._wanted or self.state != "stopped")

    def info(self) -> PluginInfo:
        """The plugin as it stands now."""
        return sentences.info(self, self._link)

    def wish(self, *, on: bool, anew: bool = False) -> int:
        """Want it to run or not; `anew` stops a running one first. Gives the wish's number, for `fulfilled`."""
        if on == self._wanted and not anew and not (on and self.state == "error"):
            return self._wish
        self._wanted = on
        self.used |= on
        self._wish += 1
        self._wished.set()
        if self._task is None:
            # Its context is nobody's: what the first wisher's task holds must not follow the server for life.
            self._task = asyncio.get_running_loop().create_task(self._strive(), context=contextvars.Context())
        return self._wish

    async def fulfilled(self, wish: int) -> PluginInfo:
        """Wait until this wish, or a later one, was brought to its end: running, failed or stopped.

        A server that is just being started again, by itself or for somebody else's wish, is waited for too.
        """
        while self._fulfilled < wish or self._between:
            await self._news.wait()
        return self.info()

    async def settled(self) -> PluginInfo:
        """Wait until what is wished now was brought to its end."""
        return await self.fulfilled(self._wish)

    async def ready(self, within: float) -> Connection:
        """The connection of a server that runs, waiting for one on its way up.

        Raises:
            PluginError: It does not run, and why.
        """
        try:
            async with asyncio.timeout(within):
                while self.connection is None and self.recovering:
                    await self._news.wait()
        except TimeoutError:
            pass
        if self.connection is None:
            raise sentences.unavailable(self)
        return self.connection

    def needed(self, need: Need) -> None:
        """Note that it was refused something."""
        if self.needs.add(need):
            self._host.state_changed(self)

    async def refresh(self) -> None:
        """Ask for its tools again."""
        async with self._listing:
            connection = self.connection
            if connection is None:
                return
            tools, note = await connection.tools()
            if note:
                self.log.add("valechat", "warning", note)
            if connection is self.connection and tools != self.found:
                self.found = tools
                self._host.listed(self)

    def later(self, work: Coroutine[Any, Any, None], doing: str) -> None:
        """Do something beside the rest; that it failed is said in the log."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - nobody waits for it, so the log is where it is told
                self.log.add("valechat", "warning", f"{doing} failed: {error}")

        task = asyncio.get_running_loop().create_task(guarded(), context=contextvars.Context())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _strive(self) -> None:
        """Bring the server to where it is wanted, for as long as that is not reached."""
        try:
            while True:
                while self._wanted:
                    await self._run_once()
                self._set("stopped", wish=self._wish)
                if not self._wanted:
                    break
        except asyncio.CancelledError:
            # The loop is winding down; what runs was ended on the way out.
            self._wanted = False
            self._set("stopped", wish=self._wish)
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours: whoever waits for the plugin must be told
            self._wanted = False
            self._pause = None
            found = failure(self.definition.title, error, while_doing="being managed")
            self.problem = sentences.problem(found, self.definition.id, attempt=0, pause=None, hopeless=True)
            self._set("error", wish=self._wish)
            _log.exception("The owner of %s failed", self.definition.id)
        finally:
            self._task = None

    async def _run_once(self) -> None:
        """One run of the server, and the pause after it; shorter when the wish changes."""
        wish = self._wish
        self._wished.clear()
        self._pause = None
        running = asyncio.create_task(self._serve(wish))
        try:
            await self._unless_wished(running)
        finally:
            if not running.done():
                await self._stop(running)
        if self._wished.is_set():
            self._backoff = Backoff()
            if self._wanted and self.state != "stopped":
                self._set("stopped", wish=0)
            return
        pause = running.result()
        if pause is None:
            await self._wished.wait()
        else:
            await self._unless_wished(asyncio.ensure_future(self._clock.sleep(pause)), cancel=True)
        if self._wished.is_set():
            self._backoff = Backoff()

    async def _unless_wished(self, work: asyncio.Future[Any], *, cancel: bool = False) -> None:
        wished = asyncio.ensure_future(self._wished.wait())
        try:
            await asyncio.wait({work, wished}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wished.cancel()
            if cancel:
                work.cancel()

    async def _stop(self, running: asyncio.Task[float | None]) -> None:
        self._set("stopping", wish=0)
        if self.connection is not None:
            self.connection.over(PluginError(f"{self.definition.title} was stopped while it was at work."))
        for seconds in (STOP_SECONDS, CUT_SECONDS):
            if not running.cancelling() or seconds == CUT_SECONDS:
                running.cancel()
            await asyncio.wait({running}, timeout=seconds)
            if running.done():
                break
        else:
            self.log.add("valechat", "error", f"It could not be stopped within {STOP_SECONDS + CUT_SECONDS:g} s.")
        self.connection = None
        self._link = None
        self.started_at = None

    async def _serve(self, wish: int) -> float | None:
        """One run, from the start to the end; gives the seconds until the next, None when it is the user's turn."""
        run = Run(datetime.now(UTC))
        self.problem = None
        self._set("starting", wish=0)
        try:
            definition = await self._host.resolve(self.definition)
            async with AsyncExitStack() as opened:
                connection = await self._open(opened, definition, run, wish)
                reason = await watched(connection, self._clock, self.log.add)
                self._failed(sentences.with_last_words(self, PluginError(reason), run), run, wish)
        except asyncio.CancelledError:
            run.reason = run.reason or self._why_stopped()
            raise
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - whatever a transport raises, the user is told
            if run.failed is None:
                found = failure(self.definition.title, error, while_doing=run.doing)
                self._failed(sentences.with_last_words(self, found, run), run, wish)
        finally:
            self.connection = None
            self._link = None
            self.started_at = None
            self._host.ran(self, run)
        return self._pause

    async def _open(self, opened: AsyncExitStack, definition: Definition, run: Run, wish: int) -> Connection:
        """Start it, greet it, ask for its tools; all within its timeout."""
        deadline = Deadline(definition.timeout)

        def linked(link: Link) -> None:
            self._link = link
            run.doing = "the handshake"
            self._set("initialising", wish=0)

        try:
            async with deadline:
                connection = await opened.enter_async_context(self._host.open(self, definition, linked))
                run.doing = "listing its tools"
                tools, note = await connection.tools()
        except TimeoutError as error:
            if not deadline.expired:
                raise
            raise sentences.too_slow(definition, run) from error
        if note:
            self.log.add("valechat", "warning", note)
        self.connection = connection
        self.found = tools
        run.up = self._clock.now()
        self.started_at = datetime.now(UTC)
        self._host.ran(self, run)
        self.later(connection.set_log_level(), "Asking for its log")
        self._host.listed(self, silently=True)
        self._set("running", wish=wish)
        return connection

    def _why_stopped(self) -> str:
        if not self._wished.is_set():
            return "shutdown"
        return "restarted" if self._wanted else "stopped"

    def _failed(self, error: ValeChatError, run: Run, wish: int) -> None:
        """Say what happened and when it is tried again."""
        run.failed = error
        run.reason = "failed" if run.up is None else "crashed"
        if isinstance(error, PluginError) and self.connection is not None:
            self.connection.over(error)
        self.connection = None
        seconds_up = self._clock.now() - run.up if run.up is not None else 0.0
        done = self._backoff.restarts
        self._pause = None if isinstance(error, HOPELESS) else self._backoff.after(seconds_up)
        if self._pause is not None:
            done = self._backoff.restarts - 1
        self.problem = sentences.problem(
            error, self.definition.id, attempt=done, pause=self._pause, hopeless=isinstance(error, HOPELESS)
        )
        self._set("error", wish=wish)
        self._host.failed(self, error)

    def _set(self, state: State, *, wish: int) -> None:
        """Come into a state; `wish` is the one that is fulfilled by it, 0 when none is."""
        self._fulfilled = max(self._fulfilled, wish)
        changed, self.state = state != self.state, state
        if self.found and (state == "stopped" or (state == "error" and self._pause is None)):
            self.found = ()
            self._host.listed(self, silently=True)
        if state == "stopped":
            self.problem = None
        if changed:
            self._host.state_changed(self)
        news, self._news = self._news, asyncio.Event()
        news.set()
