from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from valechat.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    TimedOut,
)
from valechat.providers._errors import retry_after, said, scrubbed, status_error, stream_error

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "30"}, 0.25),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:20 GMT"}, 20.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sunday, 22-Nov-26 12:00:05 GMT"}, 5.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3.0),
        ({}, None),
    ],
)
def test_each_form_of_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"message": "Bad model", "type": "invalid_request_error", "code": "x"}}, "Bad model"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "Overloaded"),
        ([{"error": {"code": 400, "message": "Not valid.", "status": "INVALID_ARGUMENT"}}], "Not valid."),
        ({"error": "model 'x' not found"}, "model 'x' not found"),
        ({"message": "Unauthorized"}, "Unauthorized"),
        ({"detail": "Not here"}, "Not here"),
        ({"detail": [{"loc": ["body", "n"], "msg": "too many", "type": "v"}]}, "too many"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"busy"}}'}}},
         "Provider returned error (busy)"),
        ({"error": {"message": "", "type": "tokens"}}, "tokens"),
        ({"strange": True}, '{"strange": true}'),
    ],
)  # fmt: skip
def test_the_servers_words_are_found_in_any_providers_form(body: Any, words: str) -> None:
    assert said(json.dumps(body).encode()) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><head><title>502 Bad\nGateway</title></head><body>x</body></html>", "a web page, “502 Bad Gateway”"),
        (b"<!doctype html><h1>Sorry &amp; bye</h1>", "a web page, “Sorry & bye”"),
        (b"<p>Only <b>text</b></p><script>alert(1)</script>", "a web page, “Only text”"),
        (b"upstream connect error", "upstream connect error"),
        (b"", ""),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
    ],
)
def test_pages_and_plain_text_become_one_line(body: bytes, words: str) -> None:
    assert said(body) == words


def test_a_long_message_is_shortened() -> None:
    assert len(said(b"word " * 10_000)) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"<" * 65536,
        b"<a" * 32768,
        b"<script" * 9000,
        b"[" * 60_000,
        b'{"error":' * 7000,
        b'{"error":' * 900 + b"1" + b"}" * 900,
    ],
)
@pytest.mark.timeout(5)
def test_a_hostile_body_is_read_in_no_time(body: bytes) -> None:
    assert len(said(body)) <= 500
    assert isinstance(status_error("lab", 400, {}, body), ProviderError)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "no", "code": "model_not_found"}}, ModelNotFound),
        (400, {"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}, ModelNotFound),
        (400, [{"error": {"details": [{"reason": "API_KEY_INVALID"}], "status": "INVALID"}}], AuthenticationFailed),
        (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "credit balance too low"}},
         RateLimited),
        (402, {"error": {"message": "Insufficient credits", "code": 402}}, RateLimited),
        (408, {}, TimedOut),
        (409, {}, ServerFailed),
        (418, {}, RequestRejected),
        (500, {"error": {"message": "model_not_found"}}, ServerFailed),
    ],
)  # fmt: skip
def test_a_bodys_code_says_more_than_the_status(status: int, body: Any, kind: type[ProviderError]) -> None:
    assert type(status_error("lab", status, {}, json.dumps(body).encode())) is kind


def test_an_empty_body_is_told_by_the_status() -> None:
    assert "Service Unavailable" in status_error("lab", 503, {}, b"").message
    assert "Overloaded" in status_error("lab", 529, {}, b"").message


def test_no_credit_left_is_not_worth_a_retry() -> None:
    body = json.dumps({"error": {"message": "quota", "code": "insufficient_quota"}}).encode()
    error = status_error("lab", 429, {"x-should-retry": "true"}, body)
    assert error.should_retry is False
    assert "credit" in error.fix.lower()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"error": {"message": "m", "type": "overloaded_error"}}, ServerFailed),
        ({"error": {"message": "m", "type": "rate_limit_error"}}, RateLimited),
        ({"error": {"message": "m", "code": 429}}, RateLimited),
        ({"error": {"message": "m", "code": 502}}, ServerFailed),
        ({"error": {"message": "m", "code": 400}}, RequestRejected),
        ({"error": "just words"}, ServerFailed),
        ({"error": True}, ServerFailed),
    ],
)
def test_an_error_inside_a_stream_has_its_kind(value: Any, kind: type[ProviderError]) -> None:
    assert type(stream_error("lab", value)) is kind


@pytest.mark.parametrize("form", ['sk/a+b="c', "sk%2Fa%2Bb%3D%22c", 'sk/a+b=\\"c'])
def test_a_key_is_taken_out_in_every_form_it_may_have(form: str) -> None:
    assert scrubbed(f"Incorrect API key: {form}.", 'sk/a+b="c') == "Incorrect API key: [key]."


def test_googles_way_to_say_how_long_to_wait_is_read() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27s"}
    body = json.dumps({"error": {"code": 429, "message": "Quota", "details": [{"quota": "x"}, info]}}).encode()
    assert status_error("gemini", 429, {}, body).retry_after == 27
    assert status_error("gemini", 429, {"retry-after": "3"}, body).retry_after == 3


def test_a_question_that_a_router_moderates_is_not_a_refused_key() -> None:
    body = json.dumps({"error": {"code": 403, "message": "Flagged", "metadata": {"reasons": ["violence"]}}}).encode()
    assert isinstance(status_error("openrouter", 403, {}, body), RequestRejected)


def test_too_long_a_conversation_told_inside_a_stream_is_not_tried_again() -> None:
    value = {"error": {"code": "context_length_exceeded", "message": "Too long"}}
    assert isinstance(stream_error("openai", value), RequestRejected)
