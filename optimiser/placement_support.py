"""How each management function gets done: with an own team, shared, or bought (EVIDENCE 2.2; seeds 001 and 004).

A function whose natural scale is planned costs nothing here: its fixed team is in that body's management cost. Where no
such body is planned, the cheaper of making it alone and buying it on the market is charged. Teams that grow with people
cost the same however they are organised, so only the market's mark-up on them counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from optimiser import costing
from optimiser.domain import Body, Dataset, Function, FunctionMode, Structure
from optimiser.placement_options import anchor_position
from optimiser.scenario_models import PLACEMENT, Scenario

Mode = Literal["make", "share", "buy"]
Done = Callable[[Mode, str, float, str], FunctionMode]
MARKET = 1_000_000  # people a supplier serves where the scenario declares no supporting scale (EVIDENCE 1.13)


def support(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[FunctionMode, ...]:
    """Every function × anchor body, in that order; cost in £ a year."""
    charged = scenario.share("support", PLACEMENT)
    at = anchor_position(structure, scenario.anchor_scale)
    above = structure.scales[at + 1 :]
    shared = [s for s in above if scenario.scale(s).role == "commissions"]
    bought = [s for s in above if scenario.scale(s).role == "supports"]
    return tuple(
        _mode(f, body, dataset, scenario, structure, shared, bought, charged)
        for f in dataset.functions
        for body in structure.bodies[scenario.anchor_scale]
    )


def _mode(
    function: Function,
    body: Body,
    dataset: Dataset,
    scenario: Scenario,
    structure: Structure,
    shared: Sequence[str],
    bought: Sequence[str],
    charged: float,
) -> FunctionMode:
    def done(mode: Mode, supplier: str, cost: float, reason: str) -> FunctionMode:
        return FunctionMode(function.id, body.code, mode, supplier, cost * charged, reason)

    if function.delegable == "never":
        return done("make", body.code, 0.0, "cannot be delegated: members do it themselves")
    wanted = function.natural_scale.lower()
    if any(word in wanted for word in ("practice", "locality", "consortium", scenario.anchor_scale)) and (
        "multi" not in wanted
    ):
        return done("make", body.code, 0.0, "its own team, in its management cost")
    practice = body.members[0]
    if shared and any(word in wanted for word in ("alliance", "multi", *shared)):
        ally = structure.body_of(shared[0], practice)
        return done("share", ally.code, 0.0, f"shared in {ally.name}, in its management cost")
    if bought and function.delegable == "yes":
        agency = structure.body_of(bought[0], practice)
        return done("buy", agency.code, 0.0, f"bought from {agency.name}, in its management cost")
    return _alone_or_market(function, body, scenario, done)


def _alone_or_market(function: Function, body: Body, scenario: Scenario, done: Done) -> FunctionMode:
    """The cheaper of an own team and the market, where no body of the structure does the work."""
    alone = function.fixed_wte * scenario.costing.wte_gbp
    if function.delegable != "yes":
        return done(
            "make", body.code, alone, "no body of its natural scale is planned, and it may only partly be delegated"
        )
    suppliers = [s.min_patients for s in scenario.scale_tables.values() if s.role == "supports" and s.min_patients]
    part = alone * min(1.0, body.patients / min(suppliers, default=MARKET))
    team = 0.0 if function.in_placement else costing.variable_per_head([function], scenario.costing) * body.patients
    market = part + scenario.rate("support") * (part + team)
    if market < alone:
        return done("buy", "market", market, f"£{alone - market:,.0f} a year cheaper on the market than alone")
    return done("make", body.code, alone, f"£{market - alone:,.0f} a year cheaper alone than on the market")
