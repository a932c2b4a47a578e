"""Who buys from whom: what the provider graph is drawn from, whether planned, of today, or drawn by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.disclosure import hidden_cells
from geodata.plan_tables import names
from optimiser.domain import Body, Dataset, Placement, Structure
from optimiser.power import Purchasers, as_placed, each_alone, nearest_scale
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
        own = [self._level(self.structure, scale, compared=False) for scale in self.structure.scales]
        today = self.today
        return (*own, *(self._level(today, scale, compared=True) for scale in (today.scales if today else ())))

    @cached_property
    def purchasers(self) -> Mapping[str, Purchasers]:
        """Who buys, by view: "today" and "placed" only where they are known, "alone" with each body for itself."""
        found = {}
        if self.today is not None:
            found["today"] = each_alone(self.dataset, self.today, self.today_scale)
        found["alone"] = each_alone(self.dataset, self.structure, self.anchor)
        if self.placement is not None:
            found["placed"] = as_placed(self.dataset, self.structure, self.anchor, self.placement, names(self))
        return found

    def _level(self, structure: Structure, scale: str, compared: bool) -> Level:
        order = self.scenario.scales_used
        bodies, of = bodies_of(structure, scale)
        flows, cut = aggregate(self.dataset, of, len(bodies)), materiality(self.dataset, self.scenario.contracts)
        whole = order.index(scale) >= order.index(self.anchor)
        parents = sorted({body.parent for body in bodies})
        held_by = np.array([parents.index(body.parent) for body in bodies])
        shown = (flows.table > cut) | whole
        hidden = hidden_cells(flows.cases, shown, held_by, self.scenario.disclosure)
        return Level(TODAY if compared else self.map, compared, scale, bodies, flows, cut, whole, hidden)
