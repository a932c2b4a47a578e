"""Like-mindedness: how alike practices are, and who has said they want, or would rather not, work with whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.domain import Dataset

ATTRIBUTES = ("deprivation", "pct_65plus", "rural")
FULL_UNLIKENESS = 3.0  # root-mean-square difference, in standard deviations, at which two practices are wholly unlike


def standardised(dataset: Dataset) -> NDArray[np.float64]:
    """n × 3: each attribute less its mean, in standard deviations across practices; 0 where missing or constant."""
    columns = []
    for name in ATTRIBUTES:
        raw = np.array(
            [np.nan if getattr(p, name) is None else getattr(p, name) for p in dataset.practices], dtype=float
        )
        known = raw[~np.isnan(raw)]
        spread = known.std() if len(known) else 0.0
        level = known.mean() if len(known) else 0.0
        constant = spread <= 1e-12 * max(1.0, abs(level))  # rounding leaves a constant a tiny spread
        columns.append(np.zeros(len(raw)) if constant else np.nan_to_num((raw - level) / spread))
    return np.column_stack(columns)


def unlikeness(z: NDArray[np.float64], i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
    """0 (alike) … 1 (wholly unlike) for practice pairs; i and j broadcast. z: standardised attributes."""
    squares = sum((column[i] - column[j]) ** 2 for column in z.T)
    return np.minimum(1.0, np.sqrt(squares / z.shape[1]) / FULL_UNLIKENESS)


def wishes(dataset: Dataset, confidential: bool) -> sparse.csr_matrix:
    """n × n symmetric strengths (−1 … 1): the sum of what either practice declared about the other, clipped.

    Public and confidential wishes are kept apart: the public ones are part of the objective and of the published run;
    the confidential ones steer the search and appear nowhere.
    """
    n = len(dataset.practices)
    chosen = [r for r in dataset.relationships if r.confidential == confidential]
    a = [dataset.index[r.practice] for r in chosen]
    b = [dataset.index[r.other] for r in chosen]
    strength = [r.strength for r in chosen]
    one_way = sparse.coo_matrix((strength, (a, b)), shape=(n, n)).tocsr()
    both = (one_way + one_way.T).tocsr()
    both.data = np.clip(both.data, -1.0, 1.0)
    return both
