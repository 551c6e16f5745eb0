r"""`{name}` in a prompt, replaced by the notebook's values where it names one.

The rule: braces that hold exactly a name, its attributes, and literal indexes or keys, with nothing
around them but an f-string's conversion and format, are replaced when all of it resolves in the
notebook. Everything else is sent as it stands: JSON, LaTeX, code, a lone brace. In detail:

* `{df}`, `{row.name}`, `{rows[0]["a"]}`, `{text[:100]}`, `{In[3]}`, `{Out[3]}`, `{Err[3]}` are references.
  No space may follow the brace. Nothing is ever called.
* `{x:.2f}` and `{x!r}` work as in an f-string. A format of letters or digits alone (`{a:1}`, `{a:b}`)
  is left alone: that is how JavaScript and CSS look.
* `{{name}}` is sent as `{name}` where `{name}` would have been replaced, and unchanged otherwise.
* In LaTeX, that is after a command (`\frac{a}{b}`) and inside `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and
  `\begin…\end`, braces belong to LaTeX.
* Modules and builtins are not values: `{os}` and `{id}` stay.
* What follows a table or source on its line goes on a line of its own, so that it is no part of the last row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from valechat.braces import Reference, Unresolved, references, resolved, said
from valechat.variables.describing import BUDGET, Description, describe
from valechat.variables.paths import last_name

__all__ = ["Interpolated", "interpolate"]

_CONVERSIONS: Mapping[str, Callable[[object], str]] = {"r": repr, "s": str, "a": ascii}


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text with its references replaced.

    Attributes:
        text: What is to be sent.
        values: Each value that went in, by the reference as it was written.
        notes: What the user should know: names that do not exist, attributes that failed.
    """

    text: str
    values: Mapping[str, Description] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def interpolate(
    text: str, namespace: Mapping[str, Any], *, budget: int = BUDGET, reveal: Collection[str] = ()
) -> Interpolated:
    """Replace the references that resolve in `namespace`; all other text comes back byte for byte.

    Args:
        text: The prompt.
        namespace: The notebook's names.
        budget: Tokens that a table or a collection may take.
        reveal: Names whose values are sent as they are, what looks like a secret included.
    """
    pieces: list[str] = []
    values: dict[str, Description] = {}
    unresolved: dict[str, str] = {}
    done = 0
    for reference in references(text):
        try:
            sent = _sent(reference, namespace, budget, reveal=reference.name in reveal)
        except Unresolved as error:
            if error.why and reference.depth == 1:
                unresolved[reference.written] = error.why
            continue
        pieces.append(text[done : reference.start])
        outer = reference.depth // 2
        if reference.depth % 2:
            values[reference.written] = sent
            pieces.append("{" * outer + sent.text + "}" * outer)
            if sent.lines and text[reference.end : reference.end + 1].strip("\n"):
                pieces.append("\n")
        else:
            pieces.append("{" * outer + reference.written + "}" * outer)
        done = reference.end
    pieces.append(text[done:])
    return Interpolated("".join(pieces), values, tuple(_notes(unresolved)))


def _sent(reference: Reference, namespace: Mapping[str, Any], budget: int, *, reveal: bool) -> Description:
    name = last_name(reference.expression)
    value = resolved(reference.expression, namespace)
    if isinstance(value, ModuleType):
        raise Unresolved("")
    try:
        if reference.conversion is None and reference.format is None:
            return describe(value, name, budget=budget, reveal=reveal)
        converted = value if reference.conversion is None else _CONVERSIONS[reference.conversion](value)
        return describe(format(converted, reference.format or ""), name, reveal=reveal)
    except Exception as error:  # a user's __repr__ or __format__ may raise anything
        raise Unresolved(f"{{{reference.written}}} could not be written ({said(error)})") from error


def _notes(unresolved: Mapping[str, str]) -> Iterator[str]:
    reasons = list(unresolved.values())
    if not reasons:
        return
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    sent = "sent as it was written" if len(reasons) == 1 else "sent as they were written"
    yield f"{', '.join(reasons[:3])}{more}; {sent}."
