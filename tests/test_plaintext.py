"""Text that cannot take over a terminal, look like another text, or become a formula."""

from __future__ import annotations

import pytest

from valechat.plaintext import neutral_cell, plain


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]52;c;cm0gLXJm\x1b\\copied", "copied"),
        ("\x1bPq#0;2\x1b\\picture", "picture"),
        ("\x1b[2J\x1b[1;1H$ ", "$ "),
        ("\x9b31mred", "31mred"),
        ("a\rb\x08c", "abc"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("\u2066admin\u2069", "admin"),
        ("g\u200bi\u2060t\ufeff", "git"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("one\ttwo\nthree", "one\ttwo\nthree"),
        (
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
    ],
)
def test_what_a_terminal_obeys_and_nobody_sees_is_left_out(said: str, left: str) -> None:
    assert plain(said) == left


def test_a_sequence_split_over_two_pieces_leaves_nothing_that_is_obeyed() -> None:
    said = "\x1b]0;owned\x07\x1b[2Jend"
    for at in range(len(said)):
        assert "\x1b" not in plain(said[:at]) + plain(said[at:])


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-A1", "@SUM(A1)", " =1", "\t=1", '=HYPERLINK("http://x")'])
def test_a_formula_in_a_csv_file_is_a_text(text: str) -> None:
    assert neutral_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+2", "a=b", "", "text"])
def test_numbers_and_other_texts_stay_what_they_are(text: str) -> None:
    assert neutral_cell(text) == text
