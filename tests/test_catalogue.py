"""Which model one begins with, and what the menu shows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import orjson
import pytest

import valechat
from tests.providers import faults
from valechat.services import services


def listing(*names: str) -> faults.Script:
    """A model list as LM Studio gives it, of which others only have the id."""
    return faults.whole(orjson.dumps({"object": "list", "data": [{"id": name, "type": "llm"} for name in names]}))


async def best() -> str:
    return await services().default_model()


async def test_with_nothing_found_one_begins_with_the_demonstration() -> None:
    assert await best() == "demo/echo"


async def test_a_local_server_is_found_and_preferred_to_the_demonstration(home: Path) -> None:
    async with faults.FaultServer(listing("qwen3-8b")) as server:
        (home / "config.toml").write_text(f'[providers.lmstudio]\nbase_url = "{server.url}/v1"\n')
        assert await best() == "lmstudio/qwen3-8b"


async def test_a_provider_with_a_key_comes_before_a_local_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    async with (
        faults.FaultServer(listing("qwen3-8b")) as local,
        faults.FaultServer(listing("gpt-5-mini", "gpt-4.1")) as remote,
    ):
        (home / "config.toml").write_text(
            f'[providers.lmstudio]\nbase_url = "{local.url}/v1"\n[providers.openai]\nbase_url = "{remote.url}/v1"\n'
        )
        assert await best() == "openai/gpt-5-mini"


async def test_a_configured_server_that_is_down_is_shown_with_the_reason(home: Path) -> None:
    (home / "config.toml").write_text(
        '[providers.mylab]\nbase_url = "http://127.0.0.1:9/v1"\n[prices."mylab/x"]\ninput = "1"\noutput = "2"\n'
    )
    (model,) = [model for model in await services().models() if model.provider == "mylab"]
    assert not model.usable
    assert "mylab" in model.why


async def test_a_servers_list_is_asked_again_on_refresh(home: Path) -> None:
    async with faults.FaultServer(listing("one"), listing("one", "two")) as server:
        (home / "config.toml").write_text(f'[providers.mylab]\nbase_url = "{server.url}/v1"\n')
        names = [
            [m.id for m in await services().models(refresh=r) if m.provider == "mylab"] for r in (False, False, True)
        ]
    assert names == [["mylab/one"], ["mylab/one"], ["mylab/one", "mylab/two"]]


async def test_one_model_of_a_provider_without_a_key_shows_what_a_key_would_give() -> None:
    (model,) = [model for model in await services().models() if model.provider == "anthropic"]
    assert (model.usable, model.needs_key) == (False, True)
    assert "valechat keys set anthropic" in model.why


def test_the_list_is_a_table_in_a_notebook() -> None:
    assert "| `demo/echo` | 1.00 | 2.00 |" in valechat.models()._repr_markdown_()


async def test_a_second_account_shows_its_makers_prices(home: Path) -> None:
    (home / "config.toml").write_text(
        '[providers.work]\nkind = "openai"\nmodels = ["gpt-4o"]\n'
        '[providers.proxy]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["gpt-4o"]\n'
    )
    prices = {model.id: model.input_price for model in await services().models() if model.name == "gpt-4o"}
    assert prices["work/gpt-4o"] == Decimal("2.5")
    assert prices["proxy/gpt-4o"] is None
