"""Bodies chosen at one scale may strand a practice at a smaller one: nothing inside its body is near enough, or enough.

The way out is to keep it and the neighbours it needs in one body of the larger scale, and to choose those bodies again,
from the same ones with those practices moved. And they may not fit into any body of a larger scale, as where councils
stay whole there: then they are chosen again inside bodies of that scale that do keep its rules.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset
from optimiser.forces import PairCharges
from optimiser.scenario import Scale, Scenario
from optimiser.units import ScaleProblem


class DeadEnd(Exception):
    """Practices are stranded at a scale by the bodies they are in. practices: positions."""

    def __init__(self, scale: Scale, practices: tuple[int, ...]):
        super().__init__(f"{len(practices)} practices are stranded at {scale.name}")
        self.scale, self.practices = scale, practices


class Outgrown(Exception):
    """The bodies chosen at the anchor scale cannot be held whole at a larger one without breaking its rules."""

    def __init__(self, scale: str):
        super().__init__(f"{scale} cannot hold the bodies below it")
        self.scale = scale


def refuge(dataset: Dataset, scenario: Scenario, scale: Scale, practice: int) -> list[tuple[int, int]]:
    """Pairs of practices whose tie would give a stranded one a body of its scale: it, as the centre, with the nearest
    of those that touch what is gathered so far and are within its reach, until they have enough patients. Practices of
    which a pin speaks are left to their pins. Fewer than enough where there are no more.
    """
    charges = PairCharges(dataset, scenario, scale)
    everyone, here = np.arange(len(dataset.practices)), np.array([practice])
    may = np.isfinite(charges.block(everyone, here)[:, 0])
    may[_pinned(dataset, scenario)] = False
    far = charges.km(everyone, here)
    neighbours: dict[int, list[int]] = {}
    for i, j in dataset.adjacency.tolist():
        neighbours.setdefault(i, []).append(j)
        neighbours.setdefault(j, []).append(i)
    gathered, patients, seen = [practice], int(dataset.patients[practice]), {practice}
    edge: list[tuple[float, int]] = []
    while patients < scale.min_patients:
        for near in neighbours.get(gathered[-1], ()):
            if near not in seen and may[near]:
                seen.add(near)
                heappush(edge, (float(far[near]), near))
        if not edge:
            break
        gathered.append(heappop(edge)[1])
        patients += int(dataset.patients[gathered[-1]])
    return [(practice, other) for other in gathered[1:]]


def moved_whole(tied: ScaleProblem, bodies: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """A partition of the units of a problem with ties, from bodies by practice that may part them: each parted unit
    moves whole into one of the bodies that hold some of it, where fewest rules break, then where it costs least. None
    where rules stay broken.
    """
    found = bodies[tied.first]
    for unit in np.flatnonzero(np.bincount(tied.unit) > 1):
        homes = np.unique(bodies[tied.unit == unit])
        if len(homes) > 1:
            tried = [np.where(np.arange(len(found)) == unit, home, found).astype(np.int32) for home in homes]
            found = min(tried, key=lambda p: (len(tied.problem.violations(p)), tied.problem.objective(p)))
    return None if tied.problem.violations(found) else found


def _pinned(dataset: Dataset, scenario: Scenario) -> list[int]:
    """Practices that pins speak of, members of the existing bodies they name included."""
    codes = {code for pin in scenario.pins for code in (*pin.practices, pin.with_)}
    bodies = {(pin.scale, pin.body) for pin in scenario.pins if pin.body}
    return [
        i
        for i, p in enumerate(dataset.practices)
        if p.code in codes or any(p.existing.get(scale) == body for scale, body in bodies)
    ]
