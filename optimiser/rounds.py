"""Structure and services in turn: where services went tells the structure what each scale carries, and a new structure
tells the placement how large its bodies are.

Each round searches for a structure under a scenario whose insurance and stand-in for leverage weigh what the services
placed make of them, and places all services again. What it finds is judged by the one total under the scenario as
given, and kept only where that falls and no more bodies lack members. A certificate of the structure holds for any
structure, one of the services for its own structure alone: bounds of different rounds are never added.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from optimiser.clock import Clock
from optimiser.domain import Dataset, Placement, Structure
from optimiser.errors import Infeasible, LimitReached
from optimiser.few_members import too_few
from optimiser.hierarchy import Hierarchy, assemble, restructure, restructured
from optimiser.joint import improved
from optimiser.partition.budget import Budget
from optimiser.placement_options import levels
from optimiser.scenario import Scenario

ROUNDS = 2
MOST = 4.0  # times what the structure was charged, at most: beyond, a search knows little else
SAVING = 1e-6  # of the total: less is none
Placing = Callable[[Structure, Clock, bool], Placement]


@dataclass(frozen=True)
class Round:
    """structure, services: £ a year; kept: whether the one total, their sum, fell. insurance, leverage: times what the
    scenario charges the structure for them, as the search for it saw them; 1 in the first round."""

    structure: float
    services: float
    kept: bool
    insurance: float = 1.0
    leverage: float = 1.0

    @property
    def total(self) -> float:
        """£ a year."""
        return self.structure + self.services


def alternate(
    dataset: Dataset,
    scenario: Scenario,
    hierarchy: Hierarchy,
    placing: Placing,
    seed: int,
    effort: Budget,
    clock: Clock,
) -> tuple[Hierarchy, Placement, tuple[Round, ...], bool]:
    """The structure and the placement of the last round kept, every round, and whether the clock left some out.
    placing: places all services for a structure; its bound is raised as far as it goes, or (False) no further than the
    search needs. effort: of each search for a structure."""
    placement = placing(hierarchy.structure, clock.part(1 / (ROUNDS + 1)), True)
    rounds = [Round(hierarchy.objective, placement.certificate.objective, True)]
    for number in range(1, ROUNDS + 1):
        if clock.over() or placement.cut_by_clock:
            return hierarchy, placement, tuple(rounds), True
        insurance, leverage = carried(scenario, hierarchy, placement)
        part = replace(effort, seconds=min(effort.seconds, clock.part(1 / (ROUNDS + 2 - number)).left()))
        structure = _under(dataset, weighed(scenario, insurance, leverage), hierarchy.structure, seed + number, part)
        if structure is None:
            break
        other = restructured(dataset, scenario, hierarchy, structure)
        try:
            placed = placing(structure, clock.part(1 / (ROUNDS + 1 - number)), False)
        except (Infeasible, LimitReached):
            break  # firm wishes or limits that this structure cannot keep: the one before can
        made = Round(other.objective, placed.certificate.objective, True, insurance, leverage)
        lacking = too_few(dataset, scenario, structure) > too_few(dataset, scenario, hierarchy.structure)
        if lacking or made.total >= rounds[-1].total - SAVING * abs(rounds[-1].total):
            rounds.append(replace(made, kept=False))
            break
        hierarchy, placement = other, placed
        rounds.append(made)
    return hierarchy, placement, tuple(rounds), False


def carried(scenario: Scenario, hierarchy: Hierarchy, placement: Placement) -> tuple[float, float]:
    """(insurance, leverage) that the services placed at a scale cost there, as times what the structure was charged:
    insurance where risk is held and below, leverage at the scale where a stand-in is charged."""
    level = levels(hierarchy.structure, scenario.anchor_scale)
    held, stand_in = scenario.risk_held_at, scenario.stand_in("leverage")

    def times(force: str, scale: str, within: set[str]) -> float:
        charged = hierarchy.terms.get(scale, {}).get(force, 0.0)
        exact = sum(c.terms.get(force, 0.0) for c in placement.commissions if c.scale in within)
        return min(MOST, exact / charged) if charged > 0 else 1.0

    below = {scale for scale in level if held in level and level[scale] <= level[held]}
    return times("insurance", held, below), times("leverage", stand_in or "", {stand_in or ""})


def weighed(scenario: Scenario, insurance: float, leverage: float) -> Scenario:
    """The scenario with insurance and the stand-in for leverage at so many times their price."""
    near = scenario.leverage
    near = near.model_copy(update={"stand_in_per_head": near.stand_in_per_head * leverage})
    return scenario.with_rate("insurance", insurance).model_copy(update={"leverage": near})


def _under(dataset: Dataset, scenario: Scenario, start: Structure, seed: int, effort: Budget) -> Structure | None:
    """A structure cheaper under the scenario than the one to start from, or None."""
    clock = Clock(effort.seconds, effort.stop)
    try:
        found, _, _ = restructure(dataset, scenario, start, seed, effort)
    except LimitReached:
        found = start
    better = improved(dataset, scenario, found.membership, seed, clock.over)
    same = all((better[name] == start.membership[name]).all() for name in start.scales)
    return None if same else assemble(dataset, scenario, better)
