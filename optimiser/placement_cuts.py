"""Linear pieces below insurance and contracts that a relaxed answer breaks: each holds for every placement.

Reserve: for any order of the rows the sum of their marginal reserves is never above the square root of the sum
(Edmonds' greedy order of a submodular function), so the order of the relaxed answer gives the piece it breaks most.

Contract: let w be the spend that services A bring, of which `above` is free of a step. Then w(A) − above is what the
step allows beyond, so (Σ_A w z − above) / (w(A) − above) ≤ 1 where the step is taken, and ≤ 0 where it is not. Of all
sets A the one most broken is made of the services with the greatest z. The same with every w = 1 and the most services
that stay free in place of `above`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimiser.placement_programme import Grade, Pool, Programme

BROKEN = 1e-4  # part of a pool's greatest reserve by which a piece must be broken to be added
STEP_BROKEN = 0.02  # the same, of a step
NEAR = 1e-9
Floats = NDArray[np.float64]
Row = tuple[list[int], list[float], float]  # columns, coefficients; their sum is at least the last


def broken(programme: Programme, value: Floats) -> Iterator[Row]:
    """Every piece that an answer breaks. value: by column."""
    for pool in programme.pools:
        yield from _reserve(pool, value)
    for grade in programme.grades:
        yield from _step(grade, value)


def _reserve(pool: Pool, value: Floats) -> Iterator[Row]:
    part = np.array([sum(value[v.index] for v in vs) for vs in pool.held])
    slopes = pool.slopes(np.argsort(-part, kind="stable"))
    if slopes @ part > value[pool.reserve.index] + BROKEN:
        columns = [pool.reserve.index] + [v.index for vs in pool.held for v in vs]
        yield columns, [1.0] + [-float(m) for vs, m in zip(pool.held, slopes, strict=True) for _ in vs], 0.0


def _step(grade: Grade, value: Floats) -> Iterator[Row]:
    held = np.array([v.index for v in grade.held])
    order = np.argsort(-value[held], kind="stable")
    z, amounts = value[held][order], grade.amounts[order]
    alone = (amounts > grade.above + NEAR) & (z > value[grade.taken.index] + STEP_BROKEN)
    for column in held[order[alone]].tolist():
        yield [grade.taken.index, column], [1.0, -1.0], 0.0
    if alone.any():
        return
    spend = _piece(z, amounts, np.full_like(z, grade.above))
    number = _piece(z, np.ones_like(z), _most_free(amounts, grade.above))
    worth, slopes, free = max(spend, number, key=lambda piece: piece[0])
    if worth > value[grade.taken.index] + STEP_BROKEN:
        yield [grade.taken.index, *held[order[: len(slopes)]].tolist()], [1.0, *(-slopes).tolist()], -free


def _piece(z: Floats, weights: Floats, free: Floats) -> tuple[float, Floats, float]:
    """The most broken of the pieces on the first services, by how many: by how much the step must be taken, the slope
    of each service, and what is free. free: by number of services, less one."""
    beyond = np.cumsum(weights) - free
    worth = np.where(beyond > NEAR, (np.cumsum(weights * z) - free) / np.maximum(beyond, NEAR), -1.0)
    k = int(worth.argmax())
    whole = max(float(beyond[k]), NEAR)
    return float(worth[k]), weights[: k + 1] / whole, float(free[k]) / whole


def _most_free(amounts: Floats, above: float) -> Floats:
    """The most services among the first that stay free of the step together, by how many are the first, less one."""
    smallest = [np.cumsum(np.sort(amounts[: k + 1])) for k in range(len(amounts))]
    return np.array([np.searchsorted(running, above + NEAR, side="right") for running in smallest], dtype=float)
