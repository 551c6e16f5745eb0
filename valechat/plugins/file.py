"""`mcp_plugins.json`: read, watched and changed.

The file belongs to the user, who may edit it at any time, in an editor that knows no lock. Unknown keys,
order, indentation and comments stay as they are; a broken entry is reported and loses none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from valechat.atomic import write_atomically
from valechat.config.load import read_text
from valechat.config.names import nearest
from valechat.errors import ConfigError, DuplicateId, InvalidPlugin
from valechat.filelock import locked
from valechat.plugins.config import CloudService, Definition, parse
from valechat.plugins.contents import EMPTY, LISTS, ROOT, Contents, ids_in, place_of
from valechat.plugins.jsonedit import put, take
from valechat.plugins.jsontext import Node, Step, scan

__all__ = ["PluginsFile", "schema_text"]


class PluginsFile:
    """The file in one folder. May be used from any thread; blocking, small.

    Attributes:
        path: Where it is. It need not exist yet.
        problems: The entries that could not be used when it was last read.
        warnings: What is allowed but looks like a mistake, one sentence each; from the last read.
        notice: What the user should know of the last change; empty when there is nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: tuple[InvalidPlugin, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.notice = ""
        self._stamp: tuple[int, int, int] | None = None
        self._read = False

    def read(self) -> dict[str, Definition]:
        """The definitions by their ids, in the order of the file; empty when there is none.

        An entry that cannot be used is in `problems` in their place.

        Raises:
            ConfigError: The file cannot be read, or is not JSON or not of this form; names the line and column.
        """
        # The stamp is from before the read: a change during it is noticed the next time.
        self._stamp, self._read = self._now(), True
        contents = Contents(self.path, read_text(self.path))
        found = contents.definitions()
        self.problems, self.warnings = tuple(contents.problems), tuple(contents.warnings)
        return found

    def changed(self) -> bool:
        """Whether the file is another than at the last read. Costs one `stat`."""
        return not self._read or self._now() != self._stamp

    def add(self, definition: Definition | Mapping[str, Any]) -> Definition:
        """Add an entry; the definition it gives. Makes the file where there is none.

        Raises:
            DuplicateId: There is an entry of that id.
            InvalidPlugin: It cannot be used.
            ConfigError: The file is broken or cannot be written.
        """
        entry = _as_entry(definition)
        checked = parse(entry)

        def change(text: str, root: Node) -> str:
            if place_of(root, checked.id) is not None:
                raise DuplicateId(
                    f'There is a plugin "{checked.id}" already.',
                    plugin=checked.id,
                    fix="Choose another id, or change it.",
                )
            group = LISTS[isinstance(checked, CloudService)]
            list_ = root.at((ROOT, group))
            return put(text, (ROOT, group, len(list_.items) if list_ else 0), entry)

        self._change(change)
        return checked

    def remove(self, plugin: str, /) -> None:
        """Remove an entry, a broken one too.

        Raises:
            ConfigError: There is none of that id, or the file is broken or cannot be written.
        """
        self._change(lambda text, root: take(text, _found(root, plugin)))

    def change(self, plugin: str, /, **fields: Any) -> Definition:
        """Change fields of an entry; the definition it gives then. None takes a field away.

        Raises:
            InvalidPlugin: The entry could not be used then; nothing is changed.
            ConfigError: There is none of that id, or the file is broken or cannot be written.
        """
        given = {name: _plain(value) for name, value in fields.items()}
        result: list[Definition] = []

        def change(text: str, root: Node) -> str:
            place = _found(root, plugin)
            node = root.at(place)
            entry = dict(node.value) if node is not None else {}
            wanted = {name: value for name, value in (entry | given).items() if given.get(name, "") is not None}
            result[:] = [parse(wanted)]
            if result[0].id != plugin and place_of(root, result[0].id) is not None:
                raise DuplicateId(
                    f'There is a plugin "{result[0].id}" already.', plugin=plugin, fix="Choose another id."
                )
            for name, value in given.items():
                if value is not None:
                    text = put(text, (*place, name), value)
                elif name in entry:
                    text = take(text, (*place, name))
            return text

        self._change(change)
        return result[0]

    def _change(self, change: Callable[[str, Node], str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self.path.with_name(f".{self.path.name}.lock")):
                self._rewrite(change)
                return
        except OSError as error:
            reason = error.strerror
        raise ConfigError(
            f"{self.path} cannot be written: {reason}.", fix="Check the folder's permissions and free space."
        )

    def _rewrite(self, change: Callable[[str, Node], str]) -> None:
        while True:
            before = read_text(self.path)
            text = before if before.strip() else EMPTY
            root = Contents(self.path, text).root
            after = change(text, root)
            if read_text(self.path) != before:
                continue  # An editor, which knows no lock, wrote in between: its change must not be lost.
            self.notice = ""
            if lost := [comment for comment in root.comments if comment not in scan(after).comments]:
                copy = self.path.with_name(f"{self.path.name}.bak")
                write_atomically(copy, before.encode())
                what = "A comment" if len(lost) == 1 else f"{len(lost)} comments"
                self.notice = f"{what} went with the change; the file as it was is kept as {copy}."
            write_atomically(self.path, after.encode())
            return

    def _now(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)


def schema_text() -> str:
    """The published JSON Schema of the file, for editors."""
    return Path(__file__).with_name("data").joinpath("mcp_plugins.schema.json").read_text(encoding="utf-8")


def _found(root: Node, plugin: str) -> tuple[Step, ...]:
    place = place_of(root, plugin)
    if place is None:
        ids = ids_in(root)
        near = nearest(plugin, ids)
        listed = f"There are: {', '.join(ids)}." if ids else "There are none yet."
        raise ConfigError(f'There is no plugin "{plugin}".', fix=f'Did you mean "{near}"?' if near else listed)
    return place


def _as_entry(definition: Definition | Mapping[str, Any]) -> dict[str, Any]:
    """What is written for a definition: what was set, never what a variable holds."""
    if isinstance(definition, Mapping):
        return {name: _plain(value) for name, value in definition.items()}
    written = definition.written
    said = written.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    whole = written.model_dump(mode="json", exclude_none=True)
    usual = {"id", "command", "args", "url", "auth"}
    return {name: said.get(name, value) for name, value in whole.items() if name in said or name in usual}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    from pydantic import BaseModel

    return value.model_dump(mode="json", exclude_unset=True) if isinstance(value, BaseModel) else value
