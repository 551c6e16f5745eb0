"""What a server offers besides tools, as values."""

from __future__ import annotations

import pytest

from valechat.plugins.resources import Template


@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("note://{name}", ("name",)),
        ("file:///{+path}", ("path",)),
        ("http://x/{a}/{b*}{?q,page:3}{#f}", ("a", "b", "q", "page", "f")),
        ("http://x/{a}/{a}", ("a",)),
        ("note://first", ()),
    ],
)
def test_the_variables_of_a_template_are_those_of_rfc_6570(uri: str, names: tuple[str, ...]) -> None:
    assert Template("p", uri, "t").variables == names
