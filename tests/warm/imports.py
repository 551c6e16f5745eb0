"""Imports the libraries that ValeChat and a kernel need sooner or later; ValeChat itself is left to each process."""

from __future__ import annotations

import importlib
from contextlib import suppress

__all__ = ["import_libraries"]

LIBRARIES = (
    "IPython.core.completer",
    "altair",
    "anyio._backends._asyncio",
    "anywidget",
    "cryptography.hazmat.primitives.ciphers.aead",
    "duckdb",
    "h11",
    "httpcore",
    "httpx",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipywidgets",
    "jsonschema",
    "keyring.core",
    "markdown_it",
    "mcp",
    "mcp.client.streamable_http",
    "nh3",
    "orjson",
    "pandas",
    "psutil",
    "pyarrow",
    "pydantic",
    "pygments.lexers",
    "sqlite3",
    "stamina",
    "tiktoken",
    "tomlkit",
    "websockets",
)


def import_libraries() -> None:
    """What cannot be imported fails where it is used."""
    for name in LIBRARIES:
        with suppress(ImportError):
            importlib.import_module(name)
