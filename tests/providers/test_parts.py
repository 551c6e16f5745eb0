from __future__ import annotations

import re

import pytest

from valechat.providers._parts import argument_object, data_url, error_text, file_kind, safe_id


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("text/csv; charset=utf-8", "text"),
        ("Application/JSON", "text"),
        ("image/png", "image"),
        ("application/pdf", "pdf"),
        ("application/zip", "other"),
        ("", "other"),
    ],
)
def test_a_file_is_shown_by_its_media_type(given: str, kind: str) -> None:
    assert file_kind(given) == kind


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        (" ", {}),
        ("[1]", {"invalid_arguments": "[1]"}),
        ("{", {"invalid_arguments": "{"}),
    ],
)
def test_arguments_are_always_an_object(written: str, value: object) -> None:
    assert argument_object(written) == value


def test_an_id_that_is_taken_everywhere_stays() -> None:
    assert safe_id("toolu_01-A", "x_") == "toolu_01-A"


@pytest.mark.parametrize("foreign", ["functions.add:0", "", "a" * 200, "né", "\ud800"])
def test_any_other_id_becomes_one_that_is_and_always_the_same(foreign: str) -> None:
    assert re.fullmatch(r"toolu_[0-9a-f]{32}", safe_id(foreign, "toolu_"))
    assert safe_id(foreign, "toolu_") == safe_id(foreign, "toolu_")


def test_a_failure_says_so_once() -> None:
    assert error_text("bad", is_error=True) == "Error: bad"
    assert error_text("error: bad", is_error=True) == "error: bad"
    assert error_text("fine", is_error=False) == "fine"


def test_a_data_url_has_no_parameters_of_the_media_type() -> None:
    assert data_url("image/PNG; x=y", b"\x89PNG") == "data:image/png;base64,iVBORw=="
