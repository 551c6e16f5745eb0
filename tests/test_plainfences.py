"""What a viewer puts into the page of a fence besides its code."""

from __future__ import annotations

import pytest

from valechat.plainfences import plain_fences

WORDS = "```mermaid\ngraph TD\n  A[one<br/>two] -->|yes| B{Is it?}\n  B <--> C\n```\n"


@pytest.mark.parametrize(
    "markdown",
    [
        WORDS,
        "A plan:\n\n  ~~~mermaid\n  sequenceDiagram\n    Ann->>Bo: Hello\n  ~~~\n",
        '```html\n<a href="x">\n```',
        "```html``` <b>",
        "a ``` b",
    ],
)
def test_words_and_code_stay_byte_for_byte(markdown: str) -> None:
    assert plain_fences(markdown) == markdown


@pytest.mark.parametrize(
    "opened", ['```"><img src=x>', "- ~~~<b>", "> 1. ```py'onload=x", "a\r```<b>", "```a&quot;", "```\\begin{a}$"]
)
def test_a_language_keeps_nothing_that_html_knows(opened: str) -> None:
    plain = plain_fences(opened + "\ncode")
    assert not set("<>'=&$\\\"") & set(plain.removeprefix("> 1. "))


@pytest.mark.parametrize(
    "inside",
    [
        "A[\"<img src='https://x.example'>\"]",
        'click A "https://x.example"',
        "style A fill:url(x)",
        '%%{init: {"securityLevel": "loose"}}%%',
        'A@{ img: "x.png" }',
        "A[#lt;img src=x#gt;]",
        "A[&lt;img src=x&gt;]",
        "---\nconfig: {}\n---",
        "```ends\nB",
        "    ```\nB",
    ],
)
def test_a_diagram_with_more_than_words_is_shown_as_text(inside: str) -> None:
    drawn = plain_fences(f"```mermaid\ngraph TD\n{inside}\n```\n")
    assert drawn.startswith("```text\n")


@pytest.mark.parametrize("unclosed", ["```mermaid\ngraph TD", "- ```mermaid\n  graph TD\n  ```", "```mermaid\nA\n````"])
def test_a_diagram_whose_end_is_not_the_same_to_all_is_shown_as_text(unclosed: str) -> None:
    assert "mermaid" not in plain_fences(unclosed)
