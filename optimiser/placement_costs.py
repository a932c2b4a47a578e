"""Every force of the placement in £ a year, for each option and service, before anything is decided.

A cell is what one anchor body's part of a service costs under an option: leverage, tailoring, authority link and local
agreements. Insurance, contracts, footprints and pathways depend on several decisions at once; their data are here too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser import risk
from optimiser.domain import Body, Dataset, Service, Structure
from optimiser.errors import Problem, ScenarioError
from optimiser.placement_options import Option, authority_shares, levels, options
from optimiser.placement_variety import Variety
from optimiser.providers import BodyFlows, aggregate, materiality
from optimiser.scenario_models import PLACEMENT, REGION, Scenario

Floats = NDArray[np.float64]
Cell = Mapping[str, Floats]
CELL_FORCES = ("leverage", "tailoring", "authority_link", "agreements")
OWN_KINDS = frozenset(("practice_owned", "other"))


@dataclass(frozen=True)
class Ground:
    """All that a placement is decided from.

    flows: by anchor body. spend: anchors × services, £ a year. people: by anchor. cells: by option, force → its
    anchors × services, £. pools: who can hold risk. holding: by option, each pool with the people of each of its
    anchors. variance: by service, £² per head. insurance_rate: £ per £ of joint sd. cut: £ by provider, above which
    spend needs a contract. refunds: force → £ (not positive) that the structure was charged in its stead. pathways:
    services kept together, by position.
    """

    dataset: Dataset
    scenario: Scenario
    anchors: tuple[Body, ...]
    options: tuple[Option, ...]
    flows: BodyFlows
    spend: Floats
    people: Floats
    cells: tuple[Cell, ...]
    pools: tuple[str, ...]
    holding: tuple[tuple[tuple[int, Floats], ...], ...]
    variance: Floats
    insurance_rate: float
    cut: Floats
    refunds: Mapping[str, float]
    pathways: Mapping[str, tuple[int, ...]]

    @property
    def refunded(self) -> float:
        """£ a year, not positive: all refunds."""
        return sum(self.refunds.values())

    def bought(self, option: int) -> Floats:
        """providers × services: £ a year spent by the people an option covers."""
        return self.flows.cube[list(self.options[option].anchors)].sum(axis=0)

    def linear(self, option: int) -> Floats:
        """The option's anchors × services: all its cell forces together, £."""
        return sum((self.cells[option][f] for f in CELL_FORCES), np.zeros(()))


def survey(dataset: Dataset, scenario: Scenario, structure: Structure, seed: int) -> Ground:
    """Price every option. ScenarioError when leverage is asked for and no flow carries any spend, or when the anchor
    scale is not planned."""
    if scenario.on("leverage") and dataset.services and not dataset.flows.spend.any():
        raise ScenarioError(
            Problem(
                "leverage cannot be priced: no flow carries any spend",
                "forces_off",
                mend='Give flows.csv, or add "leverage" to forces_off.',
            )
        )
    levels(structure, scenario.anchor_scale)
    anchors = structure.bodies[scenario.anchor_scale]
    at = structure.membership[scenario.anchor_scale]
    flows = aggregate(dataset, at, len(anchors))
    spend = _spend(dataset, at, flows)
    made = options(dataset, scenario, structure, flows, seed)
    pools, holding = _pools(dataset, scenario, structure, made)
    cells = _Cells(dataset, scenario, structure, flows, spend)
    z = risk.quantile(scenario.risk.reserve_confidence)
    return Ground(
        dataset=dataset,
        scenario=scenario,
        anchors=anchors,
        options=made,
        flows=flows,
        spend=spend,
        people=np.array([a.patients for a in anchors], dtype=float),
        cells=tuple(cells.of(o) for o in made),
        pools=pools,
        holding=holding,
        variance=np.array([risk.variance_per_head([s], scenario.risk) for s in dataset.services]),
        insurance_rate=scenario.rate("insurance") * z,
        cut=materiality(dataset, scenario.contracts),
        refunds=refunds(scenario, structure),
        pathways=_pathways(dataset.services),
    )


def refunds(scenario: Scenario, structure: Structure) -> dict[str, float]:
    """What the structure was charged for leverage (stand-in) and insurance, as £ not above zero: the placement charges
    the exact figure instead, so that each counts once."""
    back = {}
    scale = scenario.stand_in("leverage")
    if scale in structure.scales:
        near = scenario.leverage
        back["leverage"] = -sum(
            near.stand_in_per_head * b.patients * max(0.0, 1 - b.patients / near.catchment)
            for b in structure.bodies[scale]
        )
    held = scenario.risk_held_at
    if held in structure.scales:
        rate = scenario.rate("insurance") * scenario.share("insurance", held)
        back["insurance"] = -rate * sum(risk.reserve(float(b.patients), scenario.risk) for b in structure.bodies[held])
    return back


def own_work(service: Service) -> bool:
    """Whether practices provide a service themselves, so that commissioning it from themselves takes no agreement."""
    return OWN_KINDS.issuperset(service.provider_kinds)


def _spend(dataset: Dataset, at: NDArray[np.int32], flows: BodyFlows) -> Floats:
    """anchors × services, £: from flows, or from need-weighted lists where no flow shows who provides a service."""
    seen = flows.cube.sum(axis=1)
    weight = np.array([p.patients * p.need_index for p in dataset.practices], dtype=float)
    need = np.bincount(at, weights=weight, minlength=flows.bodies)
    per_head = np.array([s.cost_per_head for s in dataset.services])
    return np.where(seen.sum(axis=0) > 0, seen, np.outer(need, per_head))


def _pools(
    dataset: Dataset, scenario: Scenario, structure: Structure, made: Sequence[Option]
) -> tuple[tuple[str, ...], tuple[tuple[tuple[int, Floats], ...], ...]]:
    """Who holds the risk of what each option commissions: the bodies at risk_held_at up to that level, the commissioner
    itself above it. A scale that is not planned holds nothing, so the anchor bodies do."""
    level = levels(structure, scenario.anchor_scale)
    scale = scenario.risk_held_at if scenario.risk_held_at in level else scenario.anchor_scale
    anchors = len(structure.bodies[scenario.anchor_scale])
    if scale == REGION:
        names, of = [REGION], np.zeros(len(dataset.practices), dtype=np.int64)
    else:
        names, of = [b.code for b in structure.bodies[scale]], structure.membership[scale].astype(np.int64)
    key = structure.membership[scenario.anchor_scale].astype(np.int64) * len(names) + of
    heads = np.bincount(key, weights=dataset.patients, minlength=anchors * len(names)).astype(float)
    people = heads.reshape(anchors, len(names))
    holding: list[tuple[tuple[int, Floats], ...]] = []
    for option in made:
        held = people[list(option.anchors)]
        if option.level <= level[scale]:
            holding.append(tuple((int(h), held[:, h]) for h in np.flatnonzero(held.any(axis=0))))
        else:
            names.append(option.code)
            holding.append(((len(names) - 1, held.sum(axis=1)),))
    return tuple(names), tuple(holding)


def _pathways(services: Sequence[Service]) -> dict[str, tuple[int, ...]]:
    names = sorted({s.pathway for s in services if s.pathway})
    sets = {name: tuple(i for i, s in enumerate(services) if s.pathway == name) for name in names}
    return {name: members for name, members in sets.items() if len(members) > 1}


class _Cells:
    """Prices options one by one from sums over practices made once."""

    def __init__(self, dataset: Dataset, scenario: Scenario, structure: Structure, flows: BodyFlows, spend: Floats):
        self.dataset, self.scenario, self.structure, self.flows, self.spend = dataset, scenario, structure, flows, spend
        self.anchors = structure.bodies[scenario.anchor_scale]
        self.at = structure.membership[scenario.anchor_scale].astype(np.int64)
        services = dataset.services
        on = scenario.share
        self.lever = on("leverage", PLACEMENT) * np.array([scenario.rate("leverage", s.leverage) for s in services])
        self.tailor = on("tailoring", PLACEMENT) * np.array([scenario.rate("tailoring", s.tailoring) for s in services])
        self.link = (
            on("authority_link", PLACEMENT)
            * scenario.rate("authority_link")
            * np.array([s.authority_link / 3 for s in services])
        )
        self.variety = Variety(dataset, self.at, flows.cube)
        self.people = np.bincount(self.at, weights=dataset.patients, minlength=len(self.anchors))
        self.authority = authority_shares(dataset, self.anchors)[1]
        self._local: dict[str, tuple[Floats, Floats, Floats]] = {}

    def of(self, option: Option) -> dict[str, Floats]:
        """Force → the option's anchors × services, £ a year."""
        c = list(option.anchors)
        if option.local:
            leverage, unlike, lots = self._inside(option.scale)
            agreements = np.outer(lots[c], self._prices(option))
            return self._cell(leverage[c], unlike[c], np.zeros(len(c)), agreements, c)
        reach = np.maximum(0, 1 - self.flows.shares[c].sum(axis=0) / self.scenario.leverage.nil_at_share)
        leverage = np.einsum("cps,p->cs", self.flows.cube[c], reach) * self.lever
        whole = option.kind != "condition_group"  # its members are the people with the condition: no place is averaged
        unlike = self.variety.together(c) if whole else np.zeros(len(self.lever))
        outside = 0.0 if option.kind in ("anchor", "authority") else self._outside(c)
        return self._cell(leverage, unlike, np.full(len(c), outside), np.zeros((len(c), len(self.lever))), c)

    def _cell(
        self, leverage: Floats, unlike: Floats, outside: Floats, agreements: Floats, c: list[int]
    ) -> dict[str, Floats]:
        return {
            "leverage": leverage,
            "tailoring": self.spend[c] * self.tailor * unlike,
            "authority_link": self.spend[c] * self.link * outside[:, None],
            "agreements": agreements,
        }

    def _outside(self, c: list[int]) -> float:
        """Part of a set's patients outside its main authority, beyond those outside their own body's."""
        weight = self.people[c]
        if self.authority.shape[1] == 0 or not weight.sum():
            return 0.0
        share = self.authority[c]
        together = 1 - (weight @ share).max() / weight.sum()
        own = float(weight @ (1 - share.max(axis=1))) / weight.sum()
        return max(0.0, together - own)

    def _prices(self, option: Option) -> Floats:
        """£ by service of one local agreement."""
        rate, share = self.scenario.rate, self.scenario.share("agreements", PLACEMENT)
        own, tailored, plain = (rate("agreements", k) for k in ("own", "framework", "framework_untailored"))
        return share * np.array(
            [
                own if option.kind == "practice" and own_work(s) else tailored if s.tailoring >= 2 else plain
                for s in self.dataset.services
            ]
        )

    def _inside(self, scale: str) -> tuple[Floats, Floats, Floats]:
        """For practices or the bodies of a smaller scale, by anchor: leverage (× services, £), unlikeness (× services),
        lots."""
        if scale not in self._local:
            flows, services = self.dataset.flows, len(self.dataset.services)
            inner = self.structure.membership[scale] if scale in self.structure.scales else np.arange(len(self.at))
            pieces, piece = np.unique(self.at * len(self.at) + inner, return_inverse=True)
            home = pieces // len(self.at)
            local = aggregate(self.dataset, piece, len(pieces))
            short = np.maximum(0, 1 - local.shares / self.scenario.leverage.nil_at_share)
            lost = flows.spend * self.lever[flows.service] * short[piece[flows.practice], flows.provider]
            n = len(self.anchors)
            row = self.at[flows.practice] * services + flows.service
            leverage = np.bincount(row, weights=lost, minlength=n * services).astype(float)
            mean = self.variety.inside(piece, local)
            lots = np.bincount(home, minlength=n).astype(float)
            self._local[scale] = leverage.reshape(n, services), mean, lots
        return self._local[scale]
