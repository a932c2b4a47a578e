"""The least number of smaller bodies that a body holds, and the units that are exempt as no others could join them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem


def with_members(problem: PartitionProblem, held: NDArray[np.int64], least: int) -> PartitionProblem:
    """The problem with the rule that a body holds at least so many smaller bodies. held: how many each unit is made of.
    A unit that no body of enough could hold counts as enough by itself. Bounds leave the rule out, which only lowers
    them.
    """
    if least <= 1:
        return problem
    core, _, restore = set_aside(problem)
    members = held.astype(np.int64)
    if core is not None:
        members[restore.kept] = np.where(_alone(core, members[restore.kept], least), least, members[restore.kept])
    return replace(problem, members=members, min_members=least)


def _alone(core: PartitionProblem, held: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
    """n: units that none could join, or not enough: within the most patients, a centre in common, touching where bodies
    must, and no pin between. Necessary conditions of a body, so that nobody is exempt without need."""
    reach = np.isfinite(core.costs).astype(np.float32)
    weights = core.weights
    may = np.logical_and(reach @ reach.T > 0, weights[:, None] + weights[None, :] <= core.hi)
    np.fill_diagonal(may, False)
    for a, b in core.apart:
        may[a, b] = may[b, a] = False
    beside = may & (core.graph().toarray() > 0) if core.contiguous else may
    alone = np.logical_not(beside.any(axis=1))
    for u in np.flatnonzero(~alone & (held < least)):
        others = np.flatnonzero(may[u])
        others = others[np.argsort(weights[others] / held[others], kind="stable")]
        lightest = np.interp(
            least - held[u],
            np.concatenate(([0], np.cumsum(held[others]))),
            np.concatenate(([0], np.cumsum(weights[others]))),
            right=np.inf,
        )
        alone[u] = weights[u] + lightest > core.hi
    return alone & (held < least)
