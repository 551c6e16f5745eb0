from __future__ import annotations

import pytest

from valechat.errors import ConfigError
from valechat.providers._url import checked_base_url, is_loopback


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org/v1",
        "https://api.example.org/v1/",
        "http://localhost:8000/v1",
        "http://127.0.0.1:1",
        "http://127.8.9.1/v1",
        "http://[::1]:8000/v1",
        "http://lab.localhost/v1",
        " https://api.example.org/v1 ",
    ],
)
def test_a_key_may_go_to_https_and_to_this_machine(url: str) -> None:
    assert checked_base_url("lab", url) == url.strip().rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://example.org/v1", "http://10.0.0.5:8000", "http://localhost.example.org", "http://127.0.0.1.example.org"],
)
def test_a_key_does_not_go_to_another_machine_in_the_clear(url: str) -> None:
    with pytest.raises(ConfigError, match="not encrypted") as caught:
        checked_base_url("lab", url)
    assert "allow_insecure" in caught.value.fix
    assert checked_base_url("lab", url, allow_insecure=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.org/v1",
        "ftp://example.org",
        "file:///etc/passwd",
        "https://",
        "https://[broken/v1",
        "https://example.org:port/v1",
        "https://example.org/v1?key=1",
        "https://example.org/v1#x",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="lab"):
        checked_base_url("lab", url)


def test_a_password_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        checked_base_url("lab", "https://me:sesame@example.org/v1")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("host", ["", "example.org", "0.0.0.0", "::", "192.168.0.1"])
def test_other_hosts_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)
