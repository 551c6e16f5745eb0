"""Model output as Markdown: nothing loads, nothing runs, everything else stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from valechat.harmless import harmless
from valechat.mathspans import jupyterlab_spans


@pytest.mark.parametrize(
    "markdown",
    [
        "# Title\n\n- a\n- b\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "```html\n<img src='https://x.example/a.png'>\n![a](https://x.example)\n```",
        "- a list\n\n  ```html\n  <script>1</script>\n  ```\n",
        "inline `<b>` and `![a](b)` stay",
        "    <indented code>\n",
        r"$a < b$ and $$\begin{pmatrix} a & b \\ c & d \end{pmatrix}$$",
        "if a < b and c > d: x <- y",
        "<https://example.com> and [a link](https://example.com)",
        "wow! [a link](https://example.com)",
        "For $5:\n\n```html\n<b>$6</b>\n```\n\nand $$x$$.\n\n$$\ny\n$$\n\nUse `<b>`.",
        "```tex\n\\begin{a}<b>\\end{a}\n```",
    ],
)
def test_what_loads_nothing_stays_byte_for_byte(markdown: str) -> None:
    assert harmless(markdown) == markdown


@pytest.mark.parametrize(
    "markdown",
    [
        "![a](https://x.example/?secret)",
        "![a][r]\n\n[r]: https://x.example",
        "text <img src=https://x.example> text",
        "<script>alert(1)</script>",
        "<div>\n\n![a](https://x.example)\n\n</div>",
        "> ![a](https://x.example)",
        "| a |\n|---|\n| ![a](https://x.example) |",
        "- ```\n  code\n  ```\n<img src=https://x.example>",
        "```a`b\n<img src=https://x.example>",
        r"\`<img src=https://x.example>\`",
        "[![a](https://x.example)](https://x.example)",
        "<!-- comment --> <svg onload=alert(1)>",
        "`code` and <img src=https://x.example>",
        "*![a](https://x.example)*",
        "# ![a](https://x.example)",
        "\r\n<img src=https://x.example>\r\n",
    ],
)
def test_html_and_images_outside_code_are_defused(markdown: str) -> None:
    assert _drawn(harmless(markdown)) == []


class Trusting(MarkdownIt):
    """Draws any link, as viewers do that take what the user ran for the user's own."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  # markdown-it's name
        return bool(url)


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](javascript:alert(1))",
        "[a]( <javascript:alert(1)>)",
        "[a](JaVa&Tab;Script&colon;alert(1))",
        "[a](\\javascript:alert(1))",
        "[a](&#1;javascript:alert(1))",
        "> [a](\n> javascript:alert(1))",
        "[a]\n\n[a]: javascript:alert(1)",
        "[a]\n\n[a]:\n  data:text/html,x",
        "<javascript:alert(1)>",
        "<data:text/html,x>",
        "[a](file:///etc/passwd)",
        "[a](vscode://x)",
        "$$\n```\n$$\n[a](javascript:alert(1))\n```",
    ],
)
def test_a_link_that_is_no_page_becomes_text(markdown: str) -> None:
    reader = Trusting("commonmark")
    assert "href" in reader.render(markdown) or "```" in markdown
    assert "href" not in reader.render(harmless(markdown))


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](https://x.example/?a=b:c) [b](HTTP://x.example) [c](mailto:a@x.example) [d](../notes.md) [e](#part)",
        "[a]\n\n[a]: https://x.example",
        "<https://x.example> `std::vector<std::string>` `d[k](x)`",
        "```ts\ntable[name](row: number)\n[a](javascript:alert(1))\n```",
    ],
)
def test_other_links_and_code_stay_byte_for_byte(markdown: str) -> None:
    assert harmless(markdown) == markdown


@pytest.mark.parametrize(
    "markdown",
    [
        "$`$\n![a](https://x.example)`",
        "![a$b]$](https://x.example)",
        "# $\n    $<img src=https://x.example>",
        "\\begin{a}\n```\n\\end{a}\n<img src=https://x.example>\n```",
        "$$\n~~~\n$$\n<img src=https://x.example>\n~~~",
        "$$`$$ <img src=https://x.example> `",
        "1. \n> - \t<img src=https://x.example>",
        "\\begin{a}\n```\\end{a}\n![a](https://x.example)",
    ],
)
def test_a_reader_that_takes_mathematics_out_first_or_counts_tabs_otherwise_finds_no_image(markdown: str) -> None:
    assert _converted(harmless(markdown)) == []


@pytest.mark.parametrize(
    "markdown",
    [
        'https://x.example/$"onmouseover=alert(1)"$',
        '[a](https://x.example "$" onmouseover=alert(1) x="$")',
        '[a]\n\n[a]: https://x.example/\\\\("onmouseover=alert(1)"\\\\)',
    ],
)
def test_mathematics_has_no_quotation_mark_that_could_end_an_attribute(markdown: str) -> None:
    assert all('"' not in harmless(markdown)[start:end] for start, end in jupyterlab_spans(harmless(markdown)))
    assert [*jupyterlab_spans(harmless(markdown))]


def test_other_quotation_marks_stay() -> None:
    markdown = 'He said "$x$", and `a = "$b$"`.'
    assert harmless(markdown) == markdown


def test_code_in_the_text_of_an_image_does_not_hide_the_image() -> None:
    assert harmless("![```](https://x.example)```") == "! [```](https://x.example)```"


def test_a_sign_in_mathematics_gets_a_space_where_a_tag_could_begin() -> None:
    assert harmless("$a<b$ and `![a](b)`") == "$a< b$ and `! [a](b)`"


@given(
    st.lists(
        st.sampled_from(
            [
                "![a](https://x)",
                "<img src=x>",
                "<b>",
                "`",
                "```",
                "~~~",
                "\n",
                "\n\n",
                "- ",
                "> ",
                "    ",
                "$",
                "$$",
                "\\begin{a}",
                "\\end{a}",
                "\\\\[",
                "\\\\]",
                "\\",
                "|",
                "a",
                "\r",
            ]
        ),
        max_size=25,
    ).map("".join)
)
def test_no_mixture_of_markdown_brings_an_image_or_a_tag_through(markdown: str) -> None:
    assert _drawn(harmless(markdown)) == []
    assert _converted(harmless(markdown)) == []


def _drawn(markdown: str) -> list[str]:
    """The images and foreign tags of the text as a viewer without a sanitiser draws it."""
    drawn = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    return re.findall(r"<img[^>]*>|<b>|<script|<svg|<!--", drawn)


def _converted(markdown: str) -> list[str]:
    """The same as nbconvert draws it, which knows mathematics."""
    return re.findall(r"<img[^>]*>|<b>|<script|<svg|<!--", markdown2html_mistune(markdown))
