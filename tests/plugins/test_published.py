"""The schemas other programs check the files with say what ValeChat itself accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.plugins.test_config import BROKEN, SEED_SERVER, SEED_SERVICE
from valechat.plugins import published
from valechat.plugins.config import parse
from valechat.plugins.file import schema_text

DATA = Path(published.__file__).with_name("data")
ONLY_WE_CAN_TELL = {"zero byte", "half of a character", "both command and url"}
"""What a schema cannot say, or says only of the list an entry stands in."""


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text()))


def document(entry: dict[str, Any]) -> dict[str, Any]:
    group = "cloud_services" if "url" in entry else "local_servers"
    return {"$schema": "x", "mcp_plugins": {group: [entry]}}


@pytest.mark.parametrize("name", published.FILES)
def test_the_published_file_is_the_one_the_models_give(name: str) -> None:
    """Else run: python -m valechat.plugins.published."""
    assert json.loads((DATA / name).read_text()) == published.FILES[name]()


@pytest.mark.parametrize("name", published.FILES)
def test_the_published_file_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json.loads((DATA / name).read_text()))


@pytest.mark.parametrize(
    "entry",
    [
        SEED_SERVER,
        SEED_SERVICE,
        {"id": "a", "command": "x", "unknown": 1, "permissions": {"network_access": ["a.b"], "memory_mb": 512}},
        {"id": "a", "url": "http://localhost:80/mcp", "auth": {"type": "bearer", "token": "${T}"}},
        {"id": "a", "url": "http://[::1]/mcp"},
        {"id": "a", "url": "ws://127.0.0.1:9/x", "transport": "websocket"},
        {"id": "a", "url": "http://lab/mcp", "allow_http": True},
        {"id": "a", "url": "${URL}"},
        {"id": "a", "url": "unix:///x", "transport": "pigeon"},
    ],
)
def test_what_we_accept_the_schema_accepts(entry: dict[str, Any], schema: Draft202012Validator) -> None:
    parse(entry)
    assert list(schema.iter_errors(document(entry))) == []


@pytest.mark.parametrize(
    "entry",
    [
        entry
        for entry, _, says in BROKEN
        if not any(known in says for known in ONLY_WE_CAN_TELL)
        and "[::1" not in str(entry)
        and "99999" not in str(entry)
    ],
    ids=str,
)
def test_what_we_refuse_the_schema_refuses(entry: dict[str, Any], schema: Draft202012Validator) -> None:
    assert list(schema.iter_errors(document(entry))) != []


def test_every_field_is_described() -> None:
    definitions = published.plugins_schema()["$defs"]
    undescribed = [
        f"{name}.{field}"
        for name, definition in definitions.items()
        for field, said in definition["properties"].items()
        if field != "type" and "description" not in said
    ]
    assert undescribed == []


def test_the_packages_own_catalogue_fits_its_schema() -> None:
    catalogue = json.loads((DATA / "catalogue.json").read_text())
    assert list(Draft202012Validator(published.catalogue_schema()).iter_errors(catalogue)) == []
