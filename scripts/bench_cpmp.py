"""Public instances of the capacitated p-median problem, as partition problems.

A file holds `n p`, then a line `x y capacity demand` for each of n points; every point has the same capacity. Exactly p
bodies, each within the capacity; a body costs the sum of its members' straight-line distances to its best member.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from optimiser.partition.problem import PartitionProblem

NEAREST = 12  # points with which the search may trade
# Optima as published; pr2392_020: the best known value, not proved.
SMALL = (713, 740, 751, 651, 664, 778, 787, 820, 715, 829, 1006, 966, 1026, 982, 1091, 954, 1034, 1043, 1031, 1005)
KNOWN: dict[str, float] = {
    "SJC1": 17288.99,
    "SJC2": 33270.94,
    "SJC3a": 45335.16,
    "SJC4a": 61925.51,
    "pr2392_020": 2231212.52,
    **{f"cpmp{k:02d}": float(optimum) for k, optimum in enumerate(SMALL, start=1)},
}


def find(folder: Path, name: str) -> Path | None:
    """The file of an instance, or None."""
    return next((path for suffix in (".dat", ".txt") if (path := folder / f"{name}{suffix}").is_file()), None)


def read(path: Path) -> tuple[PartitionProblem, NDArray[np.float64]]:
    """The problem of a file and the places of its points (n × 2). Distances of cpmp* are cut to whole numbers.

    Raises ValueError where the file is not of the form, or capacities differ.
    """
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=float)
    n, p = (int(v) for v in numbers[:2])
    if len(numbers) != 2 + 4 * n:
        raise ValueError(f"{path.name}: {n} points need {4 * n} numbers, {len(numbers) - 2} are there")
    x, y, capacity, demand = numbers[2:].reshape(n, 4).T
    if len(np.unique(capacity)) != 1:
        raise ValueError(f"{path.name}: the points differ in capacity")
    xy = np.column_stack([x, y])
    distance = cdist(xy, xy)
    hi, total = int(capacity[0]), int(demand.sum())
    _, near = cKDTree(xy).query(xy, k=min(n, NEAREST + 1))
    pairs = np.sort(np.column_stack([np.repeat(np.arange(n), near.shape[1]), near.ravel()]), axis=1)
    return (
        PartitionProblem(
            name="cluster",
            labels=tuple(f"point {i + 1}" for i in range(n)),
            weights=demand.astype(np.int64),
            owner=np.arange(n, dtype=np.int32),
            costs=np.floor(distance) if path.stem.startswith("cpmp") else distance,
            curve=lambda patients: np.zeros(np.shape(patients)),
            lo=max(0, total - (p - 1) * hi),  # what the others cannot hold: no partition into p bodies is lost
            hi=hi,
            edges=np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0).astype(np.int32),
            contiguous=False,
            min_bodies=p,
            max_bodies=p,
        ),
        xy,
    )
