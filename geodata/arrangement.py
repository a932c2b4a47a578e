"""Who buys from whom: what the provider graph is drawn from, whether planned, of today, or drawn by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.disclosure import hidden_cells
from optimiser.domain import Body, Dataset, Placement, Structure
from optimiser.power import nearest_scale
from optimiser.providers import BodyFlows, aggregate, bodies_of, materiality

if TYPE_CHECKING:
    from optimiser.plan import Plan
    from optimiser.scenario import Scenario

PLAN, TODAY, DRAWN = "plan", "today", "drawn"


@dataclass(frozen=True)
class Level:
    """The bodies of one scale and what they spend. map: "plan", "drawn" by hand, or "today", whose spend is rounded, as
    it overlaps the plan's. compared: of the map beside, not of the arrangement's own. whole: every edge is published,
    not only the material ones. hidden: bodies × providers whose few cases, or whose neighbour's, must not be seen."""

    map: str
    compared: bool
    scale: str
    bodies: tuple[Body, ...]
    flows: BodyFlows
    cut: NDArray[np.float64]
    whole: bool
    hidden: NDArray[np.bool_]

    @property
    def material(self) -> NDArray[np.bool_]:
        """bodies × providers: whether the spend needs a contract."""
        return self.flows.table > self.cut


@dataclass(frozen=True)
class Arrangement:
    """structure: the bodies concerned. placement: who commissions each service, where that is decided. today: today's
    bodies to compare with, None where the dataset names none or `structure` is of them. map: what `structure` is."""

    dataset: Dataset
    scenario: Scenario
    structure: Structure
    today: Structure | None = None
    placement: Placement | None = None
    map: str = PLAN

    @staticmethod
    def of(plan: Plan) -> Arrangement:
        """That of a finished plan."""
        return Arrangement(plan.dataset, plan.scenario, plan.structure, plan.today, plan.placement)

    @property
    def anchor(self) -> str:
        """The scale that commissions, or the nearest that there is."""
        return nearest_scale(self.scenario.anchor_scale, self.structure.scales, self.scenario.scales_used)

    @property
    def today_scale(self) -> str:
        """The scale of today's bodies to set beside the anchor's; "" where there is none."""
        if self.today is None:
            return ""
        return nearest_scale(self.anchor, self.today.scales, self.scenario.scales_used)

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """Every scale of the structure, small to large, then of today's bodies."""
        return tuple(self._levels())

    def _levels(self) -> Iterator[Level]:
        order = self.scenario.scales_used
        for map_name, structure in ((self.map, self.structure), (TODAY, self.today)):
            for scale in structure.scales if structure is not None else ():
                bodies, of = bodies_of(structure, scale)
                flows = aggregate(self.dataset, of, len(bodies))
                cut = materiality(self.dataset, self.scenario.contracts)
                whole = order.index(scale) >= order.index(self.anchor)
                codes = sorted({body.parent for body in bodies})
                yield Level(
                    map_name,
                    structure is self.today,
                    scale,
                    bodies,
                    flows,
                    cut,
                    whole,
                    hidden_cells(
                        flows.cases,
                        (flows.table > cut) | whole,
                        np.array([codes.index(body.parent) for body in bodies]),
                        self.scenario.disclosure,
                    ),
                )
