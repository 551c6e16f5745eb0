"""The kernel to test with, described for Jupyter: forked, so that it starts at once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.warm.processes import command

__all__ = ["NAME", "write_kernelspec"]

NAME = "python3"


def write_kernelspec(folder: Path) -> None:
    """Describe it in a folder of kernels, as a file that programs read which cannot be handed it."""
    spec = folder / NAME
    spec.mkdir(parents=True, exist_ok=True)
    (spec / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [*command("ipykernel_launcher"), "-f", "{connection_file}"],
                "display_name": NAME,
                "language": "python",
                "metadata": {"debugger": True},
            }
        )
    )
