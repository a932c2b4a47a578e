"""Shares in words, the same in the terminal, on pages and in files."""

from __future__ import annotations

import math

PROVED = 1e-9  # a gap that is none


def percent(share: float) -> str:
    """A share in three figures at most: 0.0123 → "1.2 %"; never "-0 %"."""
    value = 100 * share
    return f"{value:,.{_digits(value)}f} %" if round(value, 2) else "0 %"


def within(gap: float, digits: int | None = None) -> str:
    """A gap as `percent` gives it (digits: after the point, where they are to be so many), but never less than it is:
    what is said to be proved must be.
    """
    value = 100 * gap if gap > PROVED else 0.0
    scale = 10 ** (_digits(value) if digits is None else digits)
    up = math.ceil(value * scale - 1e-9) / scale
    return percent(up / 100) if digits is None else f"{up:.{digits}f} %"


def _digits(value: float) -> int:
    return 0 if abs(value) >= 10 else 1 if abs(value) >= 1 else 2
