"""The `valechat` command.

Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted. A failure is one line on standard error
that ends with what to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from valechat.errors import ValeChatError

__all__ = ["main"]

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's own; the exit code.

    Raises:
        SystemExit: Wrong use (2), `--help` or `--version` (0).
    """
    from valechat.cli.parser import parse

    options = parse(arguments)
    module, _, function = options.run.partition(":")
    try:
        code = getattr(import_module(f"valechat.cli.{module}"), function)(options)
        sys.stdout.flush()
    except ValeChatError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has enough. The interpreter must not try to flush again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return int(code or 0)


def _fail(message: str) -> int:
    from valechat.plaintext import plain

    line = plain(" ".join(message.split()))
    sys.stderr.write(f"valechat: {line}\n")
    return FAILED
