"""The kernels to test with: the locked ipykernel, and the newest one before comms moved to subshells of their own."""

import json
import sys
from pathlib import Path

from tests.warm.kernelspec import NAME, write_kernelspec

LOCKED = NAME
OLDER = "ipykernel-7.3"

OLDER_FOLDER = Path(__file__).parents[3] / ".cache" / OLDER


def write_kernelspecs(folder: Path) -> Path:
    """Describe the kernels in `folder`, for `JUPYTER_PATH`."""
    write_kernelspec(folder / "kernels")
    if (OLDER_FOLDER / "ipykernel").is_dir():
        spec = folder / "kernels" / OLDER
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(
            json.dumps(
                {
                    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                    "display_name": OLDER,
                    "language": "python",
                    "env": {"PYTHONPATH": str(OLDER_FOLDER)},
                    "metadata": {"debugger": True},
                }
            )
        )
    return folder
