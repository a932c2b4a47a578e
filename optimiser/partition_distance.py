"""How unlike two partitions of the same practices are: variation of information, adjusted Rand index, purity.

All are read off one table: how much weight each body of the one shares with each body of the other. Weighted by
patients, every patient counts as one thing that is grouped; weighted by practice, every practice does.

Sources: M. Meilă, Comparing clusterings: an information based distance, Journal of Multivariate Analysis 98 (2007)
873–895; L. Hubert and P. Arabie, Comparing partitions, Journal of Classification 2 (1985) 193–218; N. X. Vinh, J. Epps
and J. Bailey, Information theoretic measures for clusterings comparison, Journal of Machine Learning Research 11
(2010) 2837–2854, for the normalisation; C. D. Manning, P. Raghavan and H. Schütze, Introduction to Information
Retrieval (2008), 16.3, for purity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distance:
    """One partition against another. information: variation of information, nats, 0 where they are the same.
    information_share: it as a share of their joint entropy, 0 the same to 1 nothing in common. rand: adjusted Rand
    index, 1 the same, 0 as alike as chance makes them. purity: share of the weight that is in the main origin of its
    body of the other; purity_back: the other way about."""

    information: float
    information_share: float
    rand: float
    purity: float
    purity_back: float


def shared(one: NDArray[np.integer], other: NDArray[np.integer], weight: NDArray) -> Floats:
    """Weight by body of the one (rows) and of the other (columns). one, other: body position of each practice."""
    rows, columns = int(one.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1
    at = one.astype(np.int64) * columns + other
    return np.bincount(at, weights=weight, minlength=rows * columns).astype(float).reshape(rows, columns)


def distance(one: NDArray[np.integer], other: NDArray[np.integer], weight: NDArray) -> Distance:
    """How unlike two partitions are. one, other: body position of each practice; weight: patients of each, or ones.
    ValueError where nothing has weight."""
    table = shared(one, other, weight)
    if not table.sum() > 0:
        raise ValueError("nothing to compare: no practice has any weight")
    return Distance(
        variation_of_information(table),
        information_share(table),
        adjusted_rand(table),
        purity(table),
        purity(table.T),
    )


def entropy(weights: NDArray) -> float:
    """−Σ p ln p in nats. weights: of the parts, any scale."""
    p = np.asarray(weights, dtype=float).ravel()
    p = p[p > 0] / p.sum()
    return max(0.0, float(-(p * np.log(p)).sum()))


def variation_of_information(table: Floats) -> float:
    """H(one | other) + H(other | one) = 2 H(one, other) − H(one) − H(other), nats (Meilă 2007, eq. 15 f.)."""
    found = 2 * entropy(table) - entropy(table.sum(axis=1)) - entropy(table.sum(axis=0))
    return found if found > 1e-12 else 0.0


def information_share(table: Floats) -> float:
    """Variation of information over the joint entropy H(one, other): a metric too, from 0 to 1 (Vinh, Epps and Bailey
    2010). 0 where both put everybody together."""
    joint = entropy(table)
    return min(1.0, variation_of_information(table) / joint) if joint > 0 else 0.0


def adjusted_rand(table: Floats) -> float:
    """Agreement over pairs, corrected for chance (Hubert and Arabie 1985, eq. 5): (Σ C(n_ij, 2) − E) / (M − E), with
    E = Σ C(a_i, 2) Σ C(b_j, 2) / C(n, 2) and M the mean of the two sums. Weights count things: whole patients, or
    practices. 1 where both put everybody together, or everybody apart."""
    together, rows, columns = _pairs(table), _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0))
    every = _pairs(table.sum())
    expected = rows * columns / every if every else 0.0
    most = (rows + columns) / 2
    return (together - expected) / (most - expected) if most > expected else 1.0


def purity(table: Floats) -> float:
    """Share of the weight that lies in the body of the one (row) from which its body of the other (column) has most."""
    return float(table.max(axis=0).sum() / table.sum())


def _pairs(counts: NDArray | float) -> float:
    n = np.asarray(counts, dtype=float)
    return float((n * (n - 1) / 2).sum())
