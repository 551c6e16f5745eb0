"""Tab in a real kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel

pytestmark = pytest.mark.kernel


def test_verbs_are_offered_after_the_magic(kernel: Kernel) -> None:
    matches, replaced = kernel.complete("%valechat li")
    assert matches == ["list", "limits"]
    assert replaced == "li"


def test_only_verbs_with_a_cell_and_models_are_offered_above_a_cell(kernel: Kernel) -> None:
    matches, _ = kernel.complete("%%valechat ")
    assert "sql" in matches
    assert "demo/echo" in matches
    assert "list" not in matches


def test_models_are_offered_where_one_belongs(kernel: Kernel) -> None:
    for line in ("%valechat use de", "%valechat fix de", "%%valechat -m de", "%%valechat -o x de"):
        assert kernel.complete(line) == (["demo/echo"], "de")


def test_options_are_offered(kernel: Kernel) -> None:
    matches, replaced = kernel.complete("%%valechat demo/echo --max")
    assert matches == ["--max-cost", "--max-tokens"]
    assert replaced == "--max"


def test_formats_are_offered(kernel: Kernel) -> None:
    assert kernel.complete("%%valechat -f ma") == (["markdown", "math"], "ma")


def test_a_value_may_stand_after_an_equals_sign(kernel: Kernel) -> None:
    assert kernel.complete("%%valechat --format=js") == (["json"], "js")


def test_each_of_several_names_is_completed(kernel: Kernel) -> None:
    kernel.run("lilies, lilacs = 1, 2")
    assert kernel.complete("%%valechat --reveal lilies,lila") == (["lilacs"], "lila")


def test_verbs_files_and_what_follows_a_variable_are_offered(kernel: Kernel, folder: Path) -> None:
    folder.joinpath("talk.json").touch()
    assert kernel.complete("%valechat help li") == (["list", "limits"], "li")
    assert kernel.complete("%valechat import ta") == (["talk.json"], "ta")
    assert kernel.complete("%valechat x << sq") == (["sql"], "sq")


def test_views_and_columns_are_offered_in_a_query(kernel: Kernel) -> None:
    for query in ("%%valechat sql\nselect * from map_j", "%valechat -o x sql select * from map_j"):
        assert kernel.complete(query) == (["map_jobs"], "map_j")
    assert kernel.complete("%%valechat sql\nselect conversation_i") == (["conversation_id"], "conversation_i")


def test_where_nothing_fits_python_is_not_offered_instead(kernel: Kernel) -> None:
    assert kernel.complete("%valechat what is pri") == (["pri"], "pri")


def test_conversations_are_offered_quoted_where_needed(kernel: Kernel) -> None:
    kernel.run("%valechat new 'winter trip'")
    kernel.run("%valechat count to 1")
    assert '"winter trip"' in kernel.complete("%%valechat -c ")[0]
    for begun in ('"winter t', "wint"):
        assert kernel.complete(f"%%valechat -c {begun}") == (['"winter trip"'], begun)


def test_variables_are_offered_inside_a_brace(kernel: Kernel) -> None:
    kernel.run("fjords, fjord_count = ['a'], 3")
    cell = "%%valechat\nDescribe {fjo"
    assert kernel.complete(cell) == (["fjords", "fjord_count"], "fjo")
    assert kernel.complete("%valechat Describe {fjo") == (["fjords", "fjord_count"], "fjo")


def test_attributes_are_offered_inside_a_brace(kernel: Kernel) -> None:
    kernel.run("from fractions import Fraction; half = Fraction(1, 2)")
    matches, _ = kernel.complete("%%valechat\n{half.num")
    assert matches == ["half.numerator"]


def test_prose_is_not_completed_as_python(kernel: Kernel) -> None:
    assert kernel.complete("%%valechat\nWhat does pri")[0] == []


def test_python_elsewhere_is_completed_as_ever(kernel: Kernel) -> None:
    assert "print" in kernel.complete("pri")[0]
    assert "%valechat" in kernel.complete("%valech")[0]
