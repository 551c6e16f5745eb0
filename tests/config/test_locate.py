from __future__ import annotations

import pytest

from valechat.config.locate import dotted, line_of

TEXT = """# comment = 1
top = 1
[limits]
daily = "5"

[limits.models."openai/gpt-5"]  # with a comment
monthly = "1"
[ providers . "my.lab" ]
headers.X = "1"
inline = { a = 1 }
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["top"], 2),
        (["limits"], 3),
        (["limits", "daily"], 4),
        (["limits", "models", "openai/gpt-5"], 6),
        (["limits", "models", "openai/gpt-5", "monthly"], 7),
        (["providers", "my.lab", "headers", "X"], 9),
        (["providers", "my.lab", "inline", "a"], 10),
        (["providers", "my.lab", "absent"], 8),
        (["absent"], None),
    ],
)
def test_a_key_is_found_in_its_line_or_in_its_table(path: list[str], line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_a_path_is_written_as_toml_writes_it() -> None:
    assert dotted(["limits", "models", "openai/gpt-5", "daily"]) == 'limits.models."openai/gpt-5".daily'
