"""One accountable officer, and the team around the office, for several bodies that stay apart: what it saves, and what
it costs in attention (EVIDENCE 2.2; seed 000). Both rest on assumed keys of the scenario, [officer]."""

from __future__ import annotations

from dataclasses import dataclass

from optimiser.scenario_tables import Officer


@dataclass(frozen=True)
class SharedOfficer:
    """`bodies` bodies under one officer, beside the same bodies apart and merged. £ a year; attention and need are
    parts of an officer's working year. deputies: posts that make up for the attention no single officer has."""

    bodies: int
    patients: int
    apart: float
    shared: float
    merged: float
    attention: float
    need: float
    deputies: float
    deputy_cost: float

    @property
    def saved(self) -> float:
        """£ a year against staying apart, deputies paid."""
        return self.apart - self.shared - self.deputy_cost

    @property
    def of_merger(self) -> float:
        """The part of a merger's saving that sharing reaches, deputies paid; 0 where a merger saves nothing."""
        return self.saved / (self.apart - self.merged) if self.apart > self.merged else 0.0

    def per_head(self, pounds: float) -> float:
        """£ a head. ValueError without patients."""
        if not self.patients:
            raise ValueError("no patients to divide the cost of an officer among")
        return pounds / self.patients


def share_officer(bodies: int, patients: int, fixed: float, officer: Officer) -> SharedOfficer:
    """What k bodies under one officer pay. fixed: £ a year of statutory fixed cost F of one body alone.

    Shared, each pays F × (1 − shared + shared / k); merged, the k of them pay F once. For 100,000 people each and
    F = £1.2m at the default 60 %: £8.40, £7.20 and £6.24 a head for 2, 3 and 5, against £6.00, £4.00 and £2.40 merged.
    The officer loses `between` of the year to each pair of bodies and divides the rest; what is missing to `attention`
    is filled by deputies. ValueError for no body.
    """
    if bodies < 1:
        raise ValueError("no body to share an officer among")
    left = max(0.0, 1.0 - officer.between * bodies * (bodies - 1) / 2)
    deputies = max(0.0, bodies * officer.attention - left) if bodies > 1 else 0.0
    return SharedOfficer(
        bodies=bodies,
        patients=patients,
        apart=bodies * fixed,
        shared=bodies * fixed * (1 - officer.shared + officer.shared / bodies),
        merged=fixed,
        attention=left / bodies,
        need=officer.attention,
        deputies=deputies,
        deputy_cost=deputies * officer.deputy_gbp,
    )


def span(officer: Officer, most: int = 100) -> int:
    """Bodies that one officer can serve without a deputy; at least 1, at most `most`."""
    k = 1
    while k < most and share_officer(k + 1, 0, 0.0, officer).deputies == 0.0:
        k += 1
    return k
