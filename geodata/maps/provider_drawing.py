"""What the picture of the provider graph shows: which bodies and providers, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.arrangement import Arrangement, Level
from geodata.maps.words import MILLION, pounds
from optimiser.domain import EVIDENCE
from optimiser.wording import percent

MOST_BODIES, MOST_PROVIDERS, ENOUGH = 30, 24, 0.99  # of the spend drawn: providers beyond it are shown as one
MOST_POOLED = 0.25  # of the spend: more would be a block that says nothing
HALF = 0.5  # of what a provider is paid from here: whoever pays more leads
LEAST = 0.005  # part of the spend that is named
SHARED, LED, OWN, POOLED = "shared", "led", "own", "pooled"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shown:
    """One provider of the picture, or (kind "pooled") the rest. spend: £ a year by body. kind: shared (several bodies
    pay it materially, none more than half of that), led (one of several does), own (one body pays it)."""

    code: str
    name: str
    kind: str
    spend: NDArray[np.float64]

    @property
    def whole(self) -> float:
        """£ a year of all bodies shown."""
        return float(self.spend.sum())

    @property
    def bodies(self) -> int:
        """How many pay it materially."""
        return int((self.spend > 0).sum())

    @property
    def most(self) -> float:
        """The part (0–1) that the one who pays most pays."""
        return float(self.spend.max()) / self.whole


@dataclass(frozen=True)
class Drawing:
    """What the picture shows, chosen from one level of the provider graph. bodies: names from north to south; the last
    may stand for many. whole: how many bodies there are. resting: label → its part of the spend. Left out are edges
    below materiality (missing: their part of all spend) and providers (unnamed: how many, and their part)."""

    label: str
    plural: str
    bodies: tuple[str, ...]
    whole: int
    providers: tuple[Shown, ...]
    resting: tuple[tuple[str, float], ...]
    missing: float
    unnamed: tuple[int, float]
    years: tuple[str, str]
    place: str
    synthetic: bool

    @property
    def named(self) -> tuple[Shown, ...]:
        """The providers shown one by one."""
        return tuple(provider for provider in self.providers if provider.kind != POOLED)

    @property
    def title(self) -> str:
        """The claim."""
        many = len(self.named)
        which = f"{many} providers paid most" if len(self.providers) > many or self.unnamed[0] else f"{many} providers"
        if self.whole == 1:
            return f"One {self.label} pays the {which}"
        shared = sum(provider.kind == SHARED for provider in self.named)
        if not shared:
            return f"One {self.label} pays most of what each of the {which} gets"
        are, them = ("is", "it") if shared == 1 else ("are", "them")
        return f"{shared} of the {which} {are} shared: no {self.label} pays {them} half"

    @property
    def subtitle(self) -> str:
        """What is drawn."""
        who = f"{self.whole:,} {self.plural}, north at the top," if self.whole > 1 else f"The {self.label}"
        total = sum(provider.whole for provider in self.providers)
        prices, lists = self.years
        return (
            f"{self.place}. {who} and whom they pay: £{total / MILLION:,.0f}m a year at {prices} prices, patient lists "
            f"of {lists}. The wider a band, the more is paid."
        )

    @property
    def rests_on(self) -> str:
        """The label of the data, and what is not drawn."""
        parts = ", ".join(f"{label} {percent(share)}" for label, share in self.resting if share >= LEAST)
        left = f"; {percent(self.missing)} of spending is left out, on edges below materiality" if self.missing else ""
        count, part = self.unnamed
        left += f"; {percent(part)} goes to {count:,} more providers, not drawn" if count else ""
        return f"{'Invented data. ' if self.synthetic else ''}Flows: {parts}{left}."

    @property
    def described(self) -> str:
        """The picture in words, for whoever cannot see it."""
        largest = max(self.named, key=lambda provider: provider.whole)
        return (
            f"Bands of spending from {self.whole:,} {self.plural if self.whole > 1 else self.label} to "
            f"{len(self.named)} providers. {self.title}. The largest, {largest.name}, is paid {pounds(largest.whole)} "
            f"a year by {largest.bodies}, {percent(largest.most)} of it by one. {self.rests_on} "
            "The table below has the figures."
        )


def drawing(arrangement: Arrangement) -> Drawing | None:
    """What to draw: the commissioning scale, or the next larger one with at most 30 bodies, and the providers that get
    99 % of their spend, at most 24; the rest of both as one. Only material edges that may be published; None where
    there are none."""
    planned = [level for level in arrangement.levels if not level.compared]
    above = planned[[level.scale for level in planned].index(arrangement.anchor) :]
    level = next((level for level in above if len(level.bodies) <= MOST_BODIES), above[-1])
    table = np.where(level.material & ~level.hidden, level.flows.table, 0.0)
    if not table.any():
        return None
    names, table = _fewer_bodies([body.name for body in level.bodies], table, _north(arrangement, level))
    paid = table.sum(axis=0)
    largest = [p for p in np.argsort(-paid, kind="stable").tolist() if paid[p] > 0]
    enough = 1 + int(np.searchsorted(np.cumsum(paid[largest]), ENOUGH * paid.sum()))
    few = largest[: min(enough, MOST_PROVIDERS)]
    few = largest if len(few) + 1 == len(largest) else few  # one more takes no more room than the rest of one
    shown = []
    for p in _untangled(table, few):
        provider = arrangement.dataset.providers[p]
        shown.append(Shown(provider.code, provider.name, _kind(table[:, p]), table[:, p]))
    rest = largest[len(few) :]
    much = float(paid[rest].sum() / level.flows.table.sum())
    if rest and much <= MOST_POOLED:
        shown.append(Shown("", f"{len(rest):,} more providers", POOLED, table[:, rest].sum(axis=1)))
    labels = level.flows.by_label.sum(axis=0)
    scale, info = arrangement.scenario.scale(level.scale), arrangement.dataset.info
    return Drawing(
        label=scale.label,
        plural=scale.plural,
        bodies=tuple(names),
        whole=len(level.bodies),
        providers=tuple(shown),
        resting=tuple(zip(EVIDENCE, (labels / labels.sum()).tolist(), strict=True)),
        missing=float(1 - table.sum() / level.flows.table.sum()),
        unnamed=(len(rest), much) if much > MOST_POOLED else (0, 0.0),
        years=(info.price_year, info.list_year),
        place=info.name,
        synthetic=info.synthetic,
    )


def _kind(spend: Floats) -> str:
    if (spend > 0).sum() < 2:
        return OWN
    return LED if spend.max() > HALF * spend.sum() else SHARED


def _north(arrangement: Arrangement, level: Level) -> Floats:
    """Mean northing of each body's practices, metres."""
    practices = arrangement.dataset.practices
    return np.array([np.mean([practices[i].northing for i in body.members]) for body in level.bodies])


def _fewer_bodies(names: list[str], table: Floats, north: Floats) -> tuple[list[str], Floats]:
    """From north to south; where there are too many, those that spend most, and the rest as one below them."""
    most = np.argsort(-table.sum(axis=1), kind="stable")
    kept = most if len(most) <= MOST_BODIES else most[: MOST_BODIES - 1]
    order = kept[np.argsort(-north[kept], kind="stable")]
    found, rows = [names[b] for b in order], table[order]
    rest = most[len(kept) :]
    if len(rest):
        return [*found, f"{len(rest):,} more"], np.vstack([rows, table[rest].sum(axis=0)])
    return found, rows


def _untangled(table: Floats, providers: Sequence[int]) -> list[int]:
    """Providers in the order of the middle of the bodies that pay them, so that bands cross little."""
    middle = np.arange(len(table)) + 0.5
    return sorted(providers, key=lambda p: (float(middle @ table[:, p]) / float(table[:, p].sum()), p))
