"""Where a text names values in braces, and what those names stand for; the rule is `notebook.interpolate`'s."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Reference", "Unresolved", "references", "resolved", "said"]

_BRACES = re.compile(r"(?<!\{)(\{++)([^\W\d][^{}\n]{0,300})(\}+)")
_FORMATTED = re.compile(
    r"(?P<expression>.+?)(?:!(?P<conversion>[rsa]))?"
    r"(?::(?P<format>(?:[^\s{}]?[<>=^])?[+-]?z?#?0?\d*[,_]?(?:\.\d+)?[a-zA-Z%]?|[^\s{}]*%[^{}]*))?"
)
_MEANINGLESS_FORMAT = re.compile(r"\d*|[a-zA-Z]*")
_COMMAND = re.compile(r"\\[A-Za-z]+\*?(?:\[[^\]{}\n]{0,200}\])?(?:\{[^{}\n]{0,300}\})*$")
_MATH = re.compile(
    r"\$\$.{1,5000}?\$\$"
    r"|\$(?![\s{$])(?:[^$\\\n]|\\.){1,1000}?(?<!\s)\$(?!\d)"
    r"|\\\(.{1,5000}?\\\)"
    r"|\\\[.{1,5000}?\\\]"
    r"|\\begin\{(?P<env>[A-Za-z]+\*?)\}.{0,20000}?\\end\{(?P=env)\}",
    re.DOTALL,
)


class Unresolved(Exception):
    """A reference that names nothing. `why` is for the user, empty when there is nothing to say."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Reference:
    """A place in a text that may name a value: `text[start:end]`, with its runs of braces."""

    start: int
    end: int
    depth: int
    expression: ast.expr
    written: str
    conversion: str | None
    format: str | None

    @property
    def name(self) -> str:
        """The name it begins with."""
        return next(node.id for node in ast.walk(self.expression) if isinstance(node, ast.Name))


def references(text: str) -> Iterator[Reference]:
    """The places in a text that may name a value, LaTeX left out."""
    if "{" not in text:
        return
    math = _spans(_MATH.finditer(text))
    for found in _BRACES.finditer(text):
        opening, inner, closing = found.groups()
        depth = min(len(opening), len(closing))
        parsed = _parsed(inner)
        if parsed is None or _within(found.start(), math) or _is_argument(text, found.start()):
            continue
        expression, conversion, form = parsed
        start = found.end(1) - depth
        yield Reference(start, found.start(3) + depth, depth, expression, inner, conversion, form)


def _parsed(inner: str) -> tuple[ast.expr, str | None, str | None] | None:
    if inner != inner.strip():
        return None
    if (path := _path(inner)) is not None:
        return path, None, None
    found = _FORMATTED.fullmatch(inner)
    if found is None or (found["format"] is not None and _MEANINGLESS_FORMAT.fullmatch(found["format"])):
        return None
    path = _path(found["expression"])
    return None if path is None else (path, found["conversion"], found["format"])


def _path(written: str) -> ast.expr | None:
    try:
        expression = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return expression if _is_path(expression) else None


def _is_path(node: ast.expr) -> bool:
    while True:
        match node:
            case ast.Name():
                return True
            case ast.Attribute(value=inner):
                node = inner
            case ast.Subscript(value=inner, slice=key) if _is_literal(key):
                node = inner
            case _:
                return False


def _is_literal(node: ast.expr | None) -> bool:
    match node:
        case None | ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return True
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(_is_literal(bound) for bound in (lower, upper, step))
        case ast.Tuple(elts=elements):
            return all(_is_literal(element) for element in elements)
    return False


def _literal(node: ast.expr | None) -> Any:
    match node:
        case None:
            return None
        case ast.Slice(lower=lower, upper=upper, step=step):
            return slice(_literal(lower), _literal(upper), _literal(step))
        case ast.Tuple(elts=elements):
            return tuple(_literal(element) for element in elements)
    return ast.literal_eval(node)


def resolved(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """The value a reference's expression stands for.

    Raises:
        Unresolved: It stands for none.
    """
    match node:
        case ast.Name(id=name):
            if name not in namespace:
                raise Unresolved(f"{{{name}}} is not defined")
            return namespace[name]
        case ast.Attribute(value=inner, attr=name):
            value = _base(inner, namespace)
            try:
                return getattr(value, name)
            except Exception as error:  # a property may raise anything
                raise Unresolved(f"{{{ast.unparse(node)}}} does not exist ({said(error)})") from error
        case ast.Subscript(value=inner, slice=key):
            value = _base(inner, namespace)
            try:
                return value[_literal(key)]
            except Exception as error:  # __getitem__ may raise anything
                raise Unresolved(f"{{{ast.unparse(node)}}} does not exist ({said(error)})") from error
    raise AssertionError(f"{type(node).__name__} is no part of a path")


def _base(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    """As `resolved`; a longer path whose first name is unknown is most likely code, and no news."""
    try:
        return resolved(node, namespace)
    except Unresolved as error:
        if isinstance(node, ast.Name):
            raise Unresolved("") from error
        raise


def said(error: BaseException) -> str:
    """An error in one short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def _spans(found: Iterable[re.Match[str]]) -> list[tuple[int, int]]:
    return [match.span() for match in found]


def _within(position: int, spans: list[tuple[int, int]]) -> bool:
    place = bisect_right(spans, position, key=lambda span: span[0]) - 1
    return place >= 0 and position < spans[place][1]


def _is_argument(text: str, position: int) -> bool:
    """Whether the brace at `position` is an argument of a LaTeX command that ends right before it."""
    if position == 0 or not (text[position - 1].isalpha() or text[position - 1] in "}]*"):
        return False
    return _COMMAND.search(text, max(0, position - 400), position) is not None
