"""Each force once, in £ a year: what depends on a body's size alone, and what is linear in "practice i belongs with
centre j".

Formulas (rates by name from the scenario; share = the part of the force charged at this scale; w = patients; P = body
size):

    engagement    size   rate · share · P · (1 − v E(P)),  E(P) = E∞ + (E0 − E∞)/(1 + (P/N½)^power)      EVIDENCE 2.6
    insurance     size   rate · share · z · cv · budget per head · √P, where risk is held                EVIDENCE 2.1.2
    management    size   rate[scale] per body                                                            EVIDENCE 2.2
    coordination  size   rate[scale] · P · P / 1,000,000
    leverage      size   stand-in: £ a head · P · max(0, 1 − P / catchment), until services are placed
    authority     pair   rate[scale] · w where practice and centre differ in authority (charge "home"), or
                  split  rate[scale] per patient outside the body holding most of the authority (charge "split")
    distance      pair   rate[scale] · w · km
    continuity    pair   rate[scale] · w where practice and centre are in different bodies today
    likeness      pair   rate · share · engagement rate · w · max(0, unlikeness − declared strength)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser import relations, risk
from optimiser.domain import Dataset, Structure
from optimiser.partition.problem import SizeCurve, SplitCharge
from optimiser.scenario import Scale, Scenario

ROWS_AT_ONCE = 250  # of practices × practices: bounds the memory
STRUCTURE_FORCES = (
    "engagement",
    "likeness",
    "insurance",
    "management",
    "coordination",
    "authority",
    "distance",
    "continuity",
    "leverage",
)


def engagement(patients: NDArray[np.float64], scenario: Scenario) -> NDArray[np.float64]:
    """E(N): the share of GPs engaged in a body of N patients (assumed; EVIDENCE 2.6)."""
    e = scenario.engagement
    return e.voluntary * (e.e_inf + (e.e0 - e.e_inf) / (1 + (patients / e.n_half) ** e.power))


def size_terms(scenario: Scenario, scale: Scale) -> Mapping[str, SizeCurve]:
    """Force → its £ a year for a body of P patients (vectorised); only forces charged at this scale."""
    terms: dict[str, SizeCurve] = {}
    per_patient = scenario.rate("engagement") * scenario.share("engagement", scale.name)
    if per_patient:
        terms["engagement"] = lambda p: per_patient * p * (1 - engagement(p, scenario))
    reserve_price = scenario.rate("insurance") * scenario.share("insurance", scale.name)
    if reserve_price:
        terms["insurance"] = lambda p: reserve_price * risk.reserve(p, scenario.risk)
    fixed = scenario.rate("management", scale.name) * scenario.share("management", scale.name)
    if fixed:
        terms["management"] = lambda p: np.full(np.shape(p), fixed)
    remote = scenario.rate("coordination", scale.name) * scenario.share("coordination", scale.name)
    if remote:
        terms["coordination"] = lambda p: remote * p * (p / 1e6)
    if scenario.stand_in("leverage") == scale.name:
        lost, catchment = scenario.leverage.stand_in_per_head, scenario.leverage.catchment
        terms["leverage"] = lambda p: lost * p * np.maximum(0.0, 1 - p / catchment)
    return terms


def size_curve(scenario: Scenario, scale: Scale) -> SizeCurve:
    """g(P): the sum of the size terms, £ a year."""
    terms = tuple(size_terms(scenario, scale).values())

    def curve(patients: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.zeros(np.shape(patients))
        for term in terms:
            total = total + term(patients)
        return total

    return curve


class PairCharges:
    """What it costs a year for practice i to belong with centre j, at one scale of one scenario."""

    def __init__(self, dataset: Dataset, scenario: Scenario, scale: Scale):
        self._scale = scale
        self._weights = dataset.patients.astype(float)
        self._xy = dataset.xy
        homes = dataset.authority_of(scale.authority_tier)
        self._authority, self._authorities = _codes(homes), tuple(dict.fromkeys(filter(None, homes)))
        self._existing = _codes(tuple(p.existing.get(scale.name, "") for p in dataset.practices))
        self._rate = {
            force: scenario.rate(force, scale.name) * scenario.share(force, scale.name)
            for force in ("authority", "distance", "continuity")
        }
        if scale.authority_charge == "split":
            self._rate["authority"] = 0.0
        shift = scenario.rate("likeness") * scenario.share("likeness", scale.name)
        self._rate["likeness"] = shift * scenario.amount("engagement")
        self._links = dataset.links
        self._alike = relations.standardised(dataset)
        self._declared = relations.wishes(dataset, confidential=False)
        self._confidential = relations.wishes(dataset, confidential=True)

    def terms(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Force → £ a year for pairs (i, j) of practice indices that broadcast together."""
        w = self._weights[i]
        out: dict[str, NDArray[np.float64]] = {}
        if self._rate["authority"]:
            out["authority"] = self._rate["authority"] * w * self.differ(i, j)
        if self._rate["distance"]:
            out["distance"] = self._rate["distance"] * w * self.km(i, j)
        if self._rate["continuity"]:
            moved = (self._existing[i] >= 0) & (self._existing[i] != self._existing[j])
            out["continuity"] = self._rate["continuity"] * w * moved
        if self._rate["likeness"]:
            unlike = relations.unlikeness(self._alike, i, j) - self._lookup(self._declared, i, j)
            out["likeness"] = self._rate["likeness"] * w * np.maximum(0.0, np.where(i == j, 0.0, unlike))
        return out

    def differ(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Known authorities that are not the same; an unknown one differs from none."""
        here, there = self._authority[i], self._authority[j]
        return (here != there) & (here >= 0) & (there >= 0)

    def km(self, i: NDArray[np.int64] | int, j: NDArray[np.int64] | int) -> NDArray[np.float64]:
        """Straight-line kilometres."""
        x, y = self._xy[:, 0], self._xy[:, 1]
        return np.hypot(x[i] - x[j], y[i] - y[j]) / 1000

    def within_reach(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether i may belong with centre j: near enough, or the far end of a declared link from either is."""
        i, j = np.broadcast_arrays(i, j)
        limit = self._scale.reach_km
        if limit is None:
            return np.ones(i.shape, dtype=bool)
        near = self.km(i, j) <= limit
        for a, b in () if near.all() else self._links:
            for end, far in ((a, b), (b, a)):
                near[i == end] |= self.km(far, j[i == end]) <= limit
                near[j == end] |= self.km(i[j == end], far) <= limit
        return near

    @cached_property
    def may_be_centre(self) -> NDArray[np.bool_]:
        """By practice: the places for a centre. Larger practices first (of equals the first), each is one unless a
        place is nearer than its nearest `min_patients / centres_each` patients, its own list counted first."""
        patients, asked = self._weights, self._scale.patients_per_place
        found = patients >= asked
        if found.all():
            return found
        found[:] = False
        for j in np.argsort(-patients, kind="stable"):
            apart = ((self._xy - self._xy[j]) ** 2).sum(axis=1)  # squared: exact at whole metres
            nearer = apart < apart[found].min(initial=np.inf)
            found[j] = patients[nearer].sum() >= asked or nearer.all()
        return found

    def priced(self, rows: NDArray[np.int64], centres: NDArray[np.int64]) -> NDArray[np.float64]:
        """rows × centres, £ a year, whatever the rules forbid."""
        return sum(self.terms(rows[:, None], centres[None, :]).values(), np.zeros((len(rows), len(centres))))

    def block(self, rows: NDArray[np.int64], centres: NDArray[np.int64]) -> NDArray[np.float64]:
        """rows × centres, £ a year; inf where the rules forbid the pair."""
        out = self.priced(rows, centres)
        out[self.forbidden(rows[:, None], centres[None, :])] = np.inf
        return out

    def forbidden(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether reach, the scale's authority rule or j being no place for a centre keeps i from belonging with j."""
        barred = ~self.within_reach(i, j) | ~self.may_be_centre[j]
        return barred | self.differ(i, j) if self._scale.authority_rule == "inside_one" else barred

    def matrix(self) -> NDArray[np.float64]:
        """n × n: what every practice would pay with every centre."""
        everyone = np.arange(len(self._weights))
        places = np.flatnonzero(self.may_be_centre)
        costs = np.full((len(everyone), len(everyone)), np.inf)
        for k in range(0, len(everyone), ROWS_AT_ONCE):
            costs[k : k + ROWS_AT_ONCE, places] = self.block(everyone[k : k + ROWS_AT_ONCE], places)
        return costs

    def steer(self) -> NDArray[np.float64] | None:
        """n × n extra £ from confidential wishes, or None without any: guides the search, is never published."""
        if not self._rate["likeness"] or not self._confidential.nnz:
            return None
        return -self._rate["likeness"] * self._confidential.toarray() * self._weights[:, None]

    def splits(self, scenario: Scenario) -> SplitCharge | None:
        """The charge on patients in minority pieces of split authorities, practices × authorities, or None."""
        rate = scenario.rate("authority", self._scale.name) * scenario.share("authority", self._scale.name)
        if self._scale.authority_charge != "split" or not rate:
            return None
        known = np.flatnonzero(self._authority >= 0)
        if not len(known):
            return None
        pieces = np.zeros((len(self._weights), len(self._authorities)))
        pieces[known, self._authority[known]] = self._weights[known]
        return SplitCharge(rate, pieces, self._authorities)

    @staticmethod
    def _lookup(matrix: sparse.csr_matrix, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
        if not matrix.nnz:
            return np.zeros(np.shape(i))
        if np.ndim(i) == 2:
            return matrix[i[:, 0]][:, j[0]].toarray()
        return np.asarray(matrix[i, j]).ravel()


def structure_terms(dataset: Dataset, scenario: Scenario, structure: Structure) -> dict[str, dict[str, float]]:
    """scale → force → £ a year of a structure, recomputed from its bodies and centres."""
    out: dict[str, dict[str, float]] = {}
    for name in structure.scales:
        scale = scenario.scale(name)
        pairs = PairCharges(dataset, scenario, scale)
        curves = size_terms(scenario, scale)
        terms: dict[str, float] = {}
        for body in structure.bodies[name]:
            members = np.array(body.members)
            for force, value in pairs.terms(members, np.full(len(members), body.centre)).items():
                terms[force] = terms.get(force, 0.0) + float(value.sum())
            for force, curve in curves.items():
                terms[force] = terms.get(force, 0.0) + float(curve(np.array([float(body.patients)]))[0])
        splits = pairs.splits(scenario)
        if splits is not None:
            pieces = np.zeros((len(structure.bodies[name]), splits.patients.shape[1]))
            np.add.at(pieces, structure.membership[name], splits.patients)
            terms["authority"] = terms.get("authority", 0.0) + float(
                splits.rate * (pieces.sum(axis=0) - pieces.max(axis=0)).sum()
            )
        out[name] = terms
    return out


def _codes(texts: tuple[str, ...]) -> NDArray[np.int64]:
    """Whole numbers for texts, in order of first appearance; −1 for the empty text."""
    seen: dict[str, int] = {}
    return np.array([-1 if not t else seen.setdefault(t, len(seen)) for t in texts], dtype=np.int64)
