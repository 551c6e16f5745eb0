"""Reading `config.toml` and, where there is one, the project's `.valechat.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from valechat.config.names import nearest
from valechat.config.problems import Problem, config_error, problems_of, syntax_error
from valechat.config.project import ProjectSettings, apply_project, find_project_file, split_project
from valechat.config.schema import Settings
from valechat.config.values import is_local
from valechat.config.variables import variables_in
from valechat.errors import ConfigError
from valechat.paths import Paths

__all__ = ["load_settings", "parse_settings", "read_text"]

M = TypeVar("M", bound=BaseModel)


def load_settings(paths: Paths, *, project: Path | None = None) -> Settings:
    """The settings as they are in the files now. Files that do not exist are empty.

    A project's file can lower limits and choose the default model; whatever else it asks for is
    ignored and listed in `Settings.warnings`.

    Args:
        paths: Where the user's files are.
        project: The notebook's folder; its `.valechat.toml` is looked for there and in the folders
            above it, up to the home folder.

    Raises:
        ConfigError: A file cannot be read, is not TOML, or a setting in it is wrong; names the
            file, the line, the setting and what to write instead.
    """
    file = paths.config_file
    text = read_text(file)
    settings = parse_settings(text, file)
    warnings = _doubts(settings, file)
    found = find_project_file(project) if project is not None else None
    if found is not None:
        if found.refusal:
            warnings.append(found.refusal)
        else:
            project_text = read_text(found.file)
            wanted, ignored = split_project(_table(project_text, found.file), found.file)
            chosen = _checked(ProjectSettings, wanted, project_text, found.file)
            settings, raised = apply_project(settings, chosen, found.file)
            warnings += [*ignored, *raised]
    settings._warnings = tuple(warnings)  # noqa: SLF001 - the property's own storage, filled where it is known
    return settings


def parse_settings(text: str, file: Path) -> Settings:
    """The settings of a `config.toml`'s text; `file` is named in errors.

    Raises:
        ConfigError: As for `load_settings`.
    """
    return _checked(Settings, _table(text, file), text, file)


def read_text(file: Path) -> str:
    """The file's text; empty when there is no file.

    Raises:
        ConfigError: It cannot be read, or is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except NotADirectoryError:
        return ""
    except UnicodeDecodeError as error:
        problem = ConfigError(f"{file}: byte {error.start} is not UTF-8.", fix="Save the file as UTF-8.")
    except OSError as error:
        problem = ConfigError(f"{file} cannot be read: {error.strerror}.", fix="Check the file and its permissions.")
    # Raised here so that the error does not carry the file's bytes, which may hold a key, as its context.
    raise problem


def _table(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem = syntax_error(file, text, error)
    raise problem


def _checked(model: type[M], values: dict[str, Any], text: str, file: Path) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = config_error(file, text, problems_of(error, model))
    except RecursionError:
        problem = config_error(file, text, [Problem((), "has values nested too deeply")])
    raise problem


def _doubts(settings: Settings, file: Path) -> list[str]:
    """What is allowed but looks like a mistake."""
    doubts = []
    named = [("default_model", settings.default_model)] if settings.default_model else []
    named += [(f'prices."{model}"', model) for model in settings.prices]
    named += [(f'limits.models."{model}"', model) for model in settings.limits.models]
    named += [(f"limits.rate.{provider}", provider) for provider in settings.limits.rate]
    for setting, name in named:
        provider = name.partition("/")[0]
        if provider not in settings.provider_names:
            near = nearest(provider, settings.provider_names)
            meant = f" Did you mean {near}?" if near else ""
            doubts.append(f"{file}: {setting} is for a provider named {provider}, which does not exist.{meant}")
    for name, entry in settings.providers.items():
        if entry.api_key is not None and not variables_in(entry.api_key) and not is_local(entry.base_url or ""):
            doubts.append(
                f"{file}: providers.{name}.api_key is the key itself, readable by every program that reads the file."
                f" Remove it, and run: valechat keys set {name}"
            )
    return doubts
