"""Regions drawn with letters, and plans drawn the same way: what a planner would sketch on a napkin.

    A A ~ B        a letter is a practice and the council it lies in; ~ is water, . is empty land
    A A ~ B        cells are two kilometres apart, and practices touch when their cells lie side by side

Practices are called by column and row, as on a chessboard read from the top: a1 is the first of the first row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import dedent

import numpy as np

from optimiser.domain import Authority, Dataset, Flows, Practice, Relationship, Structure
from tests.tiny import INFO

CELL = 2_000.0
WATER = "~."


def rows(drawing: str) -> list[list[str]]:
    """The cells of a drawing, row by row."""
    return [line.split() for line in dedent(drawing).strip().splitlines()]


def region(
    drawing: str,
    patients: int | Callable[[str], int] = 20_000,
    links: Sequence[tuple[str, str]] = (),
    relationships: Sequence[Relationship] = (),
    today: str = "",
    today_at: str = "consortium",
    **attributes: Callable[[str], float],
) -> Dataset:
    """The dataset of a drawing. patients: of every practice, or by its code. today: the same drawing with a letter for
    the body each practice is in at the scale `today_at`. attributes: practice attribute → its value by code.
    """
    existing = rows(today) if today else None
    practices: list[Practice] = []
    at: dict[tuple[int, int], int] = {}
    for y, line in enumerate(rows(drawing)):
        for x, letter in enumerate(line):
            if letter in WATER:
                continue
            code = f"{chr(ord('a') + x)}{y + 1}"
            at[x, y] = len(practices)
            practices.append(
                Practice(
                    code=code,
                    name=f"Surgery {code}",
                    patients=patients(code) if callable(patients) else patients,
                    easting=400_000 + CELL * x,
                    northing=300_000 - CELL * y,
                    lower_authority=letter,
                    upper_authority=letter,
                    existing={today_at: existing[y][x]} if existing else {},
                    **{name: value(code) for name, value in attributes.items()},
                )
            )
    index = {p.code: i for i, p in enumerate(practices)}
    touching = {(i, at[near]) for (x, y), i in at.items() for near in ((x + 1, y), (x, y + 1)) if near in at}
    joined = tuple((index[a], index[b]) for a, b in links)
    edges = sorted({(min(pair), max(pair)) for pair in (*touching, *joined)})
    return Dataset(
        info=INFO,
        practices=tuple(practices),
        providers=(),
        services=(),
        functions=(),
        authorities=tuple(Authority(a, f"{a}-shire", "upper") for a in sorted({p.upper_authority for p in practices})),
        flows=Flows.none(),
        relationships=tuple(relationships),
        adjacency=np.array(edges, dtype=np.int32).reshape(-1, 2),
        links=joined,
    )


def drawn(drawing: str, structure: Structure, scale: str) -> str:
    """The drawing with a digit for the body of each practice at a scale, numbered as they are met."""
    membership = iter(structure.membership[scale].tolist())
    seen: dict[int, int] = {}
    out = []
    for line in rows(drawing):
        bodies = [None if letter in WATER else next(membership) for letter in line]
        digits = [c if b is None else str(seen.setdefault(b, len(seen) + 1)) for c, b in zip(line, bodies, strict=True)]
        out.append(" ".join(digits))
    return "\n".join(out)


def same(drawing: str) -> str:
    """A drawing without its margin, to compare with `drawn`."""
    return "\n".join(" ".join(line) for line in rows(drawing))
