"""What is attached in a panel: from a message's buffers to parts of a question, and back to what a panel shows.

Until its question is answered, an attachment stays here, so that a refused question can be sent again
without its bytes; after that it is found in the ledger.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from valechat.attachments import Sizes, media_type_of, read_bytes
from valechat.errors import ConfigError, TooLarge, ValeChatError
from valechat.ledger.threads import durably
from valechat.messages import FilePart, ImagePart, Message
from valechat.notebook.protocol import Attached, AttachmentShown
from valechat.services import services

__all__ = ["UPLOAD_TOTAL", "Taken", "Uploads", "attachments_shown", "upload_limit", "without_previews"]

UPLOAD_TOTAL = 10_000_000
"""Bytes one question may bring: Jupyter's server closes a connection over a message of more than 10 MiB."""

PREVIEW = 1_000_000
"""Bytes of the largest image that a panel gets to see."""

KEPT = 40_000_000
"""Bytes of refused questions that are kept; the oldest go first."""

_SEEN = ("image/png", "image/jpeg", "image/gif", "image/webp")

Bytes = ImagePart | FilePart


@dataclass(frozen=True, slots=True)
class Taken:
    """What came with a question: as the panel shows it, as parts, and what is wrong with it, if anything.

    `variables` counts those at the end that are the notebook's variables: the question's text names them, so they
    do not go back with it.
    """

    shown: list[AttachmentShown]
    parts: list[Bytes]
    error: ValeChatError | None = None
    variables: int = 0

    def with_variables(self, message_id: str, parts: Sequence[Bytes]) -> Taken:
        """The same with variables as they were read for this question."""
        shown = [_shown(f"{message_id}/{number}", part) for number, part in enumerate(parts, len(self.parts) + 1)]
        return Taken([*self.shown, *shown], [*self.parts, *parts], self.error, len(parts))

    @property
    def to_return(self) -> Taken:
        """What goes back to the composer with a question that was refused."""
        kept = len(self.parts) - self.variables
        return self if self.variables == 0 else Taken(self.shown[:kept], self.parts[:kept], self.error)


class Uploads:
    """The attachments of one panel that are in no answered question yet. Used on the engine's loop."""

    def __init__(self) -> None:
        self._kept: dict[str, Bytes] = {}

    async def take(
        self,
        attached: Sequence[Attached],
        buffers: Sequence[bytes | memoryview],
        message_id: str,
        conversation_id: str,
        sizes: Sizes,
    ) -> Taken:
        """The attachments of a question that is about to be asked under this id.

        None is lost where one is refused: the others can be sent again by their ids.
        """
        waiting = list(buffers)
        shown: list[AttachmentShown] = []
        parts: list[Bytes] = []
        error: ValeChatError | None = None
        for number, one in enumerate(attached, 1):
            try:
                if "id" in one:
                    part = await self.known(one["id"], conversation_id)
                elif waiting:
                    data = bytes(waiting.pop(0))
                    part = cast("Bytes", await asyncio.to_thread(read_bytes, data, one["name"], sizes.upload))
                else:
                    raise ConfigError(f"The bytes of {one['name']} did not arrive.", fix="Attach it again.")
            except (ConfigError, TooLarge) as refused:
                error = error or refused
                shown.append({**_blank(one["name"]), "problem": refused.message})
            else:
                shown.append(_shown(f"{message_id}/{number}", part))
                parts.append(part)
        if error is not None:
            self.keep([one for one in shown if "problem" not in one], parts)
        return Taken(shown, parts, error)

    def keep(self, shown: Sequence[AttachmentShown], parts: Sequence[Bytes]) -> None:
        """Keep the attachments of a question that was refused."""
        for one, part in zip(shown, parts, strict=True):
            self._kept[one["id"]] = part
        while sum(len(part.data) for part in self._kept.values()) > KEPT:
            del self._kept[next(iter(self._kept))]

    def keep_parts(self, message_id: str, parts: Sequence[Bytes]) -> list[AttachmentShown]:
        """Keep what goes with the question that is being written; as the panel shows it."""
        shown = [_shown(f"{message_id}/{number}", part) for number, part in enumerate(parts, 1)]
        self.keep(shown, parts)
        return shown

    def forget(self) -> None:
        """Nothing that was refused will be sent again."""
        self._kept.clear()

    async def known(self, attachment_id: str, conversation_id: str) -> Bytes:
        """An attachment the kernel has: of a refused question, or of one in the conversation.

        Raises:
            ConfigError: It is in neither.
        """
        if attachment_id in self._kept:
            return self._kept[attachment_id]
        message_id, _, number = attachment_id.rpartition("/")
        for stored in await durably(services().ledger.messages, conversation_id):
            if stored.id == message_id:
                parts = _attached(stored.message)
                if number.isdecimal() and 0 < int(number) <= len(parts):
                    return parts[int(number) - 1]
        raise ConfigError("The attachment is not in the kernel any more.", fix="Attach it again.")


def attachments_shown(message_id: str, message: Message) -> list[AttachmentShown]:
    """A stored question's attachments."""
    return [_shown(f"{message_id}/{number}", part) for number, part in enumerate(_attached(message), 1)]


def upload_limit() -> int:
    """The most bytes of one attachment."""
    try:
        return services().settings.sizes.upload
    except ConfigError:
        # What is wrong with the settings is said where they are needed; the panel opens without them.
        return UPLOAD_TOTAL


def without_previews(shown: Sequence[AttachmentShown]) -> list[AttachmentShown]:
    """The same, by name and size alone."""
    return [{**one, "preview": None} for one in shown]


def _attached(message: Message) -> list[Bytes]:
    return [part for part in message.parts if isinstance(part, ImagePart | FilePart)]


def _shown(attachment_id: str, part: Bytes) -> AttachmentShown:
    return AttachmentShown(
        id=attachment_id,
        name=part.name,
        media_type=part.media_type,
        size=len(part.data),
        preview=_preview(part),
    )


def _preview(part: Bytes) -> str | None:
    """The image for a panel: only what is one by its own bytes, whatever it calls itself."""
    if not isinstance(part, ImagePart) or len(part.data) > PREVIEW:
        return None
    kind = media_type_of(part.data, "")
    return f"data:{kind};base64,{base64.b64encode(part.data).decode('ascii')}" if kind in _SEEN else None


def _blank(name: str) -> AttachmentShown:
    return AttachmentShown(id="", name=name, media_type="", size=0, preview=None)
