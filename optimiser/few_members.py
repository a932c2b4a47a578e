"""Bodies that hold fewer smaller bodies than their scale asks: which, and which of them may."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import NO_BODY, Dataset, Structure
from optimiser.errors import ConsortiaError
from optimiser.scenario import Scale, Scenario
from optimiser.units import scale_problem


def too_few(dataset: Dataset, scenario: Scenario, structure: Structure) -> int:
    """How many bodies hold fewer smaller bodies than they must."""
    return sum(not exempt for _, _, exempt in few_members(dataset, scenario, structure))


def few_members(dataset: Dataset, scenario: Scenario, structure: Structure) -> Iterator[tuple[str, int, bool]]:
    """(what a body holds, how many it must, whether no others could join it) for each body that holds fewer smaller
    bodies than its scale asks; oversize and frozen ones are never asked."""
    for large in structure.scales:
        scale, least = scenario.scale(large), scenario.members_asked(large)
        for small in next_inside(scenario, structure, large) if least > 1 else ():
            held = [
                (body, len({int(b) for b in structure.membership[small][list(body.members)]}))
                for body in structure.bodies[large]
            ]
            few = [(b, n) for b, n in held if n < least and not b.oversize and not b.agreed and b.name != NO_BODY]
            exempt = (
                _joined_by_none(dataset, scenario, scale, structure.membership[small]) if few else np.empty(0, bool)
            )
            for body, count in few:
                members = scenario.scale(small).label if count == 1 else scenario.scale(small).plural
                yield (
                    f"{scale.label} {body.name} holds {count} {members}",
                    least,
                    bool(exempt[list(body.members)].all()),
                )


def _joined_by_none(dataset: Dataset, scenario: Scenario, scale: Scale, whole: NDArray[np.int32]) -> NDArray[np.bool_]:
    """By practice: whether the smaller body that it is in is exempt from the least number of members of a scale."""
    try:
        over = scale_problem(dataset, scenario, scale, whole=whole)
    except ConsortiaError:
        return np.zeros(len(whole), bool)
    return over.problem.credit[over.unit] >= scale.min_members


def next_inside(scenario: Scenario, structure: Structure, scale: str) -> list[str]:
    """The largest scale of the structure whose bodies must not cross those of `scale`, if there is one."""
    return [small for small in scenario.within(scale)[:-1] if small in structure.scales][-1:]
