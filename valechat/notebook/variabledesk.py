"""What one panel does with the notebook's variables and the files beside it. Used on the engine's loop."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from valechat.attachments import attach
from valechat.errors import ConfigError, TooLarge, ValeChatError
from valechat.ids import new_id
from valechat.messages import FilePart, ImagePart
from valechat.notebook.outbox import Outbox
from valechat.notebook.protocol import (
    AttachFile,
    Compare,
    Fetched,
    FolderFileShown,
    ListVariables,
    ReadVariables,
    Send,
    VariableAsked,
    VariableRead,
    VariableShown,
    VariablesListed,
    VariablesRead,
)
from valechat.notebook.shown import error_shown
from valechat.notebook.uploads import Bytes, Taken, Uploads
from valechat.services import services
from valechat.variables.describing import Description
from valechat.variables.listing import listed, offered
from valechat.variables.paths import described, first_name, value_of
from valechat.variables.reading import read
from valechat.variables.workspace import workspace

__all__ = ["VariableDesk", "parts_of"]

MOST_FILES = 300
MOST_ASKED = 20
"""Variables in one question that are looked at."""


class VariableDesk:
    """A panel's way to variables and files.

    Args:
        outbox: Where answers go.
        uploads: Where attached files are kept until they are sent.
    """

    def __init__(self, outbox: Outbox, uploads: Uploads) -> None:
        self._outbox = outbox
        self._uploads = uploads

    @property
    def handlers(self) -> dict[str, Callable[[Any], Coroutine[Any, Any, None]]]:
        """Who takes which message of the panel's."""
        return {"list_variables": self.list, "read_variables": self.read, "attach_file": self.attach}

    async def list(self, message: ListVariables) -> None:
        """Tell what there is. Nothing of the user's runs for it."""
        budget, most = services().settings.variables.tokens, services().settings.sizes.upload
        found = await asyncio.to_thread(lambda: listed(workspace().names(), budget=budget))
        files = await asyncio.to_thread(_files, most)
        self._outbox.send(
            VariablesListed(
                type="variables",
                seq=0,
                number=message["number"],
                variables=[
                    VariableShown(name=one.name, kind=one.kind, size=one.size, tokens=one.tokens) for one in found
                ],
                files=files,
            )
        )

    async def read(self, message: ReadVariables) -> None:
        """Tell what would be sent of some variables now."""
        found = [one for asked in message["asked"][:MOST_ASKED] if (one := await self._shown(asked)) is not None]
        self._outbox.send(VariablesRead(type="variables_read", seq=0, number=message["number"], found=found))

    async def attach(self, message: AttachFile) -> None:
        """Attach a file of the folder."""
        answer = Fetched(type="fetched", seq=0, number=message["number"], text="", attachments=[], error=None)
        try:
            sizes = services().settings.sizes
            (part,) = await asyncio.to_thread(lambda: attach("", [], [_inside(message["name"])], sizes))
        except ValeChatError as error:
            self._outbox.send({**answer, "error": error_shown(error)})
            return
        if isinstance(part, ImagePart | FilePart):
            answer["attachments"] = self._uploads.keep_parts(new_id(), [part])
        self._outbox.send(answer)

    async def join(self, taken: Taken, message: Send | Compare, question_id: str) -> Taken:
        """What came with a question, and the variables it names as they are now.

        The error of one that is gone or cannot be read is the question's.
        """
        parts: list[Bytes] = []
        try:
            for asked in message.get("variables", [])[:MOST_ASKED] if taken.error is None else []:
                description = await _read(asked)
                if description is not None:
                    parts += parts_of(asked["path"], description)
            _check(parts)
        except ValeChatError as error:
            self._uploads.keep(taken.shown, taken.parts)
            return replace(taken, error=error)
        return taken.with_variables(question_id, parts)

    async def _shown(self, asked: VariableAsked) -> VariableRead | None:
        shown = VariableRead(
            path=asked["path"], kind="", size="", tokens=0, text="", what="", pictures=[], hidden=[], problem=""
        )
        try:
            found = await _read(asked)
        except ValeChatError as error:
            return {**shown, "problem": str(error)}
        if found is None:
            return None
        kind, size = await asyncio.to_thread(_named, asked["path"])
        pictures = [f"data:{one.media_type};base64,{base64.b64encode(one.data).decode()}" for one in found.images]
        return {
            **shown,
            "kind": kind,
            "size": size,
            "tokens": found.tokens,
            "text": found.text,
            "what": found.what,
            "pictures": pictures,
            "hidden": list(found.hidden),
        }


def parts_of(path: str, description: Description) -> list[Bytes]:
    """A variable as parts of a question, under the name it has there."""
    text = FilePart(description.text.encode("utf-8", "replace"), "text/plain", f"@{path}")
    return [text, *(replace(image, name=f"@{path}") for image in description.images)]


async def _read(asked: VariableAsked) -> Description | None:
    """A variable as it is now; None where none was meant.

    Raises:
        ConfigError: It was meant, and cannot be read.
    """
    path = asked["path"]
    names = workspace().names()
    name = first_name(path)
    if not asked["known"] and (name is None or name not in names or not offered(name, names[name])):
        return None
    budget = services().settings.variables.tokens
    return await read(
        lambda: described(path, workspace().names(), budget=budget, reveal=asked["reveal"]), what=f"`@{path}`"
    )


def _named(path: str) -> tuple[str, str]:
    """What kind of thing a path names, and its size, for its chip."""
    try:
        (found,) = listed({"value": value_of(path, workspace().names())})
    except (ConfigError, ValueError):
        # It is gone already, or a kind that menus leave out.
        return "", ""
    return found.kind, found.size


def _check(parts: Sequence[Bytes]) -> None:
    most, size = services().settings.sizes.upload, sum(len(part.data) for part in parts)
    if size > most:
        raise TooLarge(
            f"The variables are {size:,} bytes; the limit is {most:,}.",
            fix="Attach fewer, or a part of them.",
        )


def _files(most: int) -> list[FolderFileShown]:
    """The files of the notebook's folder that can be attached."""
    found: list[FolderFileShown] = []
    try:
        entries = sorted(Path.cwd().iterdir(), key=lambda entry: entry.name.lower())
    except OSError:
        # The folder is gone or may not be read: there is nothing to offer.
        return []
    for entry in entries:
        try:
            if not entry.name.startswith(".") and entry.is_file() and entry.stat().st_size <= most:
                found.append(FolderFileShown(name=entry.name, size=entry.stat().st_size))
        except OSError:
            continue
    return found[:MOST_FILES]


def _inside(name: str) -> Path:
    """A file of the folder by its name.

    Raises:
        ConfigError: It is elsewhere.
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise ConfigError(f"{name} is no file of this folder.", fix="Attach it with the paperclip.")
    return Path.cwd() / name
