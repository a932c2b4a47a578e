"""The gravity model of English open data: trips of every practice to every provider, service by service.

Elective pathways observed by sub-ICB are spread over practices; what has none borrows a proxy, or goes by distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.flows import DecayFit, Floats, block_sums, decay, fit_decay, gravity, keep_largest, r_squared, rake
from geodata.official.england_practices import England
from geodata.official.england_providers import Supply
from geodata.official.england_services import (
    AMBULANCE_AREAS,
    COMBINED_TRUSTS,
    COMMUNITY_WEIGHTS,
    EXPONENTS,
    LARGE_ACUTE_BEDS,
    Basis,
)
from optimiser.domain import Evidence

ASSUMED_EXPONENT = 3.5
"""Of elective care when there are no pathways to fit it to; what England's April 2026 pathways give."""
MOST_PER_PATIENT = 0.5
"""Attendances a year above which providers must see people of practices outside the source (England: 0.26 type 1)."""
TIES = (0.2, 5.0)
"""Limits of observed ÷ modelled elective pathways, when elective ties correct an emergency catchment."""

DISAGGREGATED: Evidence = "disaggregated"
PROXY: Evidence = "proxy service"
DISTANCE: Evidence = "distance only"


@dataclass(frozen=True)
class Residual:
    """Elective pathways of a month of a commissioner (code) with a provider (name): counted, and by distance alone."""

    commissioner: str
    provider: str
    observed: float
    modelled: float


class Model:
    """Trips of the source's practices by basis; a practice's add up to its weight (patients × need) or to zero."""

    def __init__(self, england: England, supply: Supply, commissioned_by: str):
        self.supply = supply
        self.weight = england.patients * england.need
        self.icb, self.sub_icb = england.column("icb_code"), england.column("sub_icb_code")
        self.commissioner = england.column(commissioned_by)
        commissioners = sorted(set(supply.pathways["commissioner"]) & set(self.commissioner) - {""})
        number = {code: i for i, code in enumerate(commissioners)}
        self.commissioners = commissioners
        self.block = np.array([number.get(code, -1) for code in self.commissioner], dtype=np.int64)
        self.located = ~np.isnan(supply.km[0]) if len(supply.km) else np.zeros(len(supply.codes), dtype=bool)
        self.trust = ~np.isin(supply.kinds, ("independent", "third_sector", "other"))
        self.electives = self._observed(Basis("pathways"))
        self.fit = self._fit()
        self.exponent = self.fit.exponent if self.fit else ASSUMED_EXPONENT
        self.deterrence = decay(supply.km, self.exponent)

    @cached_property
    def unreported(self) -> NDArray[np.int64]:
        """Trusts with an emergency department that sent no pathways though others did."""
        if not self.commissioners:
            return np.empty(0, np.int64)
        return np.flatnonzero((self.supply.attendances > 0) & self.located & (self._counts(Basis("pathways")) == 0))

    @cached_property
    def elsewhere(self) -> Floats:
        """Whole income ÷ modelled income of each provider, judged by its elective pathways.

        Commissioners without practices in the source (national hubs, other nations) count as elsewhere; a successor of
        a sub-ICB that sent none does not: what the model gives that sub-ICB's practices is taken off first.
        """
        every = Basis("pathways")
        counts = self._counts(every)
        if not self.commissioners:
            return np.ones(len(counts))
        absent = np.array([bool(code) for code in self.commissioner]) & (self.block < 0)
        modelled = gravity(self.weight, np.where(self.located, counts, 0), self.deterrence)
        per_weight = self.electives.sum() / self.weight[self.block >= 0].sum()
        explained = modelled[absent].sum(axis=0) * per_weight
        outside = np.maximum(counts - self.electives.sum(axis=0) - explained, 0)
        return np.divide(counts, counts - outside, out=np.ones(len(counts)), where=counts > outside)

    @property
    def notes(self) -> list[str]:
        """What the model had to assume."""
        notes = list(self.supply.notes)
        if not self.commissioners:
            return [*notes, "No elective pathways of these practices in the source."]
        absent = sorted(set(self.commissioner) - set(self.commissioners) - {""})
        if absent:
            notes.append(f"Not in the elective pathways, so modelled by distance only: {', '.join(absent)}.")
        if (self.elsewhere > 1).any():
            notes.append(
                "Commissioners without practices (national hubs, other nations) are income from elsewhere, by their "
                "share of a provider's elective pathways."
            )
        if len(self.unreported):
            names = ", ".join(f"{self.supply.names[i]} ({self.supply.codes[i]})" for i in self.unreported)
            notes.append(f"Sent no pathways that month, so their elective work is modelled by distance only: {names}.")
        return notes

    @property
    def published_fit(self) -> float | None:
        """R² of raked trips, cut to the largest providers, against observed pathways of all specialties."""
        if not self.commissioners:
            return None
        split = keep_largest(self._elective(Basis("pathways"))[0])
        trips = np.zeros((len(self.weight), len(self.supply.codes)))
        trips[split.practice, split.provider] = split.share * self.weight[split.practice]
        trips[:, self.unreported] = 0
        return r_squared(self._scaled(trips), self.electives)

    def residuals(self, most: int = 10) -> tuple[Residual, ...]:
        """Where distance alone, before raking, is furthest from the observed pathways: the worst first."""
        if not self.commissioners:
            return ()
        counts = np.where(self.located, self._counts(Basis("pathways")), 0)
        modelled = self._scaled(gravity(self.weight, counts, self.deterrence))
        off = np.where(self.located, np.abs(modelled - self.electives), 0.0)
        worst = np.argsort(-off, axis=None, kind="stable")[:most]
        return tuple(
            Residual(self.commissioners[c], self.supply.names[p], float(self.electives[c, p]), float(modelled[c, p]))
            for c, p in zip(*np.unravel_index(worst, off.shape), strict=True)
        )

    def trips(self, basis: Basis) -> tuple[Floats, NDArray[np.str_]]:
        """n × m trips and the label of each practice's."""
        if basis.rule in ("pathways", "like pathways"):
            return self._elective(basis)
        if basis.rule == "emergency":
            return self._to_totals(self.supply.attendances, self.exponent, self._ties)
        if basis.rule == "walk-in":
            return self._to_totals(self.supply.other_attendances, EXPONENTS["walk-in"], None)
        if basis.rule == "ambulance":
            return self._ambulance()
        attraction = {"mental health": self._mental, "community": self._community, "specialised": self._specialised}
        return self._by_distance(attraction[basis.rule](), decay(self.supply.km, EXPONENTS[basis.rule]))

    def is_modelled(self, basis: Basis, provider: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a provider's part of an elective split rests on no pathways of its own."""
        return np.isin(provider, self.unreported) & (basis.rule in ("pathways", "like pathways"))

    def _observed(self, basis: Basis) -> Floats:
        """commissioners × providers pathways of a month."""
        rows = self._rows(basis)
        number = {code: i for i, code in enumerate(self.commissioners)}
        at = rows["commissioner"].map(number)
        rows, at = rows[at.notna()], at[at.notna()].astype(np.int64)
        observed = np.zeros((len(self.commissioners), len(self.supply.codes)))
        np.add.at(observed, (at.to_numpy(), rows["provider"].to_numpy()), rows[basis.measure].to_numpy())
        return observed

    def _counts(self, basis: Basis) -> Floats:
        """Pathways of a month by provider, from every commissioner."""
        rows = self._rows(basis)
        counts = np.zeros(len(self.supply.codes))
        np.add.at(counts, rows["provider"].to_numpy(), rows[basis.measure].to_numpy())
        return counts

    def _rows(self, basis: Basis) -> pd.DataFrame:
        rows = self.supply.pathways
        if basis.functions:
            rows = rows[rows["function"].isin(basis.functions)]
        if basis.nhs_only:
            rows = rows[self.trust[rows["provider"].to_numpy(dtype=np.int64)]]
        return rows

    def _fit(self) -> DecayFit | None:
        at = self.located
        observed = self.electives[:, at]
        if not self.commissioners or not observed.any():
            return None
        return fit_decay(self.weight, observed.sum(axis=0), self.supply.km[:, at], self.block, observed)

    def _elective(self, basis: Basis) -> tuple[Floats, NDArray[np.str_]]:
        """Observed pathways of each commissioner spread over its practices; distance where it has none."""
        observed, counts = self._observed(basis), self._counts(basis)
        if not counts.any():
            beds = np.where((self.supply.kinds == "acute") & self.located, np.maximum(self.supply.acute_beds, 1), 0.0)
            return self._by_distance(beds, self.deterrence)
        missing = np.zeros(len(counts))
        missing[self.unreported] = self.supply.attendances[self.unreported] * self._per_attendance(counts)
        modelled = gravity(self.weight, np.where(self.located, counts, 0) + missing, self.deterrence)
        lost = modelled[:, self.unreported].sum(axis=1)
        trips = modelled.copy()
        labels = np.full(len(self.weight), DISTANCE, dtype="U16")
        for number in range(len(self.commissioners)):
            at = np.flatnonzero(self.block == number)
            if not observed[number].any():
                continue
            serving = np.flatnonzero(observed[number])
            kept = self.weight[at] - lost[at]
            spread, _ = rake(self.deterrence[np.ix_(at, serving)], kept, observed[number, serving])
            trips[np.ix_(at, np.setdiff1d(np.arange(len(counts)), self.unreported))] = 0
            trips[np.ix_(at, serving)] += spread
            labels[at] = DISAGGREGATED if basis.rule == "pathways" else PROXY
        return trips, labels

    def _scaled(self, trips: Floats) -> Floats:
        """Trips added up by commissioner, each commissioner's scaled to its observed total."""
        flow = block_sums(trips, self.block, len(self.commissioners))
        return flow * (self.electives.sum(axis=1) / np.maximum(flow.sum(axis=1), 1e-9))[:, None]

    def _per_attendance(self, counts: Floats) -> float:
        """Pathways per A&E attendance of the middle trust that reports; none where most trusts do not do such work."""
        reports = self.supply.attendances > 0
        reports[self.unreported] = False
        return float(np.median(counts[reports] / self.supply.attendances[reports])) if reports.any() else 0.0

    @cached_property
    def _ties(self) -> Floats | None:
        """Practices × providers: how much more a sub-ICB uses a provider than size and distance alone would have it."""
        if not self.commissioners:
            return None
        counts = np.where(self.located, self._counts(Basis("pathways")), 0)
        expected = self._scaled(gravity(self.weight, counts, self.deterrence))
        inside = self.block >= 0
        reported = (expected > 0) & (counts > 0)
        ratio = np.divide(self.electives, expected, out=np.ones_like(expected), where=reported)
        ties = np.ones((len(self.weight), len(counts)))
        ties[inside] = np.clip(ratio, *TIES)[self.block[inside]]
        return ties

    def _to_totals(self, totals: Floats, exponent: float, ties: Floats | None) -> tuple[Floats, NDArray[np.str_]]:
        """Distance raked to all that each provider sees; a part of the country has gravity alone, not a known total.

        Acute size and distance where nothing is known of what providers see.
        """
        known = np.where(self.located, totals, 0.0)
        if not known.any():
            acute = np.where((self.supply.kinds == "acute") & self.located, np.maximum(self.supply.acute_beds, 1), 0.0)
            return self._by_distance(acute, decay(self.supply.km, exponent))
        deterrence = decay(self.supply.km, exponent) * (1.0 if ties is None else ties)
        if known.sum() <= MOST_PER_PATIENT * self.weight.sum():
            trips, _ = rake(deterrence, self.weight, known)
        else:
            trips = gravity(self.weight, known, deterrence)
        seen = (self.block >= 0) if self.commissioners else np.zeros(len(self.weight), dtype=bool)
        return trips, np.where(seen, PROXY, DISTANCE)

    def _ambulance(self) -> tuple[Floats, NDArray[np.str_]]:
        """The trust whose statutory area holds the practice; the nearest one where that is unknown."""
        served = {area: code for code, areas in AMBULANCE_AREAS.items() for area in areas}
        position = {code: i for i, code in enumerate(self.supply.codes)}
        trusts = np.where((self.supply.kinds == "ambulance") & self.located, 1.0, 0.0)
        trips, labels = self._by_distance(trusts, decay(self.supply.km, 50.0))
        for i, (icb, sub_icb) in enumerate(zip(self.icb, self.sub_icb, strict=True)):
            at = position.get(served.get(sub_icb, served.get(icb, "")))
            if at is not None:
                trips[i] = 0
                trips[i, at] = self.weight[i]
                labels[i] = PROXY
        return trips, labels

    def _by_distance(self, attraction: Floats, deterrence: Floats) -> tuple[Floats, NDArray[np.str_]]:
        return gravity(self.weight, attraction, deterrence), np.full(len(self.weight), DISTANCE, dtype="U16")

    def _mental(self) -> Floats:
        kind = (self.supply.kinds == "mental_health") & self.located
        return self._sized(kind, self.supply.mental_beds)

    def _community(self) -> Floats:
        """Community providers first, then trusts known to run community services beside others."""
        kinds, beds = self.supply.kinds, self.supply.acute_beds
        combined = (kinds == "mental_health") & ((beds > 0) | np.isin(self.supply.codes, list(COMBINED_TRUSTS)))
        weight = COMMUNITY_WEIGHTS["combined"] * combined
        for kind in ("community", "acute"):
            weight = weight + COMMUNITY_WEIGHTS[kind] * (kinds == kind)
        return np.where(self.located, weight, 0.0)

    def _specialised(self) -> Floats:
        """Neurosurgery and heart surgery mark the centres; without pathways, large acute trusts."""
        counts = self._counts(Basis("like pathways", ("C_150", "C_170"), nhs_only=True))
        acute = (self.supply.kinds == "acute") & self.located
        if (counts * acute).any():
            return np.where(acute, counts, 0.0)
        large = acute & (self.supply.acute_beds >= LARGE_ACUTE_BEDS)
        return self._sized(large if large.any() else acute, self.supply.acute_beds)

    def _sized(self, which: NDArray[np.bool_], size: Floats) -> Floats:
        """Size of the providers that qualify; the median for those whose size is unknown, 1 when none is known."""
        known = which & (size > 0)
        typical = float(np.median(size[known])) if known.any() else 1.0
        return np.where(known, size, np.where(which, typical, 0.0))
