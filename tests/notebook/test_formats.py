"""What becomes of an answer in each format."""

from __future__ import annotations

import pytest

from valechat.errors import ValeChatError
from valechat.messages import ImagePart, Message, TextPart
from valechat.notebook.formats import FORMATS, code_of
from valechat.reply import Reply
from valechat.usage import Usage


def _reply(text: str, *messages: Message) -> Reply:
    return Reply(text, "a/b", Usage(), None, "complete", messages=messages)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        ("```python\nx = 1\n```", "x = 1"),
        ("Words.\n\n~~~\nx = 1\n~~~\nmore words", "x = 1"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```"),
        ("```\na\n```\ntext\n```\nb\n```", "a\n\nb"),
        ("```python\nunclosed", "unclosed"),
        ("```\n  indented\n```", "  indented"),
        ("```bash\npip install x\n```\n```python\nimport x\n```\n```\nprinted\n```", "import x"),
        ("```sql\nselect 1\n```", "select 1"),
    ],
)
def test_code_is_taken_out_of_its_fences(answer: str, code: str) -> None:
    assert code_of(answer) == code


def test_no_code_at_all_is_an_error() -> None:
    with pytest.raises(ValeChatError, match="holds no code"):
        FORMATS["code"].finish(_reply("```\n\n```"))


@pytest.mark.parametrize(
    "answer", ["[1, 2]", "```json\n[1, 2]\n```", "```\n[1, 2]\n```", "Sure!\n```json\n[1, 2]\n```"]
)
def test_json_is_read_with_or_without_a_fence(answer: str) -> None:
    assert FORMATS["json"].finish(_reply(answer)).value == [1, 2]


def test_a_json_text_is_shown_as_text() -> None:
    assert FORMATS["json"].finish(_reply('"only text"')).bundle == {"text/plain": '"only text"'}


def test_html_may_be_prose_around_a_code_block() -> None:
    html = FORMATS["html"].finish(_reply("<p>a</p>\n```python\nx\n```")).bundle["text/html"]
    assert html.startswith("<p>a</p>")


@pytest.mark.parametrize(
    "attack", ["<img src='https://x.example/p'>", "<a href='javascript:x()'>", "<a href='data:text/html,x'>"]
)
def test_html_loads_nothing_and_runs_nothing(attack: str) -> None:
    html = FORMATS["html"].finish(_reply(attack)).bundle["text/html"]
    assert "x.example" not in html
    assert "javascript" not in html
    assert "data:" not in html


def test_math_with_delimiters_is_left_as_it_is() -> None:
    assert FORMATS["math"].finish(_reply(r"\[x\]")).bundle["text/latex"] == r"\[x\]"


def test_an_image_of_the_answer_is_shown() -> None:
    message = Message("assistant", (TextPart("a cat"), ImagePart(b"png", "image/png")))
    assert FORMATS["image"].finish(_reply("a cat", message)).bundle == {"image/png": "cG5n", "text/plain": "a cat"}


def test_what_was_said_before_a_tool_call_is_part_of_the_answer() -> None:
    before, after = Message("assistant", (TextPart("I look."),)), Message("assistant", (TextPart("It rains."),))
    assert FORMATS["text"].finish(_reply("It rains.", before, after)).bundle["text/plain"] == "I look.\n\nIt rains."
