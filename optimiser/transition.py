"""What a change of form costs on the way, and when its saving comes: in theory at once, in practice late.

Hospital trusts that merged had 36 % of the saving they planned in the first year and 69 % in the second, and
developments were 18 months late (EVIDENCE 2.2: Fulop and others, BMJ 2002, read through the press). That commissioners
would fare alike is assumed, and so is the rest of the scenario's [transition].
"""

from __future__ import annotations

from dataclasses import dataclass

from optimiser.scenario_models import Scenario

MONTHS = 12


@dataclass(frozen=True)
class Year:
    """One year after the change, £. theoretical, realised: cash saved (a dearer form saves less than nothing). one_off:
    cash, in the first year. dip: management work not done, notional. delayed: gains that come late, expected."""

    number: int
    theoretical: float
    realised: float
    one_off: float
    dip: float
    delayed: float

    @property
    def cash(self) -> float:
        """£ of cash better (above 0) or worse off than without the change."""
        return self.realised - self.one_off


@dataclass(frozen=True)
class Transition:
    """The years of a change and its one-off parts in £ of cash: posts paid off, transition leads with backfill.
    paid_off: whole-time equivalents. saving: £ a year of cash from the last of the years on."""

    years: tuple[Year, ...]
    severance: float
    leads: float
    paid_off: float
    saving: float

    @property
    def one_off(self) -> float:
        """£ of cash, once."""
        return self.severance + self.leads

    @property
    def late(self) -> float:
        """£ of cash over the years that theory promises and practice does not bring."""
        return sum(y.theoretical - y.realised for y in self.years)

    @property
    def undone(self) -> float:
        """£, notional: management work not done over the years."""
        return sum(y.dip for y in self.years)

    @property
    def delayed(self) -> float:
        """£, expected: gains that come late over the years."""
        return sum(y.delayed for y in self.years)

    def pays_back(self, most: int = 50) -> int | None:
        """The year by whose end the cash spent has come back; 1 where none is spent, None within `most` years never."""
        total = 0.0
        for number in range(1, most + 1):
            total += self.years[number - 1].cash if number <= len(self.years) else self.saving
            if total >= 0:
                return number
        return None


def transition(saving: float, management: float, gains: float, changing: int, scenario: Scenario) -> Transition:
    """The way from today's form to another.

    saving: £ a year of cash that the new form saves when all is done, below 0 where it is dearer (which is paid in full
    from the first year). management: £ a year of management work of those who change. gains: £ a year of other gains
    expected (weight with providers, less risk), which come late. changing: bodies that begin, end or share their team.
    Posts = saving / £ a post; to be rid of them more are paid off, as some are taken on again. ValueError for a
    negative number of bodies or cost.
    """
    if management < 0 or changing < 0:
        raise ValueError(f"a change of {changing} bodies with £{management:,.0f} of management work")
    terms = scenario.transition
    moved = changing > 0
    posts = max(saving, 0.0) / scenario.costing.wte_gbp if moved else 0.0
    paid_off = posts / (1 - terms.rehired)
    severance = paid_off * terms.severance_gbp
    leads = changing * terms.lead_wte * scenario.costing.wte_gbp
    parts = terms.saving_realised
    years = tuple(
        Year(
            number=n,
            theoretical=saving,
            realised=saving * part if saving > 0 and moved else saving,
            one_off=severance + leads if n == 1 else 0.0,
            dip=management * terms.productivity_dip * late if moved else 0.0,
            delayed=max(gains, 0.0) * late if moved else 0.0,
        )
        for n, (part, late) in enumerate(zip(parts, late_parts(terms.delay_months, len(parts)), strict=True), start=1)
    )
    return Transition(years, severance, leads, paid_off, saving)


def late_parts(months: float, years: int) -> tuple[float, ...]:
    """The part (0–1) of each year that falls within the first `months`: 1, 0.5, 0 for 18 months over three years."""
    return tuple(min(1.0, max(0.0, (months - MONTHS * year) / MONTHS)) for year in range(years))
