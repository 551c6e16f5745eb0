"""What is attached in a panel: from a message's buffers to parts of a question, and back to what a panel shows.

Until its question is answered, an attachment stays here, so that a refused question can be sent again without its
bytes, and a draft's attachments outlive a reload of the page; after that it is found in the ledger.
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from valechat.attachments import Sizes, media_type_of, read_bytes
from valechat.errors import ConfigError, TooLarge, ValeChatError
from valechat.ids import new_id
from valechat.ledger.threads import durably
from valechat.messages import FilePart, ImagePart, Message
from valechat.notebook.protocol import Attached, AttachmentShown
from valechat.services import services

__all__ = ["UPLOAD_TOTAL", "Kept", "Taken", "Uploads", "attachments_shown", "upload_limit", "without_previews"]

UPLOAD_TOTAL = 10_000_000
"""Bytes one question may bring: Jupyter's server closes a connection over a message of more than 10 MiB."""

PREVIEW = 1_000_000
"""Bytes of the largest image that a panel gets to see."""

KEPT = 40_000_000
"""Bytes that a kernel keeps of drafts and refused questions; what was sent goes first, then the oldest."""

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


class Kept:
    """What a kernel keeps by id: for all its panels, since a draft may go on in another. Used on the engine's loop."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._parts: OrderedDict[str, Bytes] = OrderedDict()

    def add(self, attachment_id: str, part: Bytes) -> None:
        """Keep one; others go when there is no room for all. The last one added always stays."""
        self._parts[attachment_id] = part
        self._parts.move_to_end(attachment_id)
        while len(self._parts) > 1 and sum(len(one.data) for one in self._parts.values()) > self._most:
            self._parts.popitem(last=False)

    def get(self, attachment_id: str) -> Bytes | None:
        """The one with that id; None when it is not here, or not any more."""
        return self._parts.get(attachment_id)

    def sent(self, attachment_id: str) -> None:
        """It went with a question: from now on it is the first to go."""
        if attachment_id in self._parts:
            self._parts.move_to_end(attachment_id, last=False)


_kept = Kept()


class Uploads:
    """The attachments of one panel that are in no answered question yet. Used on the engine's loop."""

    def __init__(self, kept: Kept = _kept) -> None:
        self._kept = kept

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
                    self._kept.sent(one["id"])
                else:
                    part = await _read(one["name"], waiting, sizes)
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
            self._kept.add(one["id"], part)

    def keep_parts(self, message_id: str, parts: Sequence[Bytes]) -> list[AttachmentShown]:
        """Keep what goes with the question that is being written; as the panel shows it."""
        shown = [_shown(f"{message_id}/{number}", part) for number, part in enumerate(parts, 1)]
        self.keep(shown, parts)
        return shown

    async def hold(
        self, attached: Sequence[Attached], buffers: Sequence[bytes | memoryview], conversation_id: str, sizes: Sizes
    ) -> list[AttachmentShown]:
        """Keep what is attached to a question that is not sent yet; what has an id already is looked for.

        Each is as the panel shows it, with a problem where it cannot be kept or is gone.
        """
        waiting = list(buffers)
        shown: list[AttachmentShown] = []
        for one in attached:
            try:
                if "id" in one:
                    shown.append(_shown(one["id"], await self.known(one["id"], conversation_id)))
                else:
                    part = await _read(one["name"], waiting, sizes)
                    shown += self.keep_parts(new_id(), [part])
            except (ConfigError, TooLarge) as refused:
                shown.append({**_blank(one["name"]), "problem": refused.message})
        return shown

    async def known(self, attachment_id: str, conversation_id: str) -> Bytes:
        """An attachment the kernel has: of a refused question, or of one in the conversation.

        Raises:
            ConfigError: It is in neither.
        """
        if (kept := self._kept.get(attachment_id)) is not None:
            return kept
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


async def _read(name: str, waiting: list[bytes | memoryview], sizes: Sizes) -> Bytes:
    """The next of the buffers that came, as a part.

    Raises:
        ConfigError: There is none left.
        TooLarge: It is over the limit.
    """
    if not waiting:
        raise ConfigError(f"The bytes of {name} did not arrive.", fix="Attach it again.")
    return cast("Bytes", await asyncio.to_thread(read_bytes, bytes(waiting.pop(0)), name, sizes.upload))


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
