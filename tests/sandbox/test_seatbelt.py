"""The profile that macOS gets; that it holds can only be tried there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from valechat.sandbox import seatbelt


def test_no_limit_denies_only_other_processes() -> None:
    assert "file" not in seatbelt.profile(None, None, offline=False)


def test_reading_is_denied_but_for_what_is_listed() -> None:
    lines = seatbelt.profile([Path("/data")], None, offline=False).splitlines()
    assert lines.index("(deny file-read*)") < lines.index('(allow file-read* (subpath "/data"))')


def test_what_may_be_written_may_be_read() -> None:
    assert '(allow file-read* (subpath "/data") (subpath "/out"))' in seatbelt.profile(
        [Path("/data")], [Path("/out")], offline=False
    )


def test_no_network_is_none_at_all() -> None:
    assert seatbelt.profile(None, None, offline=True).splitlines()[-1] == "(deny network*)"


def test_a_folder_is_allowed_under_the_name_it_has_in_the_end(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert f'(subpath "{link}") (subpath "{tmp_path.resolve()}")' in seatbelt.profile([link], None, offline=False)


def test_a_name_cannot_end_the_rule_it_stands_in() -> None:
    named = seatbelt.profile([Path('/a") (allow default) (subpath "/')], None, offline=False)
    assert '(subpath "/a\\") (allow default) (subpath \\"")' in named


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_elsewhere_it_says_that_it_is_for_macos() -> None:
    assert seatbelt.unavailable() == "sandbox-exec is for macOS"
