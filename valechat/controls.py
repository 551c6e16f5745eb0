"""How a question is asked: what can be set on a chat, and anew for one question."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, ParamSpec, TypeVar, get_type_hints

from typing_extensions import TypedDict

from valechat.attachments import Attachment
from valechat.providers.base import Options
from valechat.structured import Structure, structure

__all__ = ["AskArguments", "Controls", "only_known", "spelled_out"]

P = ParamSpec("P")
R = TypeVar("R")


class AskArguments(TypedDict, total=False):
    """What `Chat.ask`, `ask_sync` and `stream` take besides the question.

    A control that is given here counts for this question instead of the chat's own; None is then the
    model's default. `options` are merged into the chat's.
    """

    model: str | None
    images: Sequence[Attachment]
    files: Sequence[Attachment]
    max_cost: Decimal | str | None
    confirmed: bool
    after: str | None
    temperature: float | None
    max_tokens: int | None
    timeout: float | None
    reasoning_effort: str | None
    seed: int | None
    schema: Any
    options: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Controls:
    """The controls of a chat, as `Chat` describes them."""

    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None
    reasoning_effort: str | None = None
    seed: int | None = None
    schema: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, how: AskArguments) -> Controls:
        """These, with what is given for one question in their place.

        Raises:
            TypeError: A keyword is none of `AskArguments`.
        """
        only_known(how, AskArguments, "A question")
        given: dict[str, Any] = {f.name: how[f.name] for f in fields(self) if f.name in how}  # type: ignore[literal-required]  # fields and keys have the same names
        if "options" in given:
            given["options"] = {**self.options, **(given["options"] or {})}
        return replace(self, **given)

    def for_request(self) -> tuple[Options, Structure | None]:
        """The options of a request, and how its answer is read.

        Raises:
            ConfigError: `schema` is none, or nothing it could be made from.
        """
        form = None if self.schema is None else structure(self.schema)
        options = Options(
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            reasoning_effort=self.reasoning_effort,
            seed=self.seed,
            schema=None if form is None else form.json_schema,
            timeout=self.timeout,
            extra=dict(self.options),
        )
        return options, form


def only_known(given: Iterable[str], arguments: type, taker: str) -> None:
    """Refuse keywords that are none of the TypedDict's: a misspelt `max_cost` would bound nothing.

    Raises:
        TypeError: One is not.
    """
    known = arguments.__annotations__
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        near = get_close_matches(unknown, known, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{taker} takes no keyword {unknown!r}.{meant}")


def spelled_out(function: Callable[P, R]) -> Callable[P, R]:
    """Show the keywords of `AskArguments` one by one where a notebook asks for the signature."""
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    defaults: dict[str, Any] = {"images": (), "files": (), "confirmed": False}
    known = {p.name for p in named}
    spelled = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=hint)
        for name, hint in get_type_hints(AskArguments).items()
        if name not in known
    ]
    function.__signature__ = signature.replace(parameters=[*named, *spelled])  # type: ignore[attr-defined]  # any function takes attributes
    return function
