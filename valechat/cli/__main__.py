"""`python -m valechat.cli`: the command where its script is not on the path."""

from __future__ import annotations

import sys

from valechat.cli import main

sys.exit(main())
