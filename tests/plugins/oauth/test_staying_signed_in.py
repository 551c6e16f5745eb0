"""Tokens end, are revoked, are shared by kernels: whom that bothers, and whom not."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.plugins.authserver import AuthServer, authorising
from tests.plugins.oauth.conftest import Kernel
from tests.plugins.oauth.people import declines, ignores, opens
from valechat.asking import nobody
from valechat.errors import KeyStorageError, PluginError, SignInNeeded, ValeChatError
from valechat.keys import Vault
from valechat.paths import user_paths
from valechat.plugins.oauth import sign_out
from valechat.plugins.oauth.signing import Authorisation
from valechat.plugins.oauth.values import Challenge

pytestmark = pytest.mark.timeout(90)

Make = Callable[..., Kernel]

SERVED = 400  # what the MCP server says to an empty request, once it is let in


async def call(signed: Authorisation, server: AuthServer) -> int:
    async with httpx2.AsyncClient(auth=signed) as client:
        return (await client.post(server.url, json={})).status_code


async def signed_in(kernel: Kernel) -> None:
    await kernel.authorisation().prepare()
    kernel.server.seen.clear()


async def test_a_token_that_ends_is_renewed_before_it_is_refused(server: AuthServer, kernel: Make) -> None:
    server.lifetime = 0.5
    signed = kernel(opens()).authorisation()
    await signed.prepare()
    server.seen.clear()
    await asyncio.sleep(0.6)  # what ends a token is the clock
    server.lifetime = 3600
    assert await call(signed, server) == SERVED
    assert server.seen == ["refresh"]
    assert len(set(server.tokens_seen)) == 1


async def test_a_token_that_is_refused_before_its_time_is_renewed_without_the_user(
    server: AuthServer, kernel: Make
) -> None:
    person = opens()
    signed = kernel(person).authorisation()
    await signed.prepare()
    server.expire()
    assert await call(signed, server) == SERVED
    assert server.seen[-1] == "refresh"
    assert len(person.visits) == 1


async def test_many_requests_with_an_ended_token_renew_it_once(server: AuthServer, kernel: Make) -> None:
    signed = kernel(opens()).authorisation()
    await signed.prepare()
    server.expire()
    server.slow = 0.2
    assert set(await asyncio.gather(*(call(signed, server) for _ in range(8)))) == {SERVED}
    assert server.seen.count("refresh") == 1


async def test_after_a_restart_the_kept_sign_in_is_renewed_without_a_browser(
    server: AuthServer, kernel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(kernel(opens()))
    server.expire()
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    other = await asyncio.to_thread(others, server, 1, 1)
    assert other == [{"error": "", "statuses": [SERVED]}]
    assert server.seen == ["refresh"]


async def test_after_a_restart_an_ended_token_is_not_even_sent(server: AuthServer, kernel: Make) -> None:
    server.lifetime = 0.0
    await signed_in(kernel(opens()))
    server.lifetime = 3600
    server.tokens_seen.clear()
    assert await call(kernel(nobody).authorisation(), server) == SERVED
    assert server.seen == ["refresh"]
    assert len(server.tokens_seen) == 1


async def test_kernels_that_renew_at_once_lose_no_token_to_rotation(
    server: AuthServer, kernel: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(kernel(opens()))
    monkeypatch.setenv("VALECHAT_PASSPHRASE", "correct horse")
    server.slow = 0.3
    server.expire()
    came = await asyncio.to_thread(others, server, 3, 2)
    assert came == [{"error": "", "statuses": [SERVED, SERVED]}] * 3
    assert server.seen == ["refresh"]


async def test_a_sign_in_in_another_kernel_takes_the_question_away_here(server: AuthServer, kernel: Make) -> None:
    waiting = ignores()
    here = asyncio.create_task(kernel(waiting).authorisation().prepare())
    while not waiting.visits:
        await asyncio.sleep(0.01)
    await kernel(opens()).authorisation().prepare()
    await asyncio.wait_for(here, 30)
    assert waiting.cancelled == 1
    assert server.seen.count("code") == 1


async def test_a_request_given_up_while_its_token_is_renewed_does_not_lose_the_new_one(
    server: AuthServer, kernel: Make
) -> None:
    signed = kernel(opens()).authorisation()
    await signed.prepare()
    server.expire()
    server.slow = 0.5
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await call(signed, server)
    assert await call(signed, server) == SERVED
    assert server.seen[-1] == "refresh"
    assert await call(kernel(nobody).authorisation(), server) == SERVED


async def test_a_revoked_sign_in_is_asked_for_anew_once_and_says_why(server: AuthServer, kernel: Make) -> None:
    person = opens()
    one = kernel(person)
    signed = one.authorisation()
    await signed.prepare()
    server.revoke()
    assert await call(signed, server) == SERVED
    assert [page.message.split(". ")[0] for page in person.visits[1:]] == [
        "The sign-in to web was revoked or has run out"
    ]
    assert server.seen.count("register") == 1
    assert any("no longer good" in text for _, _, text in one.log)


async def test_a_revoked_sign_in_that_is_declined_is_not_asked_for_again(server: AuthServer, kernel: Make) -> None:
    await signed_in(kernel(opens()))
    server.revoke()
    person = declines()
    signed = kernel(person).authorisation()
    for _ in range(3):
        with pytest.raises(SignInNeeded, match="declined"):
            await call(signed, server)
    assert len(person.visits) == 1


async def test_a_sign_in_server_that_fails_costs_no_token_and_opens_no_browser(
    server: AuthServer, kernel: Make
) -> None:
    await signed_in(kernel(opens()))
    server.expire()
    server.broken = True
    signed = kernel(nobody).authorisation()
    with pytest.raises(PluginError, match=r"sign-in server failed \(503\)"):
        await call(signed, server)
    server.broken = False
    assert await call(signed, server) == SERVED


async def test_a_client_the_server_has_forgotten_registers_anew(server: AuthServer, kernel: Make) -> None:
    await signed_in(kernel(opens()))
    server.clients.pop("client-1")
    server.expire()
    assert await call(kernel(opens()).authorisation(), server) == SERVED
    assert server.seen == ["register", "authorize", "code"]


async def test_a_server_that_takes_no_token_at_all_asks_its_user_once(server: AuthServer, kernel: Make) -> None:
    server.takes = False
    person = opens()
    signed = kernel(person).authorisation()
    assert [await call(signed, server) for _ in range(2)] == [401, 401]  # one after the sign-in, one renewed
    for _ in range(2):
        with pytest.raises(PluginError, match="does not take the token that its sign-in server has just given"):
            await call(signed, server)
    assert len(person.visits) == 1


async def test_a_server_that_takes_no_token_of_a_client_asks_for_one_at_a_time(
    server: AuthServer, kernel: Make
) -> None:
    server.takes = False
    machine = {"grant": "client_credentials", "client_id": "robot", "client_secret": "robot s3cret"}
    signed = kernel(nobody).authorisation(**machine)
    assert await call(signed, server) == 401
    with pytest.raises(PluginError, match="does not take the token"):
        await call(signed, server)
    assert server.seen == ["client_credentials"]


async def test_a_client_signs_in_for_itself_without_anybody(server: AuthServer, kernel: Make) -> None:
    machine = {"grant": "client_credentials", "client_id": "robot", "client_secret": "robot s3cret"}
    signed = kernel(nobody).authorisation(**machine, scopes=["read"])
    assert await call(signed, server) == SERVED
    assert server.seen == ["client_credentials"]
    assert server.forms[-1]["scope"] == "read"
    server.expire()
    assert await call(signed, server) == SERVED


async def test_a_configured_secret_is_not_sent_to_another_server_that_the_plugin_names_later(
    server: AuthServer, kernel: Make
) -> None:
    machine = {"grant": "client_credentials", "client_id": "robot", "client_secret": "robot s3cret"}
    assert await call(kernel(nobody).authorisation(**machine), server) == SERVED
    server.expire()
    with authorising() as thief:
        server.names = thief.base
        with pytest.raises(PluginError, match="your client_secret is not sent there"):
            await call(kernel(nobody).authorisation(**machine), server)
        assert thief.forms == []


async def test_a_configured_secret_is_not_kept_and_may_change(server: AuthServer, kernel: Make) -> None:
    client = {"client_id": "robot", "client_secret": "robot s3cret"}
    one = kernel(opens())
    await one.authorisation(**client, redirect_port=server.redirect_port()).prepare()
    kept = await Vault(one.ring(), user_paths()).read("plugin:web:oauth", purpose="look")
    assert kept is not None
    assert "access-" in kept.reveal()
    assert "robot s3cret" not in kept.reveal()
    server.clients["robot"] = ("changed", [])
    server.expire()
    assert await call(kernel(nobody).authorisation(**{**client, "client_secret": "changed"}), server) == SERVED
    assert server.seen[-1] == "refresh"


async def test_tokens_of_another_client_than_the_configured_one_are_not_used(server: AuthServer, kernel: Make) -> None:
    await signed_in(kernel(opens()))
    with pytest.raises(SignInNeeded):
        await kernel(nobody).authorisation(client_id="mine").prepare()
    assert server.seen == []


async def test_a_token_address_with_a_secret_needs_no_discovery(server: AuthServer, kernel: Make) -> None:
    server.issuer = "https://not.asked"
    configured = {"client_id": "robot", "client_secret": "robot s3cret", "token_url": f"{server.base}/token"}
    assert await call(kernel(nobody).authorisation(**configured), server) == SERVED
    assert server.seen == ["client_credentials"]


async def test_a_server_that_takes_secrets_only_in_the_body_gets_it_there(server: AuthServer, kernel: Make) -> None:
    server.basic = False
    configured = {"client_id": "robot", "client_secret": "robot s3cret", "token_url": f"{server.base}/token"}
    assert await call(kernel(nobody).authorisation(**configured), server) == SERVED


async def test_a_wrong_client_secret_says_what_to_check_and_not_what_it_is(server: AuthServer, kernel: Make) -> None:
    configured = {"client_id": "robot", "client_secret": "wr0ng-s3cret", "token_url": f"{server.base}/token"}
    with pytest.raises(PluginError, match=r"refused \(invalid_client\)\. Check client_id and client_secret") as raised:
        await call(kernel(nobody).authorisation(**configured), server)
    assert "wr0ng" not in "".join(traceback.format_exception(raised.value))


async def test_without_a_place_to_keep_it_the_user_is_told_that_it_ends_with_the_kernel(
    server: AuthServer, kernel: Make
) -> None:
    one = kernel(opens(), environ={})
    await one.authorisation().prepare()
    told = "".join(text for _, level, text in one.log if level == "warning")
    assert told.startswith("The sign-in is kept in memory only, because there is no keychain: it ends with this kernel")
    assert await call(kernel(nobody, environ={}).authorisation(), server) == SERVED


async def test_a_sign_in_that_cannot_be_read_is_not_taken_for_none(server: AuthServer, kernel: Make) -> None:
    await signed_in(kernel(opens()))
    person = opens()
    with pytest.raises(KeyStorageError, match="passphrase"):
        await kernel(person, environ={}).authorisation().prepare()
    assert person.visits == []


async def test_a_sign_in_is_not_used_for_another_server_under_the_same_name(server: AuthServer, kernel: Make) -> None:
    await signed_in(kernel(opens()))
    server.stop()
    other = AuthServer()
    other.start()
    try:
        with pytest.raises(SignInNeeded):
            await Kernel(other, nobody).authorisation().prepare()
    finally:
        other.stop()
    assert other.tokens_seen == []


async def test_signing_out_gives_the_tokens_back_and_forgets_them(server: AuthServer, kernel: Make) -> None:
    one = kernel(opens())
    await signed_in(one)
    assert await sign_out("web", keys=one.ring(), paths=user_paths())
    assert server.seen == ["revoke"]
    with pytest.raises(SignInNeeded):
        await kernel(nobody).authorisation().prepare()
    assert not await sign_out("web", keys=one.ring(), paths=user_paths())


async def test_each_use_of_the_tokens_is_recorded_but_not_each_request(server: AuthServer, kernel: Make) -> None:
    one = kernel(opens())
    signed = one.authorisation()
    await signed.prepare()
    assert one.purposes() == ["signed in"]
    for _ in range(5):
        await call(signed, server)
    assert len(one.uses) == 1
    server.expire()
    await call(signed, server)
    assert one.purposes() == ["signed in", "renew the sign-in", "renewed the sign-in"]
    assert {(use["key"], use["source"]) for use in one.uses} == {("plugin:web:oauth", "key file")}


async def test_no_token_is_in_any_repr_log_record_or_file(
    server: AuthServer, kernel: Make, caplog: pytest.LogCaptureFixture, home: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    one = kernel(opens())
    signed = one.authorisation()
    await signed.prepare()
    server.expire()
    await call(signed, server)
    server.revoke()
    one.person = declines()
    with pytest.raises(SignInNeeded) as raised:
        await call(signed, server)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("asyncio")]
    told = "\n".join([repr(vars(signed)), repr(one.log), repr(one.uses), *ours, crash_report(raised.value)])
    files = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert server.tokens_seen
    for secret in [*server.tokens_seen, *(form["refresh_token"] for form in server.forms if "refresh_token" in form)]:
        assert secret not in told
        assert secret.encode() not in files


@pytest.mark.parametrize("trouble", ["fails", "refuses", "odd", "gone", "no token", "unkept"])
async def test_no_secret_is_in_a_crash_report_with_all_local_variables(
    server: AuthServer, kernel: Make, trouble: str
) -> None:
    person = opens()
    one = kernel(person)
    signed = one.authorisation(client_id="robot", client_secret="robot s3cret", redirect_port=server.redirect_port())
    if trouble != "no token":
        await signed.prepare()
        server.expire()
    if trouble == "fails":
        server.broken = True
    elif trouble == "refuses":
        server.clients["robot"] = ("another", [])
    elif trouble == "odd":
        server.kind = "mac"
    elif trouble == "no token":
        server.kind = ""
    elif trouble == "gone":
        await asyncio.to_thread(server.stop)
    else:
        one.fail_to_record = True
    with pytest.raises((ValeChatError, httpx2.ConnectError)) as raised:
        await signed._renewed(Challenge(), signed._tokens)
    report = crash_report(raised.value)
    secrets = [*server.given, "robot s3cret", *(form.get("code", "") for form in server.forms)]
    secrets += [form["code_verifier"] for form in server.forms if "code_verifier" in form]
    assert len(secrets) > 2
    for secret in filter(None, secrets):
        assert secret not in report
        assert base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")[:-2] not in report


def crash_report(error: BaseException) -> str:
    """The traceback with the local variables of every frame, as IPython's verbose mode has it."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def others(server: AuthServer, count: int, calls: int) -> list[dict[str, object]]:
    """What so many other kernels report that call the server at the same time."""
    program = Path(__file__).with_name("another_kernel.py")
    running = [
        subprocess.Popen(
            [sys.executable, program, server.url, str(calls)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    try:
        for one in running:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in running:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        return [json.loads(one.communicate(timeout=60)[0]) for one in running]
    finally:
        for one in running:
            one.kill()
            one.wait()
