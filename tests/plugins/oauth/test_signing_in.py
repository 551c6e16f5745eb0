"""A person signs in to a real server, in each way there is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.plugins.authserver import AuthServer
from tests.plugins.httpserver import free_port
from tests.plugins.oauth.conftest import Kernel
from tests.plugins.oauth.people import Person, declines, ignores, opens, pastes, redirect_of
from tests.plugins.transports.connected import connected, service
from valechat.asking import Visit, nobody
from valechat.errors import PluginError, SignInNeeded
from valechat.plugins.transports.base import Transport
from valechat.plugins.transports.http import http
from valechat.plugins.transports.sse import sse
from valechat.plugins.transports.websocket import websocket

pytestmark = pytest.mark.timeout(60)

Make = Callable[..., Kernel]


async def echo(kernel: Kernel, **auth: Any) -> str:
    """Connects as a plugin does, and calls a tool."""
    definition = service(kernel.server.url, auth={"type": "oauth", **auth})
    signed = kernel.authorisation(**auth)
    async with connected(http, definition, authorise=lambda: signed) as here:
        return await here.text("echo", {"text": "hello"})


async def test_a_first_sign_in_finds_registers_asks_and_calls(server: AuthServer, kernel: Make) -> None:
    person = opens()
    assert await echo(kernel(person)) == "hello"
    assert server.seen == ["register", "authorize", "code"]
    assert "You are signed in" in await person.last_page()
    assert person.visits[0].paste
    assert "Sign in to web, at 127.0.0.1:" in person.visits[0].message
    assert person.cancelled == 1


async def test_the_address_of_the_last_page_can_be_pasted_instead(server: AuthServer, kernel: Make) -> None:
    person = pastes()
    assert await echo(kernel(person)) == "hello"
    assert server.seen == ["register", "authorize", "code"]


async def test_a_wrong_paste_is_asked_for_again_with_the_reason(kernel: Make) -> None:
    person = pastes("what?", "http://127.0.0.1:1/callback?code=x&state=another")
    assert await echo(kernel(person)) == "hello"
    assert [page.message.split(". ")[0] for page in person.visits[1:]] == [
        "That is not the address of the page where the sign-in ended",
        "That address belongs to another sign-in",
    ]


async def test_what_is_asked_for_is_protected_and_bound(server: AuthServer, kernel: Make) -> None:
    await echo(kernel(opens()))
    query = server.queries[0]
    assert query["code_challenge_method"] == "S256"
    assert query["resource"] == server.url
    assert query["scope"] == "read"
    assert server.forms[0]["resource"] == server.url
    assert len(query["state"]) >= 32


async def test_configured_scopes_are_asked_for(server: AuthServer, kernel: Make) -> None:
    await echo(kernel(opens()), scopes=["write", "read"])
    assert server.queries[0]["scope"] == "write read"


async def test_the_callback_is_closed_afterwards(kernel: Make) -> None:
    person = opens()
    await echo(kernel(person))
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(redirect_of(person.visits[0].url))


async def test_a_callback_with_another_state_changes_nothing(server: AuthServer, kernel: Make) -> None:
    answers: list[httpx2.Response] = []

    async def do(person: Person, page: Visit) -> str | None:
        async with httpx2.AsyncClient(follow_redirects=True) as browser:
            answers.append(await browser.get(redirect_of(page.url), params={"code": "stolen", "state": "guessed"}))
            await browser.get(page.url)
        return None

    assert await echo(kernel(Person(do))) == "hello"
    assert (answers[0].status_code, "Nothing was changed" in answers[0].text) == (400, True)
    assert server.seen.count("code") == 1


async def test_the_callback_answers_no_page_of_another_name(kernel: Make) -> None:
    answers: list[int] = []

    async def do(person: Person, page: Visit) -> str | None:
        state = parse_qs(urlsplit(page.url).query)["state"][0]
        async with httpx2.AsyncClient() as browser:
            there = f"{redirect_of(page.url)}?code=x&state={state}"
            answers.append((await browser.get(there, headers={"Host": "evil.example"})).status_code)
            answers.append((await browser.post(there)).status_code)
        return None

    with pytest.raises(SignInNeeded):
        await kernel(Person(do)).authorisation().prepare()
    assert answers == [400, 404]


async def test_a_declined_sign_in_says_how_to_try_again_and_does_not_ask_twice(
    server: AuthServer, kernel: Make
) -> None:
    person = declines()
    signed = kernel(person).authorisation()
    with pytest.raises(SignInNeeded, match=r"The sign-in to web was declined\. Enable web again"):
        await signed.prepare()
    async with httpx2.AsyncClient(auth=signed) as client:
        for _ in range(3):
            with pytest.raises(SignInNeeded):
                await client.post(server.url, json={})
    assert len(person.visits) == 1


async def test_a_no_at_the_server_is_a_declined_sign_in(server: AuthServer, kernel: Make) -> None:
    server.deny = True
    person = opens()
    with pytest.raises(SignInNeeded, match=r"declined \(access_denied\)"):
        await kernel(person).authorisation().prepare()
    assert "was not completed" in await person.last_page()


async def test_a_sign_in_nobody_sees_to_ends_after_its_time(kernel: Make) -> None:
    person = ignores()
    with pytest.raises(SignInNeeded, match=r"Nobody signed in to web within .* Enable web again"):
        await kernel(person, seconds=0.3).authorisation().prepare()
    assert person.cancelled == 1


async def test_where_nobody_can_be_asked_it_says_where_to_enable_it(server: AuthServer, kernel: Make) -> None:
    with pytest.raises(SignInNeeded, match="nobody can be asked here"):
        await kernel(nobody).authorisation().prepare()
    assert server.seen == []


async def test_many_requests_at_once_ask_once(server: AuthServer, kernel: Make) -> None:
    person = opens()
    async with httpx2.AsyncClient(auth=kernel(person).authorisation()) as client:
        answers = await asyncio.gather(*(client.post(server.url, json={}) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {400, 406}
    assert len(person.visits) == 1


async def test_metadata_of_another_issuer_is_refused(server: AuthServer, kernel: Make) -> None:
    server.issuer = "https://evil.example"
    person = opens()
    with pytest.raises(PluginError, match=r"says that it is another server, https://evil\.example"):
        await kernel(person).authorisation().prepare()
    assert person.visits == []


async def test_an_answer_of_another_issuer_is_refused(server: AuthServer, kernel: Make) -> None:
    server.iss = "https://evil.example"
    with pytest.raises(PluginError, match="was ended by another server"):
        await kernel(opens()).authorisation().prepare()
    assert "code" not in server.seen


async def test_a_configured_issuer_that_the_server_does_not_name_is_refused(kernel: Make) -> None:
    person = opens()
    with pytest.raises(PluginError, match=r"not at https://mine\.example"):
        await kernel(person).authorisation(issuer="https://mine.example").prepare()
    assert person.visits == []


async def test_a_server_where_nobody_may_register_says_what_to_configure(server: AuthServer, kernel: Make) -> None:
    server.registers = False
    with pytest.raises(PluginError, match=r"does not let programs register themselves.*client_id"):
        await kernel(opens()).authorisation().prepare()


async def test_a_configured_client_is_not_registered(server: AuthServer, kernel: Make) -> None:
    port = free_port()
    server.clients["mine"] = ("my s3cret", [f"http://127.0.0.1:{port}/callback"])
    server.registers = False
    assert await echo(kernel(opens()), client_id="mine", client_secret="my s3cret", redirect_port=port) == "hello"
    assert server.seen == ["authorize", "code"]


async def test_a_taken_redirect_port_leaves_pasting(server: AuthServer, kernel: Make) -> None:
    taken = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        assert await echo(kernel(pastes()), redirect_port=port) == "hello"


async def test_more_scope_is_asked_for_once_when_a_call_needs_it(server: AuthServer, kernel: Make) -> None:
    server.needs = "write"
    person = opens()
    assert await echo(kernel(person)) == "hello"
    assert [query["scope"] for query in server.queries] == ["read", "read write"]
    assert server.seen.count("register") == 1


async def test_no_token_is_sent_to_another_server(server: AuthServer, kernel: Make) -> None:
    signed = kernel(opens()).authorisation()
    await signed.prepare()
    sent: list[dict[str, str]] = []

    def elsewhere(request: httpx2.Request) -> httpx2.Response:
        sent.append(dict(request.headers))
        return httpx2.Response(200)

    async with httpx2.AsyncClient(auth=signed, transport=httpx2.MockTransport(elsewhere)) as client:
        await client.get("https://other.example/mcp")
    assert "authorization" not in sent[0]


@pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject")  # the SDK's server leaves some when it is stopped
@pytest.mark.parametrize(("name", "transport", "scheme"), [("sse", sse, "http"), ("websocket", websocket, "ws")])
async def test_the_other_transports_sign_in_too(
    server: AuthServer, kernel: Make, name: str, transport: Transport, scheme: str
) -> None:
    server.resource = server.base
    url = server.base.replace("http", scheme) + {"sse": "/sse", "websocket": "/ws"}[name]
    definition = service(url, transport=name, auth={"type": "oauth"})
    person = opens()
    for _ in range(2):
        signed = partial(kernel(person).authorisation_at, definition)
        async with connected(transport, definition, authorise=signed) as here:
            assert await here.text("echo", {"text": "hello"}) == "hello"
        server.expire()
    assert server.seen == ["register", "authorize", "code", "refresh"]
    assert len(person.visits) == 1
