"""Shares in words, the same in the terminal, on pages and in files."""

from __future__ import annotations

import math


def percent(share: float) -> str:
    """A share in three figures at most: 0.0123 → "1.2 %"; never "-0 %"."""
    value = 100 * share
    return f"{value:,.{_digits(value)}f} %" if round(value, 2) else "0 %"


def within(gap: float) -> str:
    """A gap as `percent` gives it, but never less than it is: what is said to be proved must be."""
    value = 100 * gap
    scale = 10 ** _digits(value)
    return percent(math.ceil(value * scale - 1e-9) / scale / 100)


def _digits(value: float) -> int:
    return 0 if abs(value) >= 10 else 1 if abs(value) >= 1 else 2
