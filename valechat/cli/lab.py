"""`valechat lab`: JupyterLab on the tour."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import valechat
from valechat.cli.output import note
from valechat.errors import ConfigError

__all__ = ["run"]

TOUR = "01_tour.ipynb"


def run(options: argparse.Namespace) -> int:
    """Copy the tour into the working folder, unless it is there, and open JupyterLab on it."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise ConfigError("JupyterLab is not installed here.", fix="Run: pip install 'valechat[lab]'")
    command = [sys.executable, "-m", "jupyterlab", *_tour(Path.cwd()), *options.rest]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606 - no shell: JupyterLab takes this process's place and its signals
    return subprocess.run(command, check=False).returncode


def _tour(folder: Path) -> list[str]:
    """The tour in the folder, as an argument; none where this installation has no tour."""
    target = folder / TOUR
    if not target.exists():
        source = _source()
        if source is None:
            return []
        try:
            shutil.copyfile(source, target)
        except OSError as error:
            raise ConfigError(
                f"The tour cannot be copied into {folder}: {error.strerror}.", fix="Go to a folder you can write to."
            ) from error
        note(f"The tour is now in {target}.")
    return [str(target)]


def _source() -> Path | None:
    """The tour in the installed package, or in the checkout it runs from."""
    package = Path(valechat.__file__).parent
    places = (package / "notebooks" / TOUR, package.parent / "notebooks" / TOUR)
    return next((place for place in places if place.is_file()), None)
