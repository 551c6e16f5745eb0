"""How often this kernel may say something to its front ends.

Jupyter's iopub limit counts the messages of all panels and the user's own output together, and silently drops
what is over it. However many panels there are and whatever they have to say, they stay far below.
"""

from __future__ import annotations

from collections import deque

__all__ = ["MOST", "Pace"]

MOST = 90
"""Messages a second, of all panels together."""


class Pace:
    """Counts what was sent within the last second. Used on one loop only."""

    def __init__(self, most: int = MOST) -> None:
        self._sent: deque[float] = deque(maxlen=most)

    def wait(self, now: float) -> float:
        """Seconds until one more may be sent; 0 when it may be now."""
        if len(self._sent) < (self._sent.maxlen or 0):
            return 0.0
        return max(0.0, self._sent[0] + 1 - now)

    def sent(self, now: float) -> None:
        """One was sent."""
        self._sent.append(now)
