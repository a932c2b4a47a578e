"""Time as a last resort: what is left of a limit, and whether somebody asked to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable


def never() -> bool:
    """Nobody asks to stop."""
    return False


class Clock:
    """Seconds against a limit, on a clock that no change of the hour moves; once `stop` says True, nothing is left."""

    def __init__(self, seconds: float = math.inf, stop: Callable[[], bool] = never):
        self._start, self._limit, self.stop = time.monotonic(), seconds, stop

    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._start

    def left(self) -> float:
        """Seconds left, never below 0."""
        return 0.0 if self.stop() else max(0.0, self._limit - self.elapsed())

    def over(self) -> bool:
        """Whether work should end at the next safe point."""
        return self.left() <= 0

    def part(self, share: float) -> Clock:
        """A clock of a share (0–1) of what is left, which stops when this one is asked to."""
        return Clock(share * self.left(), self.stop)
