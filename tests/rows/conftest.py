"""A model server, a batch server, and a user's settings that name them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.rows.batchserver import BatchServer
from tests.rows.modelserver import ModelServer
from valechat.engine import engine


def configure(home: Path, url: str, more: str = "", *, kind: str = "openai-compatible") -> None:
    """Settings with the server as the provider `lab`."""
    home.joinpath("config.toml").write_text(
        f'default_model = "lab/scripted"\n[providers.lab]\nkind = "{kind}"\nbase_url = "{url}"\n'
        f'[prices."lab/scripted"]\ninput = "1"\noutput = "2"\n{more}'
    )


class Serving:
    """A server on a loop and a thread of its own, so that it answers while a test blocks."""

    def __init__(self, server: AbstractAsyncContextManager[Any]) -> None:
        self.loop = asyncio.new_event_loop()
        self._server = server
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.do(server.__aenter__())

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def call(self, function: Callable[[], Any]) -> None:
        self.loop.call_soon_threadsafe(function)

    def close(self) -> None:
        self.do(self._server.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture
def fresh_engine() -> Iterator[None]:
    yield
    engine().close()


@pytest.fixture
def server(home: Path, fresh_engine: None) -> Iterator[ModelServer]:
    """A model server that answers well until it is told otherwise."""
    found = ModelServer()
    serving = Serving(found)
    configure(home, found.url)
    yield found
    engine().close()
    serving.close()


@pytest.fixture
def batch_server(home: Path, fresh_engine: None) -> Iterator[BatchServer]:
    """A server of both batch APIs."""
    found = BatchServer()
    serving = Serving(found)
    configure(home, found.url)
    yield found
    engine().close()
    serving.close()
