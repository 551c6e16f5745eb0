"""The JSON Schemas of `mcp_plugins.json` and of the catalogue's files, for editors and for other programs.

They are generated from the models and lie in `data/`, so that an editor can be pointed at them:

.venv/bin/python -m valechat.plugins.published
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from valechat.plugins.definition import CloudService, LocalServer
from valechat.plugins.offer import CatalogueFile

__all__ = ["FILES", "catalogue_schema", "plugins_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HOME = "https://raw.githubusercontent.com/valechat/valechat/main/valechat/plugins/data"

_HERE = r"(localhost|([^/?#@\s]+\.)?localhost|127(\.\d+){3}|\[::1\])(:\d+)?"
_VARIABLE = r"\$\{"


def plugins_schema() -> dict[str, Any]:
    """The schema of `mcp_plugins.json`. That ids are unique over both lists cannot be said in it."""
    _, found = models_json_schema(
        [(LocalServer, "validation"), (CloudService, "validation")], ref_template="#/$defs/{model}"
    )
    definitions = found["$defs"]
    local, cloud = definitions["LocalServer"], definitions["CloudService"]
    local["not"], cloud["not"] = {"required": ["url"]}, {"required": ["command"]}
    local["properties"]["env"]["propertyNames"] = {"pattern": "^[^=]+$"}
    cloud["properties"]["headers"]["propertyNames"] = {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"}
    cloud["allOf"] = [_addresses(["http", "sse"], "https", "http"), _addresses(["websocket"], "wss", "ws")]
    definitions["OAuth"]["if"] = {"properties": {"grant": {"const": "client_credentials"}}, "required": ["grant"]}
    definitions["OAuth"]["then"] = {"required": ["client_id", "client_secret"]}
    lists = {
        name: {"type": "array", "items": {"$ref": f"#/$defs/{model}"}, "description": description}
        for name, model, description in (
            ("local_servers", "LocalServer", "Servers that are started on this machine."),
            ("cloud_services", "CloudService", "Servers that are reached at an address."),
        )
    }
    return {
        "$schema": _DIALECT,
        "$id": f"{_HOME}/mcp_plugins.schema.json",
        "title": "MCP plugins of ValeChat",
        "description": "mcp_plugins.json. Every id is unique over both lists. ${NAME} and ${NAME:-default} are"
        " replaced when a plugin starts, from the environment or the keychain.",
        "type": "object",
        "properties": {
            "$schema": {"type": "string"},
            "mcp_plugins": {"type": "object", "properties": lists, "description": "The plugins."},
        },
        "$defs": definitions,
    }


def catalogue_schema() -> dict[str, Any]:
    """The schema of a file in the folder `catalogue`."""
    found = CatalogueFile.model_json_schema()
    found["properties"]["$schema"] = {"type": "string"}
    return {"$schema": _DIALECT, "$id": f"{_HOME}/catalogue.schema.json", **found, "title": "Catalogue of MCP plugins"}


def _addresses(transports: list[str], safe: str, plain: str) -> dict[str, Any]:
    """What addresses these transports may have: the safe scheme, the plain one here or where it is allowed."""
    rest = r"([/?#]\S*)?$"
    transport: dict[str, Any] = {"properties": {"transport": {"enum": transports}}}
    if "http" not in transports:
        transport["required"] = ["transport"]
    allowed = {"properties": {"allow_http": {"const": True}}, "required": ["allow_http"]}
    anywhere = rf"^({safe}|{plain})://[^/?#@\s]+{rest}|{_VARIABLE}"
    careful = rf"^{safe}://[^/?#@\s]+{rest}|^{plain}://{_HERE}{rest}|{_VARIABLE}"
    return {
        "if": transport,
        "then": {
            "if": allowed,
            "then": {"properties": {"url": {"pattern": anywhere}}},
            "else": {"properties": {"url": {"pattern": careful}}},
        },
    }


FILES = {"mcp_plugins.schema.json": plugins_schema, "catalogue.schema.json": catalogue_schema}
"""The published files and what they hold."""


def _write() -> None:
    for name, schema in FILES.items():
        file = Path(__file__).with_name("data") / name
        file.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
