"""The site is built, without a link or page that is not there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT


@pytest.mark.slow
def test_the_site_is_built_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    settings = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    for name in ("docs", "valechat"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("static", "__pycache__", "data"))
    (tmp_path / "zensical.toml").write_text(settings, encoding="utf-8")
    program = str(Path(sys.executable).with_name("zensical"))
    done = subprocess.run(
        [program, "build", "--clean", "--strict"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "reference/python/index.html", "rows/index.html"} <= pages
    assert "ask_sync" in (tmp_path / "site" / "reference" / "python" / "index.html").read_text(encoding="utf-8")


def test_every_page_is_in_the_sites_navigation() -> None:
    settings = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if f'"{page}"' not in settings] == []
