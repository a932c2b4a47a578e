"""A finished plan: what outputs are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optimiser.breakaway import Move
from optimiser.domain import Certificate, Dataset, Placement, Structure, joint_gap
from optimiser.errors import VerificationError
from optimiser.partition.budget import Progress
from optimiser.pin_costs import PinCost
from optimiser.risk_report import RiskReport
from optimiser.rounds import Round
from optimiser.scenario import Scenario
from optimiser.scorecard import Scorecard
from optimiser.sensitivity import SensitivityRow
from optimiser.service_risk import ServiceRisk
from optimiser.why_here import AtScale
from optimiser.wish_prices import Answered


@dataclass(frozen=True)
class Plan:
    """Structure, placement, costs, scorecard and certificates for one dataset and one scenario.

    terms: force → £ a year, summing to objective. bound: no plan of the stated problem costs less (conditional where
    services are placed: see docs/method.md). outside: £ a year that no decision changes. today, baseline: today's
    bodies, and the same measures of them. why_here: services at every scale that may have them. wishes: the answers.
    breakaway: moves to elsewhere, priced on the structure alone. rounds: of structure and services in turn.
    risk, service_risk: two things, never added up. cut: scales, "services", "rounds", "why here", "risk", "pins"
    or "sensitivity" whose work a clock or a person ended (interrupted). seconds, progress: how the time went, no part
    of what the plan says.
    """

    dataset: Dataset
    scenario: Scenario
    structure: Structure
    structure_terms: Mapping[str, Mapping[str, float]]
    placement: Placement | None
    certificates: Mapping[str, Certificate]
    price_of_nesting: float
    nesting_interval: tuple[float, float]
    scorecard: Scorecard
    baseline: Scorecard | None
    sensitivity: tuple[SensitivityRow, ...]
    outside: Mapping[str, float]
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    why_here: tuple[AtScale, ...] = ()
    wishes: tuple[Answered, ...] = ()
    pin_costs: tuple[PinCost, ...] = ()
    today: Structure | None = None
    breakaway: tuple[Move, ...] = ()
    rounds: tuple[Round, ...] = ()
    risk: RiskReport | None = None
    service_risk: tuple[ServiceRisk, ...] = ()
    cut: tuple[str, ...] = ()
    interrupted: bool = False
    progress: tuple[Progress, ...] = ()

    @property
    def claim(self) -> str:
        """What may be said of the plan: the first words of its headline."""
        if self.interrupted:
            return "Unfinished, the best found when the work was stopped"
        if set(self.cut) & {*self.certificates, "services"}:
            return "Best found in the time allowed"
        return "Best for these assumptions"

    @property
    def terms(self) -> dict[str, float]:
        """Force → £ a year over all scales and the placement."""
        total: dict[str, float] = {}
        parts = [*self.structure_terms.values(), *([self.placement.terms] if self.placement else [])]
        for part in parts:
            for force, pounds in part.items():
                total[force] = total.get(force, 0.0) + pounds
        return total

    @property
    def proofs(self) -> dict[str, Certificate]:
        """The certificate of every scale, then "placement"."""
        return {**self.certificates, **({"placement": self.placement.certificate} if self.placement else {})}

    @property
    def objective(self) -> float:
        """£-equivalent a year: the certified objectives of every scale and of the placement."""
        return sum(c.objective for c in self.proofs.values())

    @property
    def bound(self) -> float:
        """£-equivalent a year: the sum of the certified bounds."""
        return sum(c.bound for c in self.proofs.values())

    @property
    def gap(self) -> float:
        """(objective − bound) / objective, a fraction."""
        return joint_gap(self.proofs.values())

    def nesting(self, scale: str) -> float:
        """£ a year that a scale costs more than its best partition found without nesting."""
        proof = self.certificates[scale]
        apart = proof.evidence.get("un_nested_objective", proof.objective)
        return max(0.0, proof.objective - float(apart))  # type: ignore[arg-type]

    def check_bounds(self) -> None:
        """Raise VerificationError where a bound is above what it bounds."""
        for proof in self.proofs.values():
            if not proof.bound <= proof.objective + 1e-6 * abs(proof.objective) + 1e-3:
                raise VerificationError(
                    f"{proof.problem}: bound £{proof.bound:,.0f} above the plan's £{proof.objective:,.0f}"
                )

    @property
    def cash(self) -> float:
        """£ a year of cash, the only money compared with allowances; what no decision changes is included."""
        spent = [pounds for force, pounds in self.terms.items() if self.scenario.kind(force) == "cash"]
        return sum(spent) + sum(self.outside.values())
