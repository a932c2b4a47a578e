"""Every measure of the bodies of one scale, as columns aligned with the bodies: what planners mean, not stand-ins.

Each says what it rests on (`evidence`): "observed" (lists, places, boundaries, indices), "modelled" (the risk model and
the function table), "assumed" (the engagement curve), or one of the four labels of flows. Shares of a provider's income
that rest on less than disaggregated flows are withheld: no value, and evidence "assumed (…)".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser import forces, providers, risk
from optimiser.domain import EVIDENCE, Body, Dataset, Structure
from optimiser.scenario import Scale, Scenario
from optimiser.standing import Standing, mean_within, sd_within, successors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
OBSERVED, MODELLED, ASSUMED = "observed", "modelled", "assumed"
CASH, EXPECTED, NOTIONAL, SIZE, TRUE = "cash", "expected_financial", "notional", "size", "true"
NO_FLOWS = "no flows"
YES = "yes = 1"
GRADES = (*EVIDENCE[:2], *(f"{ASSUMED} ({label})" for label in EVIDENCE[2:]), NO_FLOWS)


@dataclass(frozen=True)
class Measure:
    """One figure. value: None where it cannot be known or is withheld. evidence: what it rests on. kind: the kind of
    money it stands for (cash, expected_financial, notional), "size" for counts and sizes, "true" for the rest."""

    name: str
    label: str
    value: float | None
    unit: str
    evidence: str
    kind: str


@dataclass(frozen=True)
class Column:
    """A measure of every body of a scale: values and evidence aligned with the bodies; NaN is "not known"."""

    name: str
    label: str
    values: Floats
    unit: str
    evidence: Sequence[str] | str
    kind: str = TRUE

    def measure(self, body: int) -> Measure:
        value = float(self.values[body])
        known = self.evidence if isinstance(self.evidence, str) else self.evidence[body]
        return Measure(self.name, self.label, value if np.isfinite(value) else None, self.unit, known, self.kind)


def columns(
    dataset: Dataset, scenario: Scenario, structure: Structure, scale: str, standing: Standing
) -> tuple[Column, ...]:
    """Every measure of the bodies of one scale of a structure."""
    of, bodies = structure.membership[scale].astype(np.int64), structure.bodies[scale]
    n, people = len(bodies), np.array([b.patients for b in bodies], dtype=float)
    return (
        *_size(scenario, scenario.scale(scale), bodies, people),
        *_authorities(dataset, scenario.scale(scale), of, n, people),
        *_travel(dataset, bodies, of, standing),
        *_mix(of, n, standing),
        Column(
            "moved_patients",
            "Patients whose practice changes body",
            _moved(dataset, scale, of, n),
            "patients",
            OBSERVED,
        ),
        *_provision(dataset, scenario, of, n),
    )


def _size(scenario: Scenario, scale: Scale, bodies: Sequence[Body], people: Floats) -> list[Column]:
    luck = scenario.risk
    fixed = scenario.rate("management", scale.name) * scenario.share("management", scale.name)
    columns = [Column("engagement", "GPs engaged", forces.engagement(people, scenario), "share", ASSUMED, NOTIONAL)]
    for percent in (1, 2):
        for shock in (False, True):
            chance = risk.probability_overspend(people, percent / 100, luck, common_shock=shock)
            name = f"over_{percent}_percent" + ("_with_shock" if shock else "")
            label = f"Chance of overspending by more than {percent} %, by size alone" + (
                ", common shock included" if shock else ""
            )
            columns.append(Column(name, label, chance, "share", MODELLED, EXPECTED))
    above = np.array([float(b.oversize) for b in bodies])
    return [
        *columns,
        Column("reserve", "Reserve if it holds its own risk", risk.reserve(people, luck), "£", MODELLED, EXPECTED),
        Column("management_per_head", "Cost of running the body", fixed / people, "£ per head", MODELLED, CASH),
        Column("oversize_flag", "One practice above the upper bound", above, YES, OBSERVED, SIZE),
    ]


def _authorities(dataset: Dataset, scale: Scale, of: Ints, n: int, people: Floats) -> list[Column]:
    _, home = np.unique(np.array(dataset.authority_of(scale.authority_tier)), return_inverse=True)
    table = np.bincount(of * (home.max() + 1) + home, weights=dataset.patients, minlength=n * (home.max() + 1))
    shares = table.reshape(n, -1)
    spanned = (shares > 0).sum(axis=1)
    return [
        Column(
            "outside_main_authority",
            "Patients outside the main council",
            1 - shares.max(axis=1) / people,
            "share",
            OBSERVED,
        ),
        Column("authorities_spanned", "Councils spanned", spanned.astype(float), "councils", OBSERVED),
        Column("straddles", "Straddles councils", (spanned > 1).astype(float), YES, OBSERVED),
    ]


def _travel(dataset: Dataset, bodies: Sequence[Body], of: Ints, standing: Standing) -> list[Column]:
    n, w = len(bodies), dataset.patients.astype(float)
    centre = np.array([b.centre for b in bodies])
    to_centre = np.hypot(*(dataset.xy - dataset.xy[centre[of]]).T) / 1000
    centroid = np.column_stack([mean_within(dataset.xy[:, axis], w, of, n) for axis in (0, 1)])
    to_centroid = np.hypot(*(dataset.xy - centroid[of]).T) / 1000
    everyone = mean_within(to_centre, w, of, n)
    middle = mean_within(to_centroid, w, of, n)
    deprived = mean_within(to_centre, w * standing.deprived, of, n)
    gap = deprived - everyone
    return [
        Column("km_to_centre", "Distance to the body's centre, mean", everyone, "km", OBSERVED),
        Column("km_to_centroid", "Distance to the middle of its patients, mean", middle, "km", OBSERVED),
        Column("deprived_fifth_km", "Distance of the most deprived fifth's patients", deprived, "km", OBSERVED),
        Column("deprivation_fifth_gap", "Most deprived fifth: distance above everyone's", gap, "km", OBSERVED),
    ]


def _mix(of: Ints, n: int, standing: Standing) -> list[Column]:
    spread = {name: sd_within(values, standing.patients, of, n) for name, values in standing.attributes.items()}
    need = mean_within(standing.need, standing.patients, of, n)
    known = OBSERVED if np.ptp(standing.need) else ASSUMED  # need is 1 everywhere where the data do not say
    return [
        Column("spread_deprivation", "Spread of deprivation inside (sd)", spread["deprivation"], "score", OBSERVED),
        Column("spread_age", "Spread of patients aged 65 and over (sd)", spread["pct_65plus"], "points", OBSERVED),
        Column("spread_rural", "Spread of the rural part (sd)", spread["rural"], "share", OBSERVED),
        Column("need_index", "Need a head, 1 = average", need, "ratio", known),
    ]


def _moved(dataset: Dataset, scale: str, of: Ints, n: int) -> Floats:
    """Patients of each body whose practice's body of today does not live on in it; NaN where today names none.

    Each body of today lives on in at most one new body and each new body continues at most one, so paired that most
    patients stay. A practice that is in no body today cannot be moved.
    """
    today = [p.existing.get(scale, "") for p in dataset.practices]
    codes = sorted(set(today) - {""})
    if not codes:
        return np.full(n, np.nan)
    position = {code: k for k, code in enumerate(codes)}
    old = np.array([position.get(code, -1) for code in today])
    belongs = old >= 0
    pair = of[belongs] * len(codes) + old[belongs]
    overlap = np.bincount(pair, weights=dataset.patients[belongs], minlength=n * len(codes)).astype(float)
    overlap = overlap.reshape(n, len(codes))
    kept = successors(overlap)
    return overlap.sum(axis=1) - np.array([overlap[b, k] if k >= 0 else 0.0 for b, k in enumerate(kept)])


def _provision(dataset: Dataset, scenario: Scenario, of: Ints, n: int) -> list[Column]:
    """What each body means to its providers. The lead provider is the one it spends most on."""
    nothing = np.full(n, np.nan)
    limits = dict(sorted(scenario.leverage.bands.items(), key=lambda item: item[1]))
    share, bands, evidence = nothing, nothing, [NO_FLOWS] * n
    hhi, contracts, resting = nothing, nothing, [NO_FLOWS] * n
    if len(dataset.flows) and dataset.providers:
        flows = providers.aggregate(dataset, of, n)
        spent = flows.table.sum(axis=1) > 0
        lead = flows.table.argmax(axis=1)
        resting = _labels(flows.by_label, flows.body, np.ones(len(flows.body), dtype=bool), n)
        found = _labels(flows.by_label, flows.body, flows.provider == lead[flows.body], n)
        evidence = [label if label in GRADES else f"{ASSUMED} ({label})" for label in found]
        known = np.array([label in EVIDENCE[:2] for label in found])
        raw = flows.shares[np.arange(n), lead]
        share = np.where(known, raw, np.nan)
        bands = np.where(known, np.searchsorted(list(limits.values()), raw, side="right"), np.nan)
        hhi = np.where(spent, providers.concentration(flows.table, 1), np.nan)
        cut = providers.materiality(dataset, scenario.contracts)
        contracts = providers.material_contracts(flows, cut).astype(float)
    steps = ", ".join(f"{k} {word}" for k, word in enumerate((*limits, "lead")))
    return [
        Column("lead_provider_share", "Share of its main provider's income", share, "share", evidence),
        Column("lead_provider_band", "Weight with its main provider", bands, f"band: {steps}", evidence),
        Column("provider_hhi", "Concentration of its providers (HHI)", hhi, "0–1", resting),
        Column("material_contracts", "Providers above materiality", contracts, "contracts", resting),
    ]


def _labels(by_label: Floats, body: Ints, rows: NDArray[np.bool_], n: int) -> list[str]:
    """The label on which most of each body's spend rests, over the chosen rows."""
    spend = np.zeros((n, len(EVIDENCE)))
    np.add.at(spend, body[rows], by_label[rows])
    return [EVIDENCE[int(row.argmax())] if row.any() else NO_FLOWS for row in spend]
