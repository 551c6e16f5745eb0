"""What went wrong with a server, as an error that says what to do. Whatever a transport raises becomes one here."""

from __future__ import annotations

from collections.abc import Iterator

from valechat.errors import ConfigError, KeyStorageError, PluginError, SignInNeeded, ValeChatError

__all__ = ["HOPELESS", "Incompatible", "failure"]


class Incompatible(PluginError):
    """The server refuses to speak with this program: they have no version of the protocol in common, or it has none."""


HOPELESS = (ConfigError, KeyStorageError, SignInNeeded, Incompatible)
"""Trying again by itself does not help: it is the user's turn."""


def failure(title: str, error: BaseException, *, while_doing: str) -> ValeChatError:
    """The error to show for whatever was raised.

    Args:
        title: The plugin, as people call it.
        error: What was raised; of a group, the one that says most.
        while_doing: What was being done: `starting`.
    """
    found = list(_leaves(error))
    for kind in (*HOPELESS, ValeChatError):
        ours = next((one for one in found if isinstance(one, kind)), None)
        if isinstance(ours, ValeChatError):
            return ours
    first = found[0]
    said = str(first).strip() or type(first).__name__
    return PluginError(f"{title} failed while {while_doing}: {said.rstrip('.')}.", fix="Its log may say more.")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
