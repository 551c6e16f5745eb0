"""Who is asked to sign in, in tests: people with a real HTTP client for a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx2

from valechat.asking import Approval, Asker, Confirmation, Decision, Filled, Form, SamplingApproval, Visit, nobody

__all__ = ["Person", "declines", "ignores", "opens", "pastes", "redirect_of"]


class Person:
    """Someone who is shown a page. `visits` are those shown, `pages` the texts they ended at."""

    def __init__(self, do: Callable[[Person, Visit], object]) -> None:
        self.visits: list[Visit] = []
        self.pages: list[str] = []
        self.cancelled = 0
        self.browsing: asyncio.Task[None] | None = None
        self._do = do

    async def last_page(self) -> str:
        """What the browser shows in the end."""
        assert self.browsing is not None
        await self.browsing
        return self.pages[-1]

    async def visit(self, page: Visit) -> str | None:
        self.visits.append(page)
        try:
            done = self._do(self, page)
            answer = await done if asyncio.iscoroutine(done) else done
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        assert answer is None or isinstance(answer, str)
        return answer

    async def approve(self, question: Approval | SamplingApproval) -> Decision:
        return await nobody.approve(question)

    async def fill(self, form: Form) -> Filled:
        return await nobody.fill(form)

    async def confirm(self, question: Confirmation) -> bool:
        return await nobody.confirm(question)


def redirect_of(url: str) -> str:
    """Where a sign-in page would lead to in the end."""
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


def opens() -> Person:
    """Opens the page in a browser on the same machine, and looks at it until the question is taken away."""

    async def browse(person: Person, url: str) -> None:
        async with httpx2.AsyncClient(follow_redirects=True) as browser:
            response = await browser.get(url)
            person.pages.append(response.text)

    async def do(person: Person, page: Visit) -> str | None:
        person.browsing = asyncio.create_task(browse(person, page.url))  # a browser of its own: nobody cancels it
        await asyncio.Event().wait()
        return None

    return Person(do)


def pastes(*first: str) -> Person:
    """Opens the page on another machine, where the last page cannot be loaded, and pastes its address.

    Pastes something else `first`.
    """
    wrong = list(first)

    async def do(person: Person, page: Visit) -> str | None:
        if wrong:
            return wrong.pop(0)
        async with httpx2.AsyncClient() as browser:
            response = await browser.get(page.url)
        return str(response.headers["location"])

    return Person(do)


def declines() -> Person:
    return Person(lambda person, page: None)


def ignores() -> Person:
    return Person(lambda person, page: asyncio.Event().wait())


_: type[Asker] = Person
