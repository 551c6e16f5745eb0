from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND
from valechat.cli import lab


@pytest.mark.slow
@pytest.mark.kernel
@pytest.mark.skipif(os.name != "posix", reason="the command becomes JupyterLab, which only POSIX can do")
def test_lab_becomes_a_jupyterlab_with_the_options_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    command = [*COMMAND, "lab", "--no-browser", "--allow-root", "--port=0", "--ServerApp.token=t"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as running:
        try:
            assert running.stderr is not None
            assert any("is running at:" in line for line in running.stderr)
        finally:
            running.send_signal(signal.SIGTERM)
            running.communicate(timeout=30)


def test_the_tour_is_copied_once_and_never_over_a_changed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.ipynb"
    source.write_text("tour")
    monkeypatch.setattr(lab, "_source", lambda: source)
    folder = tmp_path / "work"
    folder.mkdir()
    assert lab._tour(folder) == [str(folder / "01_tour.ipynb")]
    (folder / "01_tour.ipynb").write_text("changed")
    lab._tour(folder)
    assert (folder / "01_tour.ipynb").read_text() == "changed"
