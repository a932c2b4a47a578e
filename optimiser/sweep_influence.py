"""Which key moves the plan most: how many patients change body when one key changes and the others stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from optimiser.sensitivity import moved_share

MOST_PAIRS = 2_000  # enough to tell keys apart, and a few seconds' work
NEAR = 0.25  # of a range: plans jump from one number of bodies to another, so little more changes beyond it


@dataclass(frozen=True)
class Influence:
    """What pairs of plans say. moves: key → share of patients (0–1) who change body from one end of its range to the
    other (between two of its values, where they are no numbers), the other keys alike. rest: the share who differ
    between plans however near: jumps, ties, search that ended early. explained: part of the variation between pairs
    that this accounts for (0–1). pairs: compared."""

    moves: Mapping[str, float]
    rest: float
    explained: float
    pairs: int


def influence(
    values: Sequence[Mapping[str, object]], plans: Sequence[NDArray[np.int32]], patients: NDArray[np.int64], seed: int
) -> Influence | None:
    """Shares that differ between pairs of plans, as the sum of what each key contributes by how far it differs, evenly
    or mostly at first: non-negative least squares over all pairs, or `MOST_PAIRS` of them drawn by the seed. values and
    plans (body by practice) are aligned. None where fewer than three plans, or no key that differs, can be compared."""
    keys = list(dict.fromkeys(key for row in values for key in row))
    pairs = list(combinations(range(len(plans)), 2))
    if len(plans) < 3:
        return None
    if len(pairs) > MOST_PAIRS:
        chosen = np.random.default_rng(seed).choice(len(pairs), MOST_PAIRS, replace=False)
        pairs = [pairs[k] for k in np.sort(chosen)]
    apart = np.column_stack([_apart([row.get(key) for row in values], pairs) for key in keys])
    if not apart.any():
        return None
    found = np.array([moved_share(plans[a], plans[b], patients) for a, b in pairs])
    terms = np.column_stack([apart, np.minimum(1.0, apart / NEAR), np.ones(len(pairs))])
    weights, _ = nnls(terms, found)
    fitted, ends = terms @ weights, weights[:-1].reshape(2, -1).sum(axis=0)
    spread = float(((found - found.mean()) ** 2).sum())
    explained = 1.0 - float(((found - fitted) ** 2).sum()) / spread if spread > 0 else 1.0
    moves = {key: round(float(w), 9) for key, w in zip(keys, ends, strict=True)}
    return Influence(moves, round(float(weights[-1]), 9), round(max(0.0, explained), 9), len(pairs))


def _apart(values: Sequence[object], pairs: Sequence[tuple[int, int]]) -> NDArray[np.float64]:
    """How far the values of each pair differ, 0–1: of their range where all are numbers, else whether they do."""
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        numbers = np.array(values, dtype=float)
        width = float(np.ptp(numbers)) or 1.0
        return np.array([abs(numbers[a] - numbers[b]) / width for a, b in pairs])
    return np.array([float(values[a] != values[b]) for a, b in pairs])
