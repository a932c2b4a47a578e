"""What a practice is within its region (needy, deprived, unwanted), and weighted figures within groups of practices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from optimiser import relations
from optimiser.domain import Dataset

Floats = NDArray[np.float64]
FIFTH = 0.2
FEWEST_TO_RANK = 4
REJECTED, REJECTIONS = -0.5, 2  # a strong public wish to stay apart, and how many of them make a practice unwanted


@dataclass(frozen=True)
class Standing:
    """By practice. deprived: in the most deprived fifth of the region's patients. unwanted: in the worst fifth for
    referrals, for prescribing and for satisfaction at once, or publicly turned down by two or more. attributes: those
    of likeness, NaN where unknown."""

    patients: Floats
    need: Floats
    attributes: Mapping[str, Floats]
    deprived: NDArray[np.bool_]
    unwanted: NDArray[np.bool_]

    @staticmethod
    def of(dataset: Dataset) -> Standing:
        """From the dataset alone: confidential wishes are left out."""
        weight = dataset.patients.astype(float)
        refused = np.zeros(len(weight))
        for r in dataset.relationships:
            if not r.confidential and r.strength <= REJECTED:
                refused[dataset.index[r.other]] += 1
        worst = (
            fifth(_column(dataset, "referral_index"), weight)
            & fifth(_column(dataset, "prescribing_index"), weight)
            & fifth(-_column(dataset, "satisfaction_pct"), weight)
        )
        return Standing(
            patients=weight,
            need=_column(dataset, "need_index"),
            attributes={name: _column(dataset, name) for name in relations.ATTRIBUTES},
            deprived=fifth(_column(dataset, "deprivation"), weight),
            unwanted=worst | (refused >= REJECTIONS),
        )


def fifth(values: Floats, weight: Floats) -> NDArray[np.bool_]:
    """The practices with the highest values that together hold a fifth of the weight: whole practices are taken in
    order until it is reached. None are where values do not differ; NaN never is."""
    known = np.flatnonzero(~np.isnan(values))
    chosen = np.zeros(len(values), dtype=bool)
    if len(known) and np.ptp(values[known]):
        order = known[np.argsort(-values[known], kind="stable")]
        before = np.cumsum(weight[order]) - weight[order]
        chosen[order[before < FIFTH * weight[known].sum()]] = True
    return chosen


def mean_within(values: Floats, weight: Floats, group: NDArray[np.integer], groups: int) -> Floats:
    """Weighted mean by group over what is known; NaN where nothing is."""
    known = ~np.isnan(values) & (weight > 0)
    total = np.bincount(group[known], weights=weight[known], minlength=groups)
    moment = np.bincount(group[known], weights=(weight * values)[known], minlength=groups)
    return np.divide(moment, total, out=np.full(groups, np.nan), where=total > 0)


def sd_within(values: Floats, weight: Floats, group: NDArray[np.integer], groups: int) -> Floats:
    """Weighted standard deviation by group over what is known; NaN where nothing is."""
    away = values - mean_within(values, weight, group, groups)[group]
    return np.sqrt(mean_within(away**2, weight, group, groups))


def successors(overlap: Floats) -> list[int]:
    """For each row the column it continues, or −1: one to one, so that the overlap kept is the most possible."""
    found = [-1] * len(overlap)
    for row, column in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
        if overlap[row, column] > 0:
            found[row] = int(column)
    return found


def ranks_agree(one: Floats, other: Floats) -> float | None:
    """Spearman's rank correlation; None for fewer than four bodies or where either does not vary."""
    known = np.isfinite(one) & np.isfinite(other)
    a, b = _ranks(one[known]), _ranks(other[known])
    if len(a) < FEWEST_TO_RANK or not np.ptp(a) or not np.ptp(b):
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(values: Floats) -> Floats:
    """1 for the least; ties share their mean rank."""
    _, inverse, counts = np.unique(np.round(values, 9), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _column(dataset: Dataset, name: str) -> Floats:
    return np.array([np.nan if (v := getattr(p, name)) is None else v for p in dataset.practices], dtype=float)
