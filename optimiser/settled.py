"""What several maps agree on: who is together in all of them, and whose place is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Structure
from optimiser.matching import real

HALF = 0.5


@dataclass(frozen=True)
class Settled:
    """What plans agree on at one scale. plans: positions of those asked. groups: sets of practices that all of them
    keep together, largest first, no practice alone. kept: by practice the share of those patients, whom any of them
    puts it with, that all of them put it with (NaN: it never has company)."""

    scale: str
    plans: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    kept: NDArray[np.float64]

    @property
    def open(self) -> NDArray[np.bool_]:
        """Practices that keep less than half of their company in every plan."""
        return self.kept < HALF


def settled(dataset: Dataset, structures: Mapping[int, Structure], scale: str) -> Settled:
    """structures: position → map; each has the scale."""
    n = len(dataset.practices)
    always, ever = np.ones((n, n), dtype=bool), np.zeros((n, n), dtype=bool)
    for structure in structures.values():
        of = structure.membership[scale]
        grouped = real(structure.bodies[scale])[of]
        same = (of[:, None] == of[None, :]) & grouped[:, None]
        always &= same
        ever |= same
    people = dataset.patients.astype(float)
    alone = np.where(ever.diagonal(), people, 0.0)
    company = ever @ people - alone
    stays = always @ people - np.where(always.diagonal(), people, 0.0)
    kept = np.divide(stays, company, out=np.full(n, np.nan), where=company > 0)
    cells = {tuple(np.flatnonzero(row).tolist()) for row in always if row.sum() > 1}
    groups = sorted(cells, key=lambda cell: (-int(dataset.patients[list(cell)].sum()), cell))
    return Settled(scale, tuple(structures), tuple(groups), kept)
