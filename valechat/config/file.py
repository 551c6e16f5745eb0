"""Settings that follow their files: a limit edited by hand counts from the next request."""

from __future__ import annotations

import threading
from pathlib import Path

from valechat.config.load import load_settings
from valechat.config.project import find_project_file
from valechat.config.schema import Settings
from valechat.errors import ConfigError
from valechat.paths import Paths

__all__ = ["SettingsFile"]

_Stamp = tuple[tuple[str, int, int, int] | None, ...]


class SettingsFile:
    """The settings, read again when a file changed. May be used from any thread.

    Asking costs a few `stat` calls. A file that is broken now is an error each time it is asked,
    not the settings of before: a limit that was just lowered must not go on being ignored.
    """

    def __init__(self, paths: Paths, *, project: Path | None = None) -> None:
        self.paths = paths
        self.project = project
        self._lock = threading.Lock()
        self._stamp: _Stamp | None = None
        self._read: Settings | ConfigError | None = None

    def current(self) -> Settings:
        """The settings as the files have them now.

        Raises:
            ConfigError: As for `load_settings`.
        """
        with self._lock:
            stamp = self._now()
            if self._read is None or stamp != self._stamp:
                # The stamp is from before the read: a change during it is read again the next time.
                self._stamp = stamp
                try:
                    self._read = load_settings(self.paths, project=self.project)
                except ConfigError as error:
                    self._read = error
            found = self._read
        if isinstance(found, ConfigError):
            raise ConfigError(found.message, fix=found.fix)
        return found

    def _now(self) -> _Stamp:
        project = find_project_file(self.project) if self.project is not None else None
        return (_stat(self.paths.config_file), _stat(project.file) if project else None)


def _stat(file: Path) -> tuple[str, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return (str(file), found.st_mtime_ns, found.st_size, found.st_ino)
