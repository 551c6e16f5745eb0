"""`{name}` in prompts: what is replaced, and all that must not be."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import Stopwatch
from valechat.notebook.interpolate import interpolate


class _Fragile:
    @property
    def broken(self) -> str:
        raise RuntimeError("no connection")

    def __repr__(self) -> str:
        raise ValueError("no words")


NAMES: dict[str, Any] = {
    "a": 1,
    "b": 2,
    "n": 10,
    "x": 2.5,
    "name": "Ada",
    "text": "one two three",
    "rows": [{"a": 7}, {"a": 8}],
    "by_day": {"2026-11-22": "Sunday", "a b": "spaced"},
    "row": SimpleNamespace(city="Oslo", tags=["cold", "bright"]),
    "fragile": _Fragile(),
    "os": os,
    "In": ["", "1 + 1"],
    "Out": {2: 42},
    "Err": {3: "ZeroDivisionError: division by zero"},
    "größe": "L",
}


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("Hello {name}!", "Hello Ada!"),
        ("{name}{n}", "Ada10"),
        ("{row.city} is {row.tags[0]}", "Oslo is cold"),
        ("{rows[1]['a']} and {rows[-1]['a']}", "8 and 8"),
        ('{by_day["2026-11-22"]}', "Sunday"),
        ("{by_day['a b']}", "spaced"),
        ("{text[:7]}", "one two"),
        ("{In[1]} = {Out[2]}, {Err[3]}", "1 + 1 = 42, ZeroDivisionError: division by zero"),
        ("{x:.2f} {n:>4} {n:,.1f} {n:%}", "2.50   10 10.0 1000.000000%"),
        ("{name!r}", "'Ada'"),
        ("{größe}", "L"),
        ("file_{n}.csv", "file_10.csv"),
        ("it costs $5 for {name} and $6 for {n}", "it costs $5 for Ada and $6 for 10"),
        ("${n} and ${a}", "$10 and $1"),
        ("```\n{text}\n```", "```\none two three\n```"),
        ('{"answer": {n}}', '{"answer": 10}'),
    ],
)
def test_a_reference_that_resolves_is_replaced(prompt: str, sent: str) -> None:
    assert interpolate(prompt, NAMES).text == sent


@pytest.mark.parametrize(
    ("prompt", "sent"),
    [
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{Ada}"),
        ("{{{{name}}}}", "{{name}}"),
        ("Hello {{ user }} and {{user}}", "Hello {{ user }} and {{user}}"),
    ],
)
def test_doubled_braces_send_the_reference_itself_where_it_would_resolve(prompt: str, sent: str) -> None:
    assert interpolate(prompt, NAMES).text == sent


@pytest.mark.parametrize(
    "prompt",
    [
        '{"a": 1, "b": {"c": [1, 2, {}]}}',
        "{'a': 1}",
        "{a: 1, b: 2}",
        "{a:1}",
        "{a:b}",
        "{ name }",
        "{name }",
        "a lone { and a lone }",
        "}{",
        "{}",
        "{0}",
        "{!r}",
        "{n + 1}",
        "{print(n)}",
        "{rows[n]}",
        "{[n]}",
        "{lambda: n}",
        "{name if n else x}",
        "{(n)}",
        "{n,}",
        "{os}",
        "{id} {print} {type}",
        r"\frac{a}{b}",
        r"\frac{a}{\sqrt{b}}",
        r"\begin{n} x \end{n}",
        r"$x^{n}$",
        r"$$\sum_{a}^{b} x_{n}$$",
        r"\(x_{n}\) and \[y^{a}\]",
        "\\begin{align}\n x_{n} &= {a}\n\\end{align}",
        r"\command*[opt]{n}",
        r"\d{n}",
        "h1 {color: red}",
        "function f() { return {a, b}; }",
        "for (;;) {\n  name\n}",
        "print(f'{undefined:.2f}')",
        "{%- if name -%}",
        "{{#each rows}}",
        "\\{name\\}",
        "{name\nn}",
        "{",
        "}",
        "{{",
        "}}",
        "{name",
        "name}",
    ],
)
def test_every_other_brace_is_left_alone(prompt: str) -> None:
    assert interpolate(prompt, NAMES).text == prompt


@given(st.text(alphabet=st.sampled_from('{}[]()".:\\$^_!% \nabfrac01éß'), max_size=80))
def test_without_names_any_text_passes_byte_for_byte(text: str) -> None:
    assert interpolate(text, {}).text == text


@given(st.text())
def test_text_whose_names_are_unknown_passes_byte_for_byte(text: str) -> None:
    assert interpolate(text, {"a_name_no_text_has": 1}).text == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), _JSON), st.sampled_from([None, 2]))
def test_json_whose_strings_hold_no_references_passes_whatever_is_defined(value: dict[str, Any], indent: int) -> None:
    text = json.dumps(value, indent=indent)
    assert interpolate(text, {"zq_unlikely": 1}).text == text


@given(st.text(max_size=50), st.text(max_size=50))
def test_a_value_goes_in_unchanged_and_is_not_interpolated_again(value: str, other: str) -> None:
    result = interpolate("<{value}>", {"value": "{other}" + value, "other": other})
    assert result.text == "<{other}" + value + ">"


def test_an_undefined_name_is_sent_as_it_is_and_noted_once() -> None:
    result = interpolate("{foo}, {foo} and {name}", NAMES)
    assert result.text == "{foo}, {foo} and Ada"
    assert result.notes == ("{foo} is not defined; sent as it was written.",)


def test_code_with_unknown_paths_is_not_commented_on() -> None:
    assert interpolate("{self.x} {request['id']}", NAMES).notes == ()


def test_an_attribute_that_raises_leaves_the_braces_and_is_noted() -> None:
    result = interpolate("{fragile.broken} {fragile} {row.town} {Out[9]}", NAMES)
    assert result.text == "{fragile.broken} {fragile} {row.town} {Out[9]}"
    (note,) = result.notes
    assert "no connection" in note
    assert "no words" in note
    assert "and 1 more" in note


def test_nothing_is_called() -> None:
    called: list[str] = []

    class Trap:
        def __call__(self) -> str:
            called.append("call")
            return "called"

    interpolate("{trap()} {trap().x} {trap.__call__()} {len(rows)}", {"trap": Trap(), "rows": []})
    assert called == []


def test_what_follows_a_table_is_no_part_of_its_last_row() -> None:
    table = pa.table({"a": [1]})
    assert interpolate("{t}, please", {"t": table}).text.endswith("\na\n1\n, please")
    assert interpolate("{t}\nplease", {"t": table}).text.endswith("\na\n1\nplease")
    assert interpolate("{t}", {"t": table}).text.endswith("\na\n1")


def test_references_say_what_went_in() -> None:
    assert {written: sent.text for written, sent in interpolate("{n} {name!r}", NAMES).values.items()} == {
        "n": "10",
        "name!r": "'Ada'",
    }


@pytest.mark.parametrize("hard", ["{" * 200_000, "{a" * 100_000, "$" * 200_000, "\\(" * 50_000, "{a}" * 20_000 + "{"])
def test_hostile_text_takes_linear_time(hard: str) -> None:
    watch = Stopwatch()
    interpolate(hard, {})
    assert watch.seconds < 5
