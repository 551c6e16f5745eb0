"""Images and files that go with a question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from valechat.attachments import attach
from valechat.errors import ConfigError, TooLarge
from valechat.messages import FilePart, ImagePart

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


@dataclass(frozen=True)
class Small:
    message: int = 100
    upload: int = 1000


def test_an_image_by_path_keeps_its_bytes_and_type(tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(PNG)
    assert attach("", [tmp_path / "plot.png"], [], Small()) == [ImagePart(PNG, "image/png")]


def test_a_type_is_told_by_content_before_name(tmp_path: Path) -> None:
    (tmp_path / "paper.txt").write_bytes(b"%PDF-1.7")
    assert attach("", [], [tmp_path / "paper.txt"], Small()) == [FilePart(b"%PDF-1.7", "application/pdf", "paper.txt")]


def test_an_image_among_the_files_is_sent_as_an_image() -> None:
    assert attach("", [], [PNG], Small()) == [ImagePart(PNG, "image/png")]


def test_a_file_among_the_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Notes")
    with pytest.raises(ConfigError, match="files="):
        attach("", [tmp_path / "notes.md"], [], Small())


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        attach("", [tmp_path / "nowhere.png"], [], Small())


def test_a_message_over_the_limit_is_refused_with_both_sizes() -> None:
    with pytest.raises(TooLarge, match=r"101 bytes.*limit is 100"):
        attach("x" * 101, [], [], Small())


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLarge, match="huge"):
        attach("", [], [tmp_path / "huge.bin"], Small())
