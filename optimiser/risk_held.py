"""Who answers for the luck of which services, and how their patients differ: need, age, turnover of lists.

What is commissioned at or below the scale where risk is held is pooled there; above it the commissioner answers itself
(the placement's own rule). A practice's need index multiplies its rates. Its share of people aged 65 and over, and the
turnover of its list, move the clustering of cases, that is over-dispersion beyond 1, in proportion and around the
dataset's mean, so that the dataset as a whole keeps the scenario's: an assumption, labelled so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Placement, Structure
from optimiser.errors import DataError, Problem
from optimiser.placement_options import levels
from optimiser.risk_model import Floats, Portfolio
from optimiser.scenario_models import REGION, Scenario
from optimiser.scenario_tables import Risk

OBSERVED, ASSUMED = "observed", "assumed"
Holder = tuple[str, str]  # scale (or footprint, authority, region …) and code of a body


@dataclass(frozen=True)
class Held:
    """What is answered for, in parts. parts: a portfolio with a row for each holder × body of the anchor scale for
    whose people it answers. holders, holder: who they are, and the position of each part's. anchors, anchor: codes of
    the bodies of the anchor scale, and the position of each part's. local: by part, held where risk is held."""

    parts: Portfolio
    holders: tuple[Holder, ...]
    holder: NDArray[np.int64]
    anchors: tuple[str, ...]
    anchor: NDArray[np.int64]
    local: NDArray[np.bool_]

    @cached_property
    def by_holder(self) -> Portfolio:
        """What each holder answers for, in order."""
        codes = tuple(code for _, code in self.holders)
        return self.parts.grouped(codes, [np.flatnonzero(self.holder == h) for h in range(len(codes))])

    @cached_property
    def brought(self) -> Portfolio:
        """What each body of the anchor scale would bring to a pool: what is held for it where risk is held."""
        return self._by_anchor(self.local)

    @cached_property
    def whole(self) -> Portfolio:
        """Each body of the anchor scale as if it answered for every service of its people."""
        return self._by_anchor(np.ones(len(self.holder), dtype=bool))

    def _by_anchor(self, kept: NDArray[np.bool_]) -> Portfolio:
        groups = [np.flatnonzero(kept & (self.anchor == a)) for a in range(len(self.anchors))]
        return self.parts.grouped(self.anchors, groups)


@dataclass(frozen=True)
class Basis:
    """What the risk of bodies rests on beyond the catalogue: need, age and turnover by practice, each observed, or
    assumed to be the same everywhere. The size of the effect of age and turnover is assumed in any case."""

    need: str
    age: str
    turnover: str


def basis(dataset: Dataset, risk: Risk) -> Basis:
    """Which differences between practices the dataset knows and the scenario lets count."""
    need = len({p.need_index for p in dataset.practices}) > 1
    age = risk.age_effect > 0 and any(p.pct_65plus is not None for p in dataset.practices)
    turnover = risk.turnover_effect > 0 and any(p.turnover_pct is not None for p in dataset.practices)
    return Basis(*(OBSERVED if known else ASSUMED for known in (need, age, turnover)))


def need_of(dataset: Dataset) -> Floats:
    """Patients by practice, weighted by need. DataError where nobody is registered anywhere."""
    need = np.array([p.patients * p.need_index for p in dataset.practices], dtype=float)
    if not need.sum() > 0:
        raise DataError(Problem("nobody is registered, or nobody has any need", "practices.csv", "Risk needs people."))
    return need


def dispersions(dataset: Dataset, risk: Risk) -> Floats:
    """Over-dispersion by practice, 1 or more. Its mean over need-weighted patients is the scenario's, unless practices
    so young or so steady that it would fall below 1 are held there."""
    need = need_of(dataset)
    moved = np.ones(len(need))
    for effect, values in (
        (risk.age_effect, [p.pct_65plus for p in dataset.practices]),
        (risk.turnover_effect, [p.turnover_pct for p in dataset.practices]),
    ):
        known = np.array([value is not None for value in values])
        found = np.array([value or 0.0 for value in values])
        weight = need * known
        mean = float(weight @ found) / weight.sum() if weight.any() else 0.0
        if mean > 0:
            moved += effect * np.where(known, found / mean - 1, 0.0)
    return 1 + (risk.overdispersion - 1) * np.maximum(0.0, moved)


def held(dataset: Dataset, scenario: Scenario, structure: Structure, placement: Placement | None) -> Held:
    """Who answers for what. Where nothing is placed, all of it is held where risk is held. Holders are bodies of that
    scale, in the structure's order and as far as they hold anything, then commissioners as met."""
    anchors = structure.bodies[scenario.anchor_scale]
    level = levels(structure, scenario.anchor_scale)
    scale = scenario.risk_held_at if scenario.risk_held_at in level else scenario.anchor_scale
    if scale == REGION:
        of, codes = np.zeros(len(dataset.practices), dtype=np.int64), [REGION]
    else:
        of, codes = structure.membership[scale].astype(np.int64), [b.code for b in structure.bodies[scale]]
    home = structure.membership[scenario.anchor_scale].astype(np.int64)
    line = {service.id: s for s, service in enumerate(dataset.services)}
    place = {body.code: a for a, body in enumerate(anchors)}

    everyone = np.arange(len(of))
    parts: dict[tuple[Holder, int], dict[int, NDArray[np.int64]]] = {}
    pooling: dict[int, list[tuple[Holder, NDArray[np.int64]]]] = {a: [] for a in place.values()}
    for h, code in enumerate(codes):
        for a in np.unique(home[of == h]).tolist():
            parts[(scale, code), a] = {}
            pooling[a].append(((scale, code), everyone[(home == a) & (of == h)]))
    pooled = frozenset(parts)
    rows = [(s, a, None) for s in line.values() for a in place.values()] if placement is None else [
        (line[row.service], place[row.consortium],
         (row.scale, row.commissioner) if level[row.scale] > level[scale] else None)
        for row in placement.commissions
    ]  # fmt: skip
    for s, a, above in rows:
        for holder, who in pooling[a] if above is None else ((above, everyone[home == a]),):
            parts.setdefault((holder, a), {})[s] = who
    parts = {key: found for key, found in parts.items() if found}
    holders = tuple(dict.fromkeys(holder for holder, _ in parts))
    return Held(
        parts=_portfolio(dataset, scenario.risk, parts),
        holders=holders,
        holder=np.array([holders.index(holder) for holder, _ in parts], dtype=np.int64),
        anchors=tuple(place),
        anchor=np.array([a for _, a in parts], dtype=np.int64),
        local=np.array([key in pooled for key in parts], dtype=bool),
    )


def _portfolio(
    dataset: Dataset, risk: Risk, parts: Mapping[tuple[Holder, int], Mapping[int, NDArray[np.int64]]]
) -> Portfolio:
    """parts: (holder, anchor body) → service → practices."""
    need, dispersion, patients = need_of(dataset), dispersions(dataset, risk), dataset.patients.astype(float)
    rate = np.array([s.cases_per_1000 / 1000 for s in dataset.services])
    cases = np.zeros((len(parts), len(rate)))
    people, dispersed = np.zeros(len(parts)), np.ones(len(parts))
    for row, found in enumerate(parts.values()):
        who = next(iter(found.values()))  # the same for every service of a part
        for s in found:
            cases[row, s] = rate[s] * need[who].sum()
        people[row] = patients[who].sum()
        if need[who].any():
            dispersed[row] = np.average(dispersion[who], weights=need[who])
    return Portfolio(
        codes=tuple(f"{code} for {a}" for (_, code), a in parts),
        people=people,
        services=tuple(s.id for s in dataset.services),
        cases=cases,
        cost=np.array([s.cost_per_case for s in dataset.services], dtype=float),
        cv=np.array([s.case_cv for s in dataset.services], dtype=float),
        dispersion=dispersed,
    )
