"""Whatever a server does to a request: it ends, it is billed once, and its row says honestly how it went."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

import pytest

import valechat
from tests.providers import faults
from valechat.errors import ProviderError
from valechat.providers import resilience

TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"Gr\xc3\xbc\xc3\x9fe"}}]}\n\n'
MORE = b'data: {"choices":[{"index":0,"delta":{"content":" dich"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":10}}\n\n'
EARLY = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1000,"completion_tokens":10}}\n\n'
)
DONE = b"data: [DONE]\n\n"
WHOLE = TEXT + MORE + STOP + USAGE + DONE
BUSY = b'{"error":{"message":"busy"}}'
PRICE = Decimal("0.00135")
"""1,000 tokens in at 1.25 and 10 out at 10 USD per million."""

GOOD = {
    "whole": faults.stream(WHOLE),
    "byte by byte": faults.stream(*(WHOLE[i : i + 1] for i in range(len(WHOLE)))),
    "CRLF": faults.stream(WHOLE.replace(b"\n", b"\r\n")),
    "comment lines": faults.stream(b": PROCESSING\n\n", TEXT, b": PROCESSING\n\n", MORE, STOP, USAGE, DONE),
    "missing [DONE]": faults.stream(TEXT, MORE, STOP, USAGE),
    "duplicate usage": faults.stream(TEXT, MORE, STOP, USAGE, USAGE, DONE),
    "usage on the finish": faults.stream(TEXT, MORE, EARLY, DONE),
    "gzip": faults.zipped(WHOLE),
    "HTTP/1.0 close": faults.old_stream(WHOLE),
}

TRIED_AGAIN = {
    "429 in seconds": faults.whole(BUSY, status=429, headers={"Retry-After": "0"}),
    "429 in milliseconds": faults.whole(BUSY, status=429, headers={"Retry-After-Ms": "1"}),
    "429 by date": faults.whole(BUSY, status=429, headers={"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}),
    "529": faults.whole(BUSY, status=529),
    "503 page": faults.whole(b"<html><title>Bad gateway</title>", status=503, content_type="text/html"),
}

REFUSED = {
    "401": faults.whole(BUSY, status=401),
    "404": faults.whole(BUSY, status=404),
    "400 page": faults.whole(b"<html><title>No</title>", status=400, content_type="text/html"),
    "redirect": faults.whole(status=307, headers={"Location": "http://127.0.0.1:9/"}),
}

MAYBE_BILLED = {
    "200 with a page": faults.whole(b"<html><title>Log in</title>", content_type="text/html"),
    "hang": faults.hanging(begun=False),
    "hang after the headers": faults.hanging(),
    "a comment now and then": faults.dripping(b": still here\n\n", 0.05),
}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resilience, "FIRST_WAIT", 0.001)


async def asked(home: Path, *scripts: faults.Script) -> tuple[str, int]:
    """What came of one question, and how many requests the server saw."""
    async with faults.FaultServer(*scripts) as server:
        (home / "config.toml").write_text(
            f'[providers.mylab]\nbase_url = "{server.url}/v1"\ntimeout = 0.3\n'
            '[prices."mylab/scripted"]\ninput = "1.25"\noutput = "10"\n[limits]\ndaily = "5"\n'
        )
        text = ""
        with contextlib.suppress(ProviderError):
            text = (await valechat.Chat("mylab/scripted").ask("Hello")).text
        return text, len(server.requests)


def row() -> tuple[str, Decimal, str]:
    """Status, cost and its source of the one row; the limits' counters must say the same."""
    ((status, cost, source),) = valechat.sql("SELECT status, cost, cost_source FROM usage").fetchall()
    (state,) = valechat.limits.remaining()
    assert (state.used, state.held) == (cost, Decimal(0))
    return status, cost, source


@pytest.mark.parametrize("form", GOOD)
async def test_a_whole_answer_in_any_form_is_billed_exactly(home: Path, form: str) -> None:
    assert await asked(home, GOOD[form]) == ("Grüße dich", 1)
    assert row() == ("complete", PRICE, "priced")


@pytest.mark.parametrize("fault", TRIED_AGAIN)
async def test_a_request_that_is_tried_again_is_billed_once(home: Path, fault: str) -> None:
    assert await asked(home, TRIED_AGAIN[fault], faults.stream(WHOLE)) == ("Grüße dich", 2)
    assert row() == ("complete", PRICE, "priced")


@pytest.mark.parametrize("fault", REFUSED)
async def test_a_refused_request_costs_nothing(home: Path, fault: str) -> None:
    assert await asked(home, REFUSED[fault]) == ("", 1)
    assert row() == ("failed", Decimal(0), "priced")


@pytest.mark.parametrize("fault", MAYBE_BILLED)
async def test_a_request_that_may_have_been_billed_is_estimated(home: Path, fault: str) -> None:
    assert (await asked(home, MAYBE_BILLED[fault]))[0] == ""
    status, cost, source = row()
    assert (status, source) == ("failed", "estimated")
    assert cost > 0


@pytest.mark.parametrize("end", range(len(TEXT), len(TEXT + MORE), 7))
async def test_an_answer_cut_anywhere_after_its_first_word_is_kept_and_estimated(home: Path, end: int) -> None:
    text, requests = await asked(home, faults.cut_stream(WHOLE[:end]))
    assert (text, requests) == ("Grüße", 1)
    status, cost, source = row()
    assert (status, source) == ("failed", "estimated")
    assert cost > 0
