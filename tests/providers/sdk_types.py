"""An official SDK's request types as an oracle: exact types, nothing unknown, iterables read to their end."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from typing_extensions import is_typeddict


def strict_adapter(params: Any, package: str) -> TypeAdapter[Any]:
    """A validator for one of the SDK's TypedDicts. `package` is where its types live, e.g. `openai.types`.

    The types' own configuration is changed, for the test process: they allow unknown keys otherwise.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            for value in vars(module).values():
                if is_typeddict(value):
                    value.__pydantic_config__ = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)
    return TypeAdapter(params)


def check(adapter: TypeAdapter[Any], value: Any) -> None:
    """Validate, and read what pydantic leaves to be read: an `Iterable` is checked only while it is."""
    _drain(adapter.validate_python(value))


def _drain(value: Any) -> None:
    if isinstance(value, Mapping):
        for item in value.values():
            _drain(item)
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for item in value:
            _drain(item)
