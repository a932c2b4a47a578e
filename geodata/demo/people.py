"""Practices of the invented region: where they stand, whom they serve, and which bodies hold them today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geodata.demo import gazetteer as gaz
from geodata.demo.land import SEA, Land

MEAN_LIST = 7_700
LIST_SPREAD = 0.5
LEAST_LIST = 1_500
RURAL_APART_KM = 3.4
LARGE_CLUSTER = 72_000
UNWANTED_PLACES = ("Aldersley", "Northgate", "Eastering", "Marlhaven", "Lamberton")


@dataclass(frozen=True)
class Surgery:
    """One practice. x, y in km from the gazetteer's origin. place: nearest town or the village itself. signed: one of
    the 14 that already chose each other. unwanted: refers and prescribes much, pleases few."""

    code: str
    name: str
    place: str
    town: gaz.Place
    x: float
    y: float
    patients: int
    deprivation: float
    over_65: float
    rural: float
    need: float = 1.0
    referral: float = 1.0
    prescribing: float = 1.0
    satisfaction: float = 88.0
    postcode: str = ""
    consortium: str = ""
    locality: str = ""
    locality_name: str = ""
    signed: bool = False
    unwanted: bool = False


def make_surgeries(rng: np.random.Generator, land: Land) -> tuple[Surgery, ...]:
    """All practices, in code order; codes run town by town, then the countryside."""
    places, names, lists, people = rng.spawn(4)
    towns = _town_surgeries(places, lists, land)
    rural = _rural_surgeries(places, lists, land, towns)
    surgeries = _name([*towns, *rural], names)
    return _group(_mark_unwanted(_describe(surgeries, people)))


def distance(a: Surgery, b: Surgery) -> float:
    """Straight line, km."""
    return float(np.hypot(a.x - b.x, a.y - b.y))


def _lists(rng: np.random.Generator, count: int, total: int, giant: int = 0) -> list[int]:
    """Log-normal list sizes that sum to `total`, the first one `giant` if there is one."""
    if giant:
        return [giant, *_lists(rng, count - 1, total - giant)]
    raw = np.exp(rng.normal(0, LIST_SPREAD, count))
    sizes = np.maximum(LEAST_LIST, np.round(raw / raw.sum() * total)).astype(int)
    sizes[np.argmax(sizes)] += total - sizes.sum()
    return [int(s) for s in sizes]


def _town_surgeries(rng: np.random.Generator, lists: np.random.Generator, land: Land) -> list[Surgery]:
    made: list[Surgery] = []
    for place in gaz.PLACES:
        signed = place.name == gaz.SIGNED_PLACE
        count = gaz.SIGNED_PRACTICES if signed else round((place.people - place.giant) / MEAN_LIST) + bool(place.giant)
        taken: list[tuple[float, float]] = []
        for k, patients in enumerate(_lists(lists, count, place.people, place.giant)):
            # A few of the signed practices stand in villages around their market town.
            far = signed and k >= 9
            x, y = _stand(rng, land, place, taken, ring=(3.5, 6.5) if far else None)
            shared = k == 3 and place.name in ("Saltmouth", "Northgate")
            x, y = taken[-1] if shared else (x, y)
            taken.append((x, y))
            made.append(
                Surgery("", "", place.name, place, x, y, patients, place.deprivation, place.over_65, place.rural,
                        signed=signed)
            )  # fmt: skip
    return made


def _stand(
    rng: np.random.Generator,
    land: Land,
    place: gaz.Place,
    taken: Sequence[tuple[float, float]],
    ring: tuple[float, float] | None,
) -> tuple[float, float]:
    """A point on dry land near a place's centre (or in a ring around it) and not on top of a neighbour."""
    while True:
        angle = rng.uniform(0, 2 * np.pi)
        away = rng.uniform(*ring) if ring else place.spread * np.sqrt(-2 * np.log(1 - rng.uniform(0, 0.95)))
        x, y = place.x + away * np.cos(angle), place.y + away * np.sin(angle)
        apart = 2.5 if ring else 0.3
        clear = all(np.hypot(x - tx, y - ty) > apart for tx, ty in taken)
        if clear and _dry(land, x, y):
            return round(float(x), 3), round(float(y), 3)


def _dry(land: Land, x: float, y: float) -> bool:
    """Land for at least a cell in every direction, so that smoothing the coast cannot drown it."""
    return all(land.council_at(x + dx, y + dy) != SEA for dx in (-0.8, 0, 0.8) for dy in (-0.8, 0, 0.8))


def _rural_surgeries(
    rng: np.random.Generator, lists: np.random.Generator, land: Land, towns: Sequence[Surgery]
) -> list[Surgery]:
    count = gaz.PRACTICES - len(towns)
    sizes = _lists(lists, count, gaz.PEOPLE - sum(s.patients for s in towns))
    island = [c.code for c in gaz.COUNCILS].index(gaz.ISLAND_COUNCIL)
    made: list[Surgery] = []
    while len(made) < count:
        x, y = (round(float(v), 3) for v in rng.uniform(5, gaz.SIZE_KM - 5, 2))
        if not _dry(land, x, y) or land.council_at(x, y) == island:
            continue
        near = min(gaz.PLACES, key=lambda p: float(np.hypot(p.x - x, p.y - y)))
        outside = 9.5 if near.name == gaz.SIGNED_PLACE else 2.6 * near.spread
        if np.hypot(near.x - x, near.y - y) < outside or any(np.hypot(s.x - x, s.y - y) < RURAL_APART_KM for s in made):
            continue
        deprivation, over_65 = 9 + 0.35 * near.deprivation, 0.5 * near.over_65 + 13
        made.append(Surgery("", "", "", near, x, y, sizes[len(made)], deprivation, over_65, 0.9))
    return made


def _name(surgeries: Sequence[Surgery], rng: np.random.Generator) -> list[Surgery]:
    """Codes, invented names (streets in towns, villages in the country) and postcodes of an area that is not real."""
    villages = [first + last for first in gaz.VILLAGE_FIRST for last in gaz.VILLAGE_LAST if first[-1] != last[0]]
    villages = [str(v) for v in rng.permutation(villages)]
    streets: dict[str, list[str]] = {}
    towns = [p.name for p in gaz.PLACES]
    named = []
    for k, s in enumerate(surgeries):
        kind = gaz.KINDS[rng.integers(len(gaz.KINDS))]
        if s.place:
            left = streets.setdefault(s.place, [str(v) for v in rng.permutation(gaz.STREETS)])
            place, name = s.place, f"{left.pop()} {kind}, {s.place}"
        else:
            place = villages.pop()
            name = f"{place} {kind}"
        digits, letters = rng.integers(0, 10), rng.choice(list("ABDEFGHJLNPQRSTUWXYZ"), 2)
        postcode = f"ZZ{towns.index(s.town.name) + 1} {digits}{''.join(letters)}"
        named.append(replace(s, code=f"Z8{k // 90 + 1}{k % 90 + 1:03d}", name=name, place=place, postcode=postcode))
    return named


def _describe(surgeries: Sequence[Surgery], rng: np.random.Generator) -> list[Surgery]:
    """Population and behaviour: deprivation falls away from a town's centre; need rises with age and deprivation."""
    out = []
    for s in surgeries:
        away = float(np.hypot(s.x - s.town.x, s.y - s.town.y)) / s.town.spread
        centre = 1.25 - 0.2 * min(away, 3.0) if s.rural < 0.9 else 1.0
        deprivation = float(np.clip(s.deprivation * centre * np.exp(rng.normal(0, 0.22)), 3, 62))
        student = s.patients == s.town.giant and s.town.name == "Calderminster"
        over_65 = float(np.clip(s.over_65 + rng.normal(0, 2.2) - (6 if student else 0), 2, 40))
        rural = float(np.clip(s.rural + rng.normal(0, 0.04), 0, 1))
        need = 1 + 0.018 * (over_65 - 17) + 0.0055 * (deprivation - 23) + rng.normal(0, 0.03)
        prescribing = float(np.exp(rng.normal(0, 0.09))) * (1 + 0.004 * (over_65 - 17))
        referral = float(np.exp(rng.normal(0, 0.11)))
        satisfaction = float(np.clip(rng.normal(90 - 0.16 * deprivation, 4.0), 66, 98))
        out.append(
            replace(s, deprivation=deprivation, over_65=over_65, rural=rural, need=float(np.clip(need, 0.6, 1.6)),
                    referral=referral, prescribing=prescribing, satisfaction=satisfaction)
        )  # fmt: skip
    weights = np.array([s.patients for s in out], dtype=float)
    need, referral, prescribing = (
        float(np.average(values, weights=weights))
        for values in zip(*((s.need, s.referral, s.prescribing) for s in out), strict=True)
    )
    return [
        replace(s, need=s.need / need, referral=s.referral / referral, prescribing=s.prescribing / prescribing)
        for s in out
    ]


def _mark_unwanted(surgeries: Sequence[Surgery]) -> list[Surgery]:
    """One practice near each of UNWANTED_PLACES that nobody wants; at the signed town it is the nearest outsider."""
    chosen: dict[str, int] = {}
    for name in UNWANTED_PLACES:
        place = next(p for p in gaz.PLACES if p.name == name)
        others = [s for s in surgeries if not s.signed and s.patients < 20_000]
        chosen[min(others, key=lambda s: float(np.hypot(s.x - place.x, s.y - place.y))).code] = len(chosen)
    return [
        replace(s, unwanted=True, referral=1.48 + 0.04 * chosen[s.code], prescribing=1.52 - 0.03 * chosen[s.code],
                satisfaction=57.0 + 1.5 * chosen[s.code])
        if s.code in chosen
        else s
        for s in surgeries
    ]  # fmt: skip


def _group(surgeries: Sequence[Surgery]) -> tuple[Surgery, ...]:
    """Existing bodies: each town's PCT-like body, a few border practices astray, and clusters of 4 to 10 inside."""
    placed = [replace(s, consortium=s.town.body) for s in surgeries]
    astray = 0
    for k, s in enumerate(placed):
        nearest = sorted((o for o in placed if o is not s), key=lambda o: distance(s, o))[:6]
        others = [o.consortium for o in nearest if o.consortium != s.consortium]
        if len(others) >= 3 and not s.signed and s.town.name != gaz.ISLAND and astray < 6 and k % 3 == 0:
            placed[k] = replace(s, consortium=max(sorted(set(others)), key=others.count))
            astray += 1
    for body in gaz.CONSORTIA:
        members = [k for k, s in enumerate(placed) if s.consortium == body]
        island = [k for k in members if placed[k].town.name == gaz.ISLAND]
        signed = [k for k in members if placed[k].signed]
        rest = [k for k in members if k not in island and k not in signed]
        clusters = [c for part in (island, signed, rest) if part for c in _halve(placed, part)]
        used: dict[str, int] = {}
        for number, cluster in enumerate(clusters, start=1):
            towns = [placed[k].town.name for k in cluster]
            town = max(sorted(set(towns)), key=towns.count)
            used[town] = used.get(town, 0) + 1
            label = f"{town} {used[town]}" if used[town] > 1 else town
            for k in cluster:
                placed[k] = replace(placed[k], locality=f"{body}{number:02d}", locality_name=label)
    return tuple(placed)


def _halve(surgeries: Sequence[Surgery], members: list[int]) -> list[list[int]]:
    """Cut along the longer side until no cluster has more than ten members, or seven if they list many people."""
    people = sum(surgeries[k].patients for k in members)
    if len(members) <= (10 if people <= LARGE_CLUSTER else 7):
        return [members]
    xy: NDArray[np.float64] = np.array([(surgeries[k].x, surgeries[k].y) for k in members])
    axis = int(np.argmax(np.ptp(xy, axis=0)))
    order = [members[k] for k in np.argsort(xy[:, axis], kind="stable")]
    return _halve(surgeries, order[: len(order) // 2]) + _halve(surgeries, order[len(order) // 2 :])
