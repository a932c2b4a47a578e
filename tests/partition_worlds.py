"""Random partition problems small enough for the oracle, with any mixture of rules."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from optimiser.partition.problem import PartitionProblem, SplitCharge

RULES = ("contiguous", "oversize", "apart", "counts", "splits", "several_centres", "frozen")
INF = np.inf


def every_mixture(each: int) -> Iterator[tuple[tuple[int, ...], dict[str, bool]]]:
    """(seed, rules) for every combination of rules, `each` worlds of it."""
    for mixture, flags in enumerate(product((False, True), repeat=len(RULES))):
        for k in range(each):
            yield (mixture, k), dict(zip(RULES, flags, strict=True))


def random_problem(
    seed: tuple[int, ...] | int,
    units: int | None = None,
    contiguous: bool = False,
    oversize: bool = False,
    apart: bool = False,
    counts: bool = False,
    splits: bool = False,
    several_centres: bool = False,
    frozen: bool = False,
) -> PartitionProblem:
    """Units scattered on a square: distance and a border cost, some pairs are out of reach, any shape of size curve."""
    rng = np.random.default_rng(seed)
    n = int(units or rng.integers(5, 9))
    xy = rng.random((n, 2)) * 10
    weights = rng.integers(10, 60, n)
    total = int(weights.sum())
    lo = int(total * rng.uniform(0.1, 0.3))
    hi = max(int(weights.max()), int(lo * rng.uniform(1.8, 3.5)))
    if oversize:
        weights[rng.choice(n, size=int(rng.integers(1, 3)), replace=False)] = hi + rng.integers(1, 40)
    owner = np.repeat(np.arange(n), rng.integers(1, 4, n) if several_centres else 1).astype(np.int32)
    place = xy[owner] + rng.normal(0, 0.5, (len(owner), 2))
    km = np.hypot(*np.moveaxis(xy[:, None, :] - place[None, :, :], -1, 0))
    border = (xy[:, 0] > 5)[:, None] != (xy[owner, 0] > 5)[None, :]
    costs = weights[:, None] * (rng.uniform(0, 2) * km + rng.uniform(0, 4) * border)
    far = km > rng.uniform(6, 14)
    far[owner, np.arange(len(owner))] = False
    costs[far] = INF
    pairs = [(a, b) for a in range(n) for b in range(a + 1, n)]
    chosen = [pairs[k] for k in rng.permutation(len(pairs))[: int(rng.integers(1, 3))]] if apart else []
    bodies = rng.choice(n, size=int(rng.integers(1, 3)), replace=False) if frozen else []
    fewest = int(rng.integers(1, 4)) + len(bodies) if counts else None
    if several_centres:
        _bar(costs, owner, np.setdiff1d(np.flatnonzero(weights <= hi), bodies), np.random.default_rng((n, lo, hi)))
    return PartitionProblem(
        name="consortium",
        labels=tuple(f"Practice {i + 1}" for i in range(n)),
        weights=weights.astype(np.int64),
        owner=owner,
        costs=costs,
        curve=_curve(rng, int(weights.sum())),
        lo=lo,
        hi=hi,
        edges=np.array(_touching(xy) if contiguous else pairs, dtype=np.int32).reshape(-1, 2),
        contiguous=contiguous,
        apart=tuple(chosen),
        frozen=tuple(sorted(int(i) for i in bodies)),
        min_bodies=fewest,
        max_bodies=fewest + int(rng.integers(0, 3)) if fewest is not None else None,
        splits=_splits(rng, xy, weights) if splits else None,
    )


def _bar(costs: np.ndarray, owner: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> None:
    """In half the worlds some units, those that need not stand alone, are no place for a centre."""
    if rng.random() < 0.5:
        costs[:, np.isin(owner, units[rng.random(len(units)) < 0.4])] = INF


def _touching(xy: np.ndarray) -> list[tuple[int, int]]:
    """Each unit touches its two nearest, and the pieces that leaves are joined along a line from west to east."""
    km = np.hypot(*np.moveaxis(xy[:, None] - xy[None], -1, 0))
    near = {tuple(sorted((i, int(j)))) for i in range(len(xy)) for j in np.argsort(km[i])[1:3]}
    along = np.argsort(xy[:, 0])
    return sorted(near | {tuple(sorted((int(a), int(b)))) for a, b in zip(along[:-1:2], along[1::2], strict=False)})


def _curve(rng: np.random.Generator, total: int):
    """£ by size: economies of scale, then crowding, and in half the worlds a jagged table."""
    fixed, root, crowd = rng.uniform(0, 300), rng.uniform(0, 60), rng.uniform(0, 0.05)
    jag = rng.uniform(0, 80, total + 2) * (rng.random() < 0.5)

    def curve(patients: np.ndarray) -> np.ndarray:
        at = np.clip(np.asarray(patients, dtype=float), 0, total + 1)
        return fixed + root * np.sqrt(at) + crowd * at**2 + jag[at.astype(np.int64)]

    return curve


def _splits(rng: np.random.Generator, xy: np.ndarray, weights: np.ndarray) -> SplitCharge:
    """Councils by column of the map; a unit pinned across a border has patients in two."""
    patients = np.zeros((len(xy), 3))
    patients[np.arange(len(xy)), (xy[:, 0] // 3.34).astype(int)] = weights
    mixed = int(rng.integers(len(xy)))
    patients[mixed] = weights[mixed] / 3
    return SplitCharge(float(rng.uniform(0.5, 5)), patients, tuple("ABCDEFGH"[: patients.shape[1]]))
