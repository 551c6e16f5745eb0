"""Patience with a server on this machine, which reads a model from disk before its first word."""

from __future__ import annotations

from dataclasses import replace

from valechat.providers._setup import Setup

__all__ = ["LOADING_SECONDS", "patient"]

LOADING_SECONDS = 300.0
"""How long that may take, where no timeout is set."""

_USUAL_TIMEOUT = Setup("", "").timeout


def patient(setup: Setup) -> Setup:
    """The settings with time to load a model, unless they name a timeout of their own."""
    return replace(setup, timeout=LOADING_SECONDS) if setup.timeout == _USUAL_TIMEOUT else setup
