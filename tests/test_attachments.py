"""Images and files that go with a question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from valechat.attachments import attach, media_type_of, read_bytes
from valechat.errors import ConfigError, TooLarge
from valechat.messages import FilePart, ImagePart

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


@dataclass(frozen=True)
class Small:
    message: int = 100
    upload: int = 1000


def test_an_image_by_path_keeps_its_bytes_and_type(tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(PNG)
    assert attach("", [tmp_path / "plot.png"], [], Small()) == [ImagePart(PNG, "image/png", "plot.png")]


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


def test_a_part_over_the_limit_is_refused_too() -> None:
    with pytest.raises(TooLarge, match=r"1,001 bytes"):
        attach("", [ImagePart(b"x" * 1001, "image/png", "big.png")], [], Small())


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"a = 1", "a.exe", "text/plain"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "text/plain"),
        (b'{"a": 1}', "a.json", "application/json"),
        (b"a,b\n1,2\n", "a.csv", "text/csv"),
        ("é".encode() * 5000, "", "text/plain"),
        (b"PK\x03\x04\0\0", "a.zip", "application/zip"),
        (b"\xff\xfe\0", "", "application/octet-stream"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a.png", "image/webp"),
    ],
)
def test_what_reads_as_text_is_text_whatever_its_name(data: bytes, name: str, expected: str) -> None:
    assert media_type_of(data, name) == expected


def test_an_upload_is_an_image_or_a_file_by_its_content() -> None:
    assert read_bytes(PNG, "notes.txt", 1000) == ImagePart(PNG, "image/png", "notes.txt")
    assert read_bytes(b"# Notes", "notes.md", 1000) == FilePart(b"# Notes", "text/markdown", "notes.md")
    with pytest.raises(TooLarge, match="notes"):
        read_bytes(PNG, "notes.txt", 3)
