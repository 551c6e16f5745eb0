"""Every version of the protocol there has been, each with a server that knows no other."""

from __future__ import annotations

import pytest
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from tests.plugins.oneversion import speaking
from tests.plugins.transports.connected import connected, service
from valechat.plugins.transports.http import http
from valechat.plugins.transports.sse import sse

pytestmark = pytest.mark.timeout(60)


def test_all_versions_are_here() -> None:
    assert KNOWN_PROTOCOL_VERSIONS == ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")


async def test_a_server_of_2024_11_05_is_spoken_to_over_its_stream() -> None:
    with speaking("2024-11-05") as (_, url):
        async with connected(sse, service(url, transport="sse"), mode="auto") as here:
            assert here.client.protocol_version == "2024-11-05"
            assert await here.text("version") == "2024-11-05"


@pytest.mark.parametrize("version", KNOWN_PROTOCOL_VERSIONS[1:])
async def test_a_server_of_one_version_is_spoken_to_in_it(version: str) -> None:
    with speaking(version) as (server, url):
        async with connected(http, service(url), mode="auto") as here:
            assert here.client.protocol_version == version
            assert await here.text("version") == version
        assert server.headers[-1] == version


@pytest.mark.parametrize("version", KNOWN_PROTOCOL_VERSIONS[1:4])
async def test_an_older_server_is_spoken_to_without_asking_for_the_newest_first(version: str) -> None:
    with speaking(version) as (server, url):
        async with connected(http, service(url), mode="legacy") as here:
            assert await here.text("version") == version
        assert set(server.headers) <= {None, version}
