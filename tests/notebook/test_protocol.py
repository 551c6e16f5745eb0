"""`notebook/protocol` and `js/src/protocol.ts` with its folder state the same messages, field by field."""

import re
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import pytest
from typing_extensions import is_typeddict

from valechat.notebook import protocol

SOURCES = Path(__file__).parents[2] / "js" / "src"
TYPESCRIPT = [SOURCES / "protocol.ts", *sorted((SOURCES / "protocol").glob("*.ts"))]

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
FROM_ELSEWHERE = re.compile(r'^(?:import type \{[\w\s,]*\}|export type \*) from "\./[\w/]+";$', re.MULTILINE)
STATEMENT = re.compile(
    r"\s*export\s+(?:interface\s+(?P<interface>\w+)\s*\{(?P<body>[^{}]*)\}|type\s+(?P<union>\w+)\s*=(?P<members>[^;]+);)"
)
FIELD = re.compile(r"\s*(?P<name>\w+)(?P<optional>\?)?\s*:\s*(?P<type>[^;:]+);")
ATOM = re.compile(r'(?:"[\w-]+"|\w+)(?:\[\])?')

NAMES = {str: "string", int: "number", float: "number", bool: "boolean", types.NoneType: "null"}

Kind = frozenset[str]


@dataclass(frozen=True)
class Field:
    """A type as the set of its alternatives, in TypeScript's words."""

    kind: Kind
    optional: bool = False


def typescript(source: str) -> tuple[dict[str, dict[str, Field]], dict[str, Kind]]:
    """The interfaces and the unions of a file that holds nothing else; anything else is a ValueError."""
    source = FROM_ELSEWHERE.sub("", COMMENT.sub("", source)).rstrip()
    interfaces: dict[str, dict[str, Field]] = {}
    unions: dict[str, Kind] = {}
    at = 0
    while at < len(source):
        if not (statement := STATEMENT.match(source, at)):
            raise ValueError(f"not an interface or a union: {source[at : at + 60]!r}")
        at = statement.end()
        if name := statement["interface"]:
            if name in interfaces:
                raise ValueError(f"twice: {name}")
            interfaces[name] = fields(statement["body"])
        else:
            unions[statement["union"]] = alternatives(statement["members"])
    return interfaces, unions


def fields(body: str) -> dict[str, Field]:
    result: dict[str, Field] = {}
    body = body.rstrip()
    at = 0
    while at < len(body):
        if not (field := FIELD.match(body, at)):
            raise ValueError(f"not a field: {body[at : at + 60]!r}")
        at = field.end()
        if field["name"] in result:
            raise ValueError(f"twice: {field['name']}")
        result[field["name"]] = Field(alternatives(field["type"]), optional=bool(field["optional"]))
    return result


def alternatives(text: str) -> Kind:
    parts = [part.strip() for part in text.strip().removeprefix("|").split("|")]
    for part in parts:
        if not ATOM.fullmatch(part):
            raise ValueError(f"not a type: {part!r}")
    return frozenset(parts)


def python_interfaces() -> dict[str, dict[str, Field]]:
    """The protocol's TypedDicts in the same words."""
    result: dict[str, dict[str, Field]] = {}
    for name, value in vars(protocol).items():
        if is_typeddict(value):
            hints = get_type_hints(value, include_extras=True)
            result[name] = {key: python_field(hint) for key, hint in hints.items()}
    return result


def python_field(hint: Any) -> Field:
    if get_origin(hint) is NotRequired:
        return Field(kind_of(get_args(hint)[0]), optional=True)
    return Field(kind_of(hint))


def kind_of(hint: Any) -> Kind:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return frozenset[str]().union(*map(kind_of, arguments))
    if origin is Literal:
        return frozenset(f'"{value}"' for value in arguments)
    if origin is list:
        (item,) = kind_of(arguments[0])
        return frozenset([f"{item}[]"])
    if is_typeddict(hint):
        return frozenset([hint.__name__])
    return frozenset([NAMES[hint]])


@pytest.fixture(scope="module")
def panel() -> tuple[dict[str, dict[str, Field]], dict[str, Kind]]:
    return typescript("\n".join(file.read_text(encoding="utf-8") for file in TYPESCRIPT))


def test_both_sides_have_the_same_messages(panel: tuple[dict[str, dict[str, Field]], dict[str, Kind]]) -> None:
    assert panel[0].keys() == python_interfaces().keys()


@pytest.mark.parametrize("name", sorted(python_interfaces()))
def test_fields_types_and_optionality_are_the_same(
    name: str, panel: tuple[dict[str, dict[str, Field]], dict[str, Kind]]
) -> None:
    assert panel[0][name] == python_interfaces()[name]


@pytest.mark.parametrize("name", ["FromPanel", "ToPanel"])
def test_each_direction_carries_the_same_messages(
    name: str, panel: tuple[dict[str, dict[str, Field]], dict[str, Kind]]
) -> None:
    assert panel[1][name] == kind_of(getattr(protocol, name))


def test_every_message_to_the_panel_is_numbered() -> None:
    shapes = python_interfaces()
    assert all(shapes[name]["seq"] == Field(frozenset(["number"])) for name in kind_of(protocol.ToPanel))


def test_no_two_messages_of_one_direction_have_the_same_type() -> None:
    shapes = python_interfaces()
    for direction in (protocol.FromPanel, protocol.ToPanel):
        tags = [shapes[name]["type"].kind for name in kind_of(direction)]
        assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    "source",
    [
        "export interface A extends B { x: string; }",
        "interface A { x: string; }",
        "export interface A { x: Array<string>; }",
        "export interface A { readonly x: string; }",
        "export interface A { x: { y: string }; }",
        "export interface A { x: string; x: number; }",
        "export interface A { x: string }",
        "export const a = 1;",
        "export interface A { x: string; } export interface A { x: number; }",
    ],
)
def test_the_reader_refuses_what_it_does_not_understand(source: str) -> None:
    with pytest.raises(ValueError, match=r"not a|twice"):
        typescript(source)
