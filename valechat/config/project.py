"""A project's `.valechat.toml`: it may lower limits and choose the model, nothing else.

A project comes from somebody else (a cloned repository, a shared folder), so it must not be able
to raise what the user allowed, to add servers or to redirect keys.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from valechat.config.locate import dotted
from valechat.config.schema import Limits, Section, Settings
from valechat.config.values import ModelName

__all__ = ["PROJECT_FILE", "ProjectFile", "ProjectSettings", "apply_project", "find_project_file", "split_project"]

PROJECT_FILE = ".valechat.toml"


class ProjectSettings(Section):
    """What a project may set."""

    default_model: ModelName | None = None
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A project's file. `refusal` says why it is not read; empty when it is."""

    file: Path
    refusal: str = ""


def find_project_file(folder: Path) -> ProjectFile | None:
    """The nearest `.valechat.toml` in the folder or above it, not above the home folder.

    A file that belongs to neither the user, nor root, nor the owner of `folder` is refused: in a
    shared folder such as /tmp anybody can put one above other people's notebooks.
    """
    start = folder.absolute()
    home = _home()
    for place in (start, *start.parents):
        file = place / PROJECT_FILE
        if file.is_file():
            return ProjectFile(file, _refusal(file, start))
        if place == home:
            break
    return None


def split_project(values: dict[str, Any], file: Path) -> tuple[dict[str, Any], list[str]]:
    """What of a project's file counts, and a warning that lists the rest."""
    wanted = {key: value for key, value in values.items() if key in ProjectSettings.model_fields}
    ignored = [dotted([key]) for key in values if key not in wanted]
    if not ignored:
        return wanted, []
    warning = (
        f"{file}: ignored {', '.join(ignored)}. A project may only lower limits and choose default_model;"
        " everything else belongs into your own config.toml."
    )
    return wanted, [warning]


def apply_project(settings: Settings, project: ProjectSettings, file: Path) -> tuple[Settings, list[str]]:
    """The settings under the project's wishes, and what it asked for in vain."""
    raised: list[str] = []
    limits = _lowest(settings.limits, project.limits, ("limits",), raised)
    changes: dict[str, Any] = {"limits": limits}
    if project.default_model is not None:
        changes["default_model"] = project.default_model
    warnings = (
        [f"{file}: ignored {', '.join(raised)}. A project may lower your limits, not raise them."] if raised else []
    )
    return settings.model_copy(update=changes), warnings


def _lowest(mine: Any, theirs: Any, path: tuple[str, ...], raised: list[str]) -> Any:
    """The stricter of two limits, table by table; a limit that only one of them has counts."""
    if theirs is None or mine is None:
        return mine if theirs is None else theirs
    if isinstance(mine, BaseModel):
        names = type(mine).model_fields
        return mine.model_copy(
            update={n: _lowest(getattr(mine, n), getattr(theirs, n), (*path, n), raised) for n in names}
        )
    if isinstance(mine, dict):
        return {n: _lowest(mine.get(n), theirs.get(n), (*path, n), raised) for n in dict.fromkeys([*mine, *theirs])}
    if theirs > mine:
        raised.append(f"{dotted(path)} = {theirs}")
    return min(mine, theirs)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without a home folder, as in some containers
        return None


if sys.platform == "win32":

    def _refusal(_file: Path, _start: Path, /) -> str:
        """Windows closes other users' folders by default, and knows no owner's number."""
        return ""

else:

    def _refusal(file: Path, start: Path, /) -> str:
        owner = file.stat().st_uid
        trusted = {os.getuid(), 0}
        if start.exists():
            trusted.add(start.stat().st_uid)
        return "" if owner in trusted else f"{file}: ignored, because it belongs to another user."
