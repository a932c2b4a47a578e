#!/usr/bin/env python3
"""Check a run folder from the raw figures it publishes. Standard library only; shares no code with the optimiser.

    python scripts/verify_plan.py RUN [--scale NAME] [--no-bounds] [--processes N]

Every rule and every formula is written here a second time, on purpose. Statuses in the run are never believed, nor are
bounds: each scale's is priced again from costs and the published multipliers, and "within x % of the best possible" is
said of what is found so. Exit codes: 0 verified, 8 something is wrong (a line for each), 7 the folder cannot be read.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import re
import statistics
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property, partial
from heapq import heappop, heappush
from itertools import accumulate, chain, combinations, permutations
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

CLOSE = 1e-6  # relative difference allowed between two reckonings of the same sum
NEEDED = ("attributes.csv", "adjacency.csv", "relationships.csv", "scenario.json", "practices.csv", "bodies.csv",
          "placement.csv", "summary.json", "certificate.json")  # fmt: skip
SETS = 200_000  # met in the search for one centre, after which bounds stand for the rest
LIKENESS = ("deprivation", "pct_65plus", "rural")
WHOLLY_UNLIKE = 3.0  # root-mean-square difference in standard deviations
UNVERIFIED = (
    "that no service of the catalogue is missing from placement.csv altogether",
    "what placing a service costs, and the bound on it: rows of placement.csv are added up, not derived from flows",
    "the price of nesting inside its interval: un-nested partitions are not published",
    "the published attributes themselves, the scorecard, the maps, the workbook and the sensitivity table",
)


class Run:
    """The published files, read once. bodies: scale → code → its row; members: scale → code → practice codes.

    priced: the scales whose bounds are priced again; proved: the bounds found so.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.priced: list[str] = []
        self.processes = 1
        self.proved: dict[str, float] = {}
        self.manifest = read_json(folder / "manifest.json")
        self.scenario = read_json(folder / "scenario.json")
        self.summary = read_json(folder / "summary.json")
        self.certificate = read_json(folder / "certificate.json", float)  # what is no number there is refused by name
        self.rows = read_csv(folder / "practices.csv")
        self.placement = read_csv(folder / "placement.csv")
        attributes = read_csv(folder / "attributes.csv")
        self.people = {row["code"]: Practice(row) for row in attributes}
        adjacency = read_csv(folder / "adjacency.csv")
        self.touching = [(row["a"], row["b"]) for row in adjacency]
        self.links = [pair for row in adjacency if row["link"] == "yes" for pair in permutations((row["a"], row["b"]))]
        self.wishes = wishes(read_csv(folder / "relationships.csv"))
        self.scales = list(self.scenario["scales_used"])
        self.bodies: dict[str, dict[str, dict[str, str]]] = {scale: {} for scale in self.scales}
        count = Counter(row["code"] for row in attributes)
        self.twice = [f"{code} stands {n} times in attributes.csv" for code, n in count.items() if n > 1]
        for row in read_csv(folder / "bodies.csv"):
            if row["code"] in self.bodies.setdefault(row["scale"], {}):
                self.twice.append(f"{row['scale']} {row['code']} stands twice in bodies.csv")
            self.bodies[row["scale"]][row["code"]] = row
        self.of = {scale: {row["code"]: row[scale] for row in self.rows} for scale in self.scales}
        self.members: dict[str, dict[str, list[str]]] = {scale: defaultdict(list) for scale in self.scales}
        for row in self.rows:
            for scale in self.scales:
                self.members[scale][row[scale]].append(row["code"])

    def rule(self, scale: str) -> dict:
        return self.scenario["scale"][scale]

    def size(self, codes) -> int:
        return sum(self.people[code].patients for code in codes if code in self.people)

    def largest(self, scale: str) -> float:
        """The most patients a body may have; a unit above it stands alone."""
        rule = self.rule(scale)
        return math.inf if rule["max_patients"] is None else max(rule["min_patients"], rule["max_patients"])

    def name(self, scale: str, code: str) -> str:
        row = self.bodies[scale].get(code)
        return f"{scale} {code}" + (f" ({row['name']})" if row else "")

    def rate(self, force: str, key: str | None = None) -> float:
        """A rate's value, 0 when its force is switched off or its table does not list the key."""
        if force in self.scenario["forces_off"]:
            return 0.0
        value = self.scenario["rates"][force]["value"]
        return float(value.get(key, 0.0)) if isinstance(value, dict) else float(value)

    def share(self, force: str, scale: str) -> float:
        """The part of a force that is charged at a scale."""
        charge = self.scenario["charged"].get(force)
        if charge is None or force in self.scenario["forces_off"]:
            return 0.0
        if charge == "each scale":
            return 1.0
        held = charge.get("risk_held_at", 0.0) if scale == self.scenario["risk_held_at"] else 0.0
        return float(charge.get(scale, 0.0)) + float(held)

    def within(self, scale: str) -> list[str]:
        """This scale and those whose bodies stay inside its own, small to large: the scale it is built over, else the
        next smaller, and so on down."""
        smaller = self.scales[: self.scales.index(scale)]
        over = self.rule(scale)["over"]
        below = over if over in smaller else smaller[-1] if smaller else None
        return [*(self.within(below) if below else []), scale]

    def around(self, scale: str) -> list[str]:
        """The scales whose bodies hold those of this one whole, small to large, itself first."""
        return [larger for larger in self.scales if scale in self.within(larger)]

    def units(self, scale: str, nested: bool = True) -> dict[str, str]:
        """Practice → what it cannot be parted from: pinned together or frozen here or lower down, one authority where
        authorities stay whole and, nested, one smaller body where the structure is built over smaller ones."""
        ties, inside = Sets(self.people), self.within(scale)
        for pin in self.scenario["pins"]:
            if pin["kind"] in ("together", "fixed") and pin["scale"] in inside:
                practices, anchor = self.pinned(pin)
                for code in practices:
                    ties.join(code, anchor or practices[0])
        groups: list[dict] = []
        for name in inside:
            for body in self.frozen(name):
                for code in body:
                    ties.join(code, min(body))
            if self.rule(name)["authority_rule"] == "whole":
                tier, cell = self.rule(name)["authority_tier"], self.cells(name)
                groups.append({code: (cell[code], p.home[tier]) for code, p in self.people.items() if p.home[tier]})
        if nested and self.scales.index(scale) > self.scales.index(self.scenario["anchor_scale"]):
            groups.append(self.of[inside[-2]])
        for group in groups:
            first: dict[object, str] = {}
            for code, label in group.items():
                ties.join(code, first.setdefault(label, code))
        return {code: ties.find(code) for code in self.people}

    def pinned(self, pin: dict) -> tuple[list[str], str]:
        """(the practices of a pin, the practice it relates them to). A body of today is all its practices where it is
        frozen, its largest practice where others are related to it."""
        today = [p for p in self.people.values() if pin["body"] and p.today.get(pin["scale"]) == pin["body"]]
        if pin["kind"] == "frozen":
            return [*pin["practices"], *(p.code for p in today)], ""
        return pin["practices"], max(today, key=lambda p: p.patients).code if today else pin["with"]

    def cells(self, scale: str) -> dict[str, int]:
        """Practice → the number of the pin of the innermost body frozen at this scale or a larger one that holds it, or
        0. No body of this scale lies in two cells."""
        cell = dict.fromkeys(self.people, 0)
        for larger in reversed(self.around(scale)):
            for number, pin in enumerate(self.scenario["pins"], start=1):
                if pin["kind"] == "frozen" and pin["scale"] == larger:
                    cell.update(dict.fromkeys(self.pinned(pin)[0], number))
        return cell

    def frozen(self, scale: str) -> list[frozenset[str]]:
        """Bodies settled beforehand, exempt from the rules of one body: those frozen here, and what is left of one
        frozen at a larger scale where it has fewer patients than a body needs."""
        held, least = defaultdict(set), self.rule(scale)["min_patients"]
        for code, number in self.cells(scale).items():
            held[number].add(code)
        here = {0: False} | {n: p["scale"] == scale for n, p in enumerate(self.scenario["pins"], start=1)}
        return [frozenset(body) for n, body in held.items() if here[n] or (n and self.size(body) < least)]


class Practice:
    """One row of attributes.csv."""

    def __init__(self, row: dict[str, str]):
        self.code, self.patients = row["code"], int(row["patients"])
        if self.patients < 0:
            raise ValueError(f"{self.code} has {self.patients} patients")
        self.at = float(row["easting"]), float(row["northing"])
        self.home = {"lower": row["lower_authority"], "upper": row["upper_authority"]}
        self.today = {key.removeprefix("existing_"): value for key, value in row.items() if key.startswith("existing_")}
        self.likeness = [float(row[name]) if row[name] else None for name in LIKENESS]

    def km(self, other: Practice) -> float:
        return math.dist(self.at, other.at) / 1000


class Sets:
    """Disjoint sets of anything hashable."""

    def __init__(self, items=()):
        self.above = {item: item for item in items}

    def find(self, item):
        self.above.setdefault(item, item)
        while self.above[item] != item:
            self.above[item] = item = self.above[self.above[item]]
        return item

    def join(self, one, other) -> None:
        self.above[self.find(one)] = self.find(other)


def files(run: Run):
    """Every file is the one that was published."""
    outputs = run.manifest["outputs"]
    yield from (f"{name} is not listed in manifest.json" for name in NEEDED if name not in outputs)
    for name, stated in sorted(outputs.items()):
        path = run.folder / name
        if not path.is_file():
            yield f"{name} is listed in manifest.json and is not there"
            continue
        content = path.read_bytes()
        if name == "summary.json":  # how long a run took is not hashed
            content = re.sub(rb'^\s*"seconds":[^\n]*\n', b"", content, flags=re.MULTILINE)
        if hashlib.sha256(content).hexdigest() != stated:
            yield f"{name} is not the file that was published: its hash differs from manifest.json"


def membership(run: Run):
    """Every practice exactly once at every scale, and the figures of every body those of its members."""
    yield from run.twice
    yield from (f"bodies.csv has a scale that is not planned: {s}" for s in run.bodies if s not in run.scales)
    count = Counter(row["code"] for row in run.rows)
    yield from (f"{code} stands {n} times in practices.csv" for code, n in count.items() if n > 1)
    yield from (f"{code} is in no row of practices.csv" for code in run.people if code not in count)
    yield from (f"{code} is in practices.csv but not in attributes.csv" for code in count if code not in run.people)
    for row in run.rows:
        if row["code"] in run.people and int(row["patients"]) != run.people[row["code"]].patients:
            yield f"{row['code']} has {row['patients']} patients in practices.csv, another number in attributes.csv"
    for scale in run.scales:
        for code, members in run.members[scale].items():
            if code not in run.bodies[scale]:
                yield f"{len(members)} practices belong to {scale} {code!r}, which bodies.csv does not list"
        for code, row in run.bodies[scale].items():
            members, who = run.members[scale].get(code, []), run.name(scale, code)
            if not members:
                yield f"{who} has no practices"
            elif int(row["patients"]) != run.size(members) or int(row["practices"]) != len(members):
                yield (
                    f"{who} states {row['patients']} patients in {row['practices']} practices; its members have "
                    f"{run.size(members)} in {len(members)}"
                )
            if members and row["centre"] not in members:
                yield f"{who} has a centre, {row['centre']}, that is none of its members"
            elif members and row["home_authority"] != run.people[row["centre"]].home["upper"]:
                yield f"{who} states another home authority than its centre's"


def nesting(run: Run):
    """A body lies whole in the body that it names as its parent, and in one body of every scale over it."""
    for small in run.scales:
        holders = run.around(small)[1:]
        for code, row in run.bodies[small].items():
            if not holders and row["parent"]:
                yield f"{run.name(small, code)} has a parent"
            for large in holders:
                inside = {run.of[large][p] for p in run.members[small].get(code, [])}
                wrong = inside - {row["parent"]} if large == holders[0] else len(inside) > 1
                if wrong:
                    held = ", ".join(sorted(inside))
                    yield f"{run.name(small, code)} lies in {large} {held}, its parent is {row['parent'] or 'none'}"


def sizes(run: Run):
    """Bounds on patients and on the number of bodies; a unit above the upper bound stands alone, a frozen body may have
    any size."""
    for scale in run.scales:
        rule, top, unit, frozen = run.rule(scale), run.largest(scale), run.units(scale), run.frozen(scale)
        for code, members in run.members[scale].items():
            size, who = run.size(members), run.name(scale, code)
            alone = size > top and len({unit[p] for p in members if p in unit}) == 1
            if (run.bodies[scale].get(code, {}).get("oversize") == "yes") != (size > top):
                yield f"{who} is {'not ' if size > top else ''}marked oversize with {size:,} patients"
            if not alone and not rule["min_patients"] <= size <= top and set(members) not in frozen:
                yield f"{who} has {size:,} patients, outside {rule['min_patients']:,} to {top:,}"
        number = len(run.members[scale])
        if scale in run.scales[run.scales.index(run.scenario["anchor_scale"]) + 1 :]:
            yield from least_members(run, scale, frozen)
        for limit, wrong in (("min_bodies", number < (rule["min_bodies"] or 0)),
                             ("max_bodies", number > (rule["max_bodies"] or math.inf))):  # fmt: skip
            if wrong:
                yield f"{number} bodies at {scale}, against {limit} = {rule[limit]}"


def least_members(run: Run, scale: str, frozen: list[frozenset[str]]):
    """Bodies over the anchor scale hold enough smaller ones. One that falls short must be said to in the warnings: that
    no others could join it is not checked here."""
    least, of, said = run.rule(scale)["min_members"], run.of[run.within(scale)[-2]], " ".join(run.summary["warnings"])
    for code, members in run.members[scale].items():
        row = run.bodies[scale].get(code, {})
        few = len({of[p] for p in members}) < least
        if few and row.get("oversize") != "yes" and set(members) not in frozen and row.get("name", "") not in said:
            yield f"{run.name(scale, code)} holds fewer than {least} smaller bodies, and no warning says so"


def places(run: Run):
    """Reach from the centre, rules on authorities, and members that touch. Frozen bodies are exempt, and no other body
    lies in two of their cells."""
    for scale in run.scales:
        rule, tier, costs = run.rule(scale), run.rule(scale)["authority_tier"], PairCosts(run, scale)
        frozen, cell = run.frozen(scale), run.cells(scale)
        for code, members in run.members[scale].items():
            who = run.name(scale, code)
            known = [run.people[p] for p in members if p in run.people]
            centre = run.people.get(run.bodies[scale].get(code, {}).get("centre", ""))
            if set(members) in frozen:
                continue
            if len({cell[p.code] for p in known}) > 1:
                yield f"{who} joins practices of a frozen body with others"
            if centre and not costs.may_be_centre[costs.number[centre.code]]:
                yield f"{who}: its centre is no place for one (scale.{scale}.centres_each = {rule['centres_each']})"
            if centre and rule["reach_km"] is not None:
                near = set(costs.near(costs.number[centre.code]))
                for p in known:
                    if costs.number[p.code] not in near:
                        yield f"{who}: {p.code} is {p.km(centre):.2f} km from its centre, beyond {rule['reach_km']} km"
            if rule["authority_rule"] == "inside_one" and len(homes := {p.home[tier] for p in known} - {""}) > 1:
                yield f"{who} straddles authorities: {', '.join(sorted(homes))}"
        if rule["authority_rule"] == "whole":
            split = defaultdict(set)
            for code, practice in run.people.items():
                split[practice.home[tier], cell[code]].add(run.of[scale].get(code))
            for (authority, _), bodies in split.items():
                if authority and len(bodies) > 1:
                    yield f"authority {authority} is split between {len(bodies)} bodies at {scale}"
        if rule["contiguous"]:
            yield from contiguity(run, scale, frozen)


def contiguity(run: Run, scale: str, frozen: list[frozenset[str]]):
    """Members touch one another, directly or through units too large for any body, unless these are frozen."""
    unit, of, weight = run.units(scale), run.of[scale], Counter()
    for code, practice in run.people.items():
        weight[unit[code]] += practice.patients
    agreed = {unit[code] for body in frozen for code in body}
    large = {u for u, patients in weight.items() if patients > run.largest(scale)} - agreed
    passage, linked = Sets(large), Sets()
    edges = [(a, b) for a, b in run.touching if a in of and b in of]
    for a, b in edges:
        if unit[a] in large and unit[b] in large:
            passage.join(unit[a], unit[b])
    for a, b in edges:
        for body in {of[a], of[b]}:
            ends = [
                ("through", passage.find(unit[p])) if unit[p] in large else ("member", unit[p])
                for p in (a, b)
                if of[p] == body or unit[p] in large
            ]
            if len(ends) == 2:
                linked.join((body, ends[0]), (body, ends[1]))
    for code, members in run.members[scale].items():
        inside = {unit[p] for p in members if p in unit}
        pieces = {linked.find((code, ("through", passage.find(u)) if u in large else ("member", u))) for u in inside}
        if len(pieces) > 1 and set(members) not in frozen:
            yield f"{run.name(scale, code)} is in {len(pieces)} pieces that do not touch"


def pins(run: Run):
    """Decisions taken beforehand are kept."""
    for number, pin in enumerate(run.scenario["pins"], start=1):
        of, (practices, anchor) = run.of[pin["scale"]], run.pinned(pin)
        if pin["kind"] == "frozen":
            held = {code for code, body in of.items() if body in {of.get(p) for p in practices}}
            if len({of.get(p) for p in practices}) > 1 or held != set(practices):
                yield f"pin {number} (frozen, {pin['scale']}) is broken: its practices are not one body by themselves"
            continue
        if pin["kind"] in ("together", "apart"):
            pairs = list(combinations(practices, 2))
        else:
            pairs = [(code, anchor) for code in practices if code != anchor]
        for a, b in pairs:
            if (of.get(a) == of.get(b)) != (pin["kind"] in ("together", "fixed")):
                yield f"pin {number} ({pin['kind']}, {pin['scale']}) is broken by {a} and {b}"


class SizeCurve:
    """g: what a body pays a year for its size alone, £, force by force from the scenario's formulas."""

    def __init__(self, run: Run, scale: str):
        e, risk, lever = run.scenario["engagement"], run.scenario["risk"], run.scenario["leverage"]
        self.fixed = run.rate("management", scale) * run.share("management", scale)
        self.crowd = run.rate("coordination", scale) * run.share("coordination", scale) / 1e6
        self.per_head = run.rate("engagement") * run.share("engagement", scale)
        self.engaged = [float(e[key]) for key in ("voluntary", "e0", "e_inf", "n_half", "power")]
        z = statistics.NormalDist().inv_cdf(risk["reserve_confidence"])
        idle = run.rate("insurance") * run.share("insurance", scale)
        self.reserve = idle * z * risk["cv_person"] * risk["budget_per_head"]
        charged = run.scenario["charged"].get("leverage")
        on = "leverage" not in run.scenario["forces_off"] and isinstance(charged, dict)
        self.lost = lever["stand_in_per_head"] if on and charged.get("stand_in") == scale else 0.0
        self.catchment = lever["catchment"]

    def apathy(self, size: float) -> float:
        """1 − E(P), which is monotone in P."""
        voluntary, first, last, half, power = self.engaged
        return 1 - voluntary * (last + (first - last) / (1 + (size / half) ** power))

    def terms(self, size: float) -> tuple[float, float, float, float, float]:
        """Engagement, insurance, management, coordination and the stand-in for leverage."""
        return (self.per_head * size * self.apathy(size), self.reserve * math.sqrt(size), self.fixed,
                self.crowd * size * size, self.lost * size * max(0.0, 1 - size / self.catchment))  # fmt: skip

    def __call__(self, size: float) -> float:
        return sum(self.terms(size))

    def floor(self, a: float, b: float) -> float:
        """No more than g of any size from a to b: each term is a product of monotone parts, least at some corner."""
        apathy = self.apathy(a), self.apathy(b)
        slack = max(0.0, 1 - a / self.catchment), max(0.0, 1 - b / self.catchment)
        return (
            self.per_head * min(x * y for x in (a, b) for y in apathy)
            + min(self.reserve * math.sqrt(a), self.reserve * math.sqrt(b))
            + self.fixed
            + min(self.crowd * a * a, self.crowd * b * b)
            + self.lost * min(x * y for x in (a, b) for y in slack)
        )


SIZE_FORCES = ("engagement", "insurance", "management", "coordination", "leverage")


class PairCosts:
    """c: what a practice pays a year for belonging with a centre, £ a patient. Practices are numbered as in
    attributes.csv."""

    def __init__(self, run: Run, scale: str):
        rule, people = run.rule(scale), list(run.people.values())
        self.at, self.weight = [p.at for p in people], [p.patients for p in people]
        self.home = [p.home[rule["authority_tier"]] for p in people]
        self.today = [p.today.get(scale, "") for p in people]
        self.reach = math.inf if rule["reach_km"] is None else 1000 * rule["reach_km"] * (1 + 1e-9)
        self.inside_one = rule["authority_rule"] == "inside_one"
        self.around_place = rule["min_patients"] / rule["centres_each"] if rule["centres_each"] else 0.0
        self.walls = []  # for larger scales inside one authority: homes, and the number of the frozen body, 0: none
        for larger in run.around(scale)[1:]:
            if run.rule(larger)["authority_rule"] == "inside_one":
                agreed = {code: n for n, body in enumerate(run.frozen(larger), start=1) for code in body}
                tier = run.rule(larger)["authority_tier"]
                self.walls.append([(p.home[tier], agreed.get(p.code, 0)) for p in people])
        cell = run.cells(scale)
        self.cell = [cell[code] for code in run.people]
        self.number = number = {code: i for i, code in enumerate(run.people)}
        self.links = [(number[a], number[b]) for a, b in run.links]
        rate = {f: run.rate(f, scale) * run.share(f, scale) for f in ("authority", "distance", "continuity")}
        rate["likeness"] = run.rate("likeness") * run.share("likeness", scale)
        rate["likeness"] *= float(run.scenario["rates"]["engagement"]["value"])
        rate["authority"] *= rule["authority_charge"] != "split"
        if min(rate.values()) < 0:
            raise ValueError(f"a rate below zero at {scale}")
        self.rate = rate
        self.marks = standardised(run)
        self.wishes: dict[int, dict[int, float]] = {}
        for pair, strength in run.wishes.items():
            for a, b in permutations(pair, 2):
                self.wishes.setdefault(number[a], {})[number[b]] = strength

    @cached_property
    def may_be_centre(self) -> list[bool]:
        """By practice: larger ones first, each is a place for a centre unless one is nearer than its nearest so many
        patients."""
        found = [w >= self.around_place for w in self.weight]
        if all(found):
            return found
        found, places = [False] * len(self.at), []
        for j in sorted(range(len(self.at)), key=lambda j: -self.weight[j]):
            x, y = self.at[j]
            apart = min(((x - p) ** 2 + (y - q) ** 2 for p, q in places), default=math.inf)
            room = [w for (p, q), w in zip(self.at, self.weight, strict=True) if (x - p) ** 2 + (y - q) ** 2 < apart]
            if sum(room) >= self.around_place or len(room) == len(self.at):
                found[j] = True
                places.append((x, y))
        return found

    def near(self, j: int) -> Sequence[int]:
        """The practices within reach of centre j: near enough, or the far end of a declared link from either is."""
        if self.reach == math.inf:
            return range(len(self.at))
        here, reach, dist = self.at[j], self.reach, math.dist
        found = [i for i, place in enumerate(self.at) if dist(place, here) <= reach]
        for end, far in self.links:
            if dist(self.at[far], here) <= reach:
                found.append(end)
            if end == j:
                found += (i for i, place in enumerate(self.at) if dist(place, self.at[far]) <= reach)
        return sorted(set(found)) if self.links else found

    def by_force(self, j: int, who: Sequence[int]) -> dict[str, list[float]]:
        """Force → £ a patient of each practice of `who` for belonging with centre j."""
        costs, rate, dist = {}, self.rate, math.dist
        if rate["distance"]:
            here, per_metre = self.at[j], rate["distance"] / 1000
            costs["distance"] = [per_metre * dist(self.at[i], here) for i in who]
        if rate["authority"] and self.home[j]:
            mine = {self.home[j], ""}
            costs["authority"] = [0.0 if self.home[i] in mine else rate["authority"] for i in who]
        if rate["continuity"]:
            same = {self.today[j], ""}
            costs["continuity"] = [0.0 if self.today[i] in same else rate["continuity"] for i in who]
        if rate["likeness"]:
            mark, full, said = self.marks[j], math.sqrt(len(LIKENESS)) * WHOLLY_UNLIKE, self.wishes.get(j, {})
            unlike = [min(1.0, dist(self.marks[i], mark) / full) for i in who]
            if said:
                unlike = [max(0.0, u - said.get(i, 0.0)) for i, u in zip(who, unlike, strict=True)]
            costs["likeness"] = [rate["likeness"] * u for u in unlike]
        return costs

    def column(self, j: int) -> tuple[Sequence[int], list[float]]:
        """(practices that may belong with centre j, £ a year that each would pay)."""
        who = self.near(j) if self.may_be_centre[j] else []
        if self.inside_one and self.home[j]:
            who = [i for i in who if self.home[i] in (self.home[j], "")]
        for wall in self.walls:
            home, agreed = wall[j]
            who = [i for i in who if not home or wall[i][0] in (home, "") or (agreed and wall[i][1] == agreed)]
        if any(self.cell):
            who = [i for i in who if self.cell[i] == self.cell[j]]
        return who, self.priced(j, who)

    def priced(self, j: int, who: Sequence[int]) -> list[float]:
        """£ a year of each practice of `who` with centre j, whatever the rules forbid."""
        forces = self.by_force(j, who) or {"nothing": [0.0] * len(who)}
        per_patient = map(sum, zip(*forces.values(), strict=True))
        return [self.weight[i] * pounds for i, pounds in zip(who, per_patient, strict=True)]


def charges(run: Run, scale: str) -> dict[str, float]:
    """Force → £ a year of one scale, from attributes alone."""
    rule, terms, curve, costs = run.rule(scale), Counter(), SizeCurve(run, scale), PairCosts(run, scale)
    number = costs.number
    pieces: dict[str, Counter] = defaultdict(Counter)
    for code, members in run.members[scale].items():
        terms.update(dict(zip(SIZE_FORCES, curve.terms(run.size(members)), strict=True)))
        who = [number[p] for p in members]
        for force, per_patient in costs.by_force(number[run.bodies[scale][code]["centre"]], who).items():
            terms[force] += sum(costs.weight[i] * pounds for i, pounds in zip(who, per_patient, strict=True))
        for i in who:
            pieces[costs.home[i]][code] += costs.weight[i]
    if rule["authority_charge"] == "split":
        rate = run.rate("authority", scale) * run.share("authority", scale)
        terms["authority"] += rate * sum(sum(p.values()) - max(p.values()) for home, p in pieces.items() if home)
    return dict(terms)


def standardised(run: Run) -> list[list[float]]:
    """Each attribute less its mean, in standard deviations over practices; 0 where unknown or everywhere the same."""
    columns = []
    for k in range(len(LIKENESS)):
        known = [p.likeness[k] for p in run.people.values() if p.likeness[k] is not None]
        mean, sd = (statistics.fmean(known), statistics.pstdev(known)) if known else (0.0, 0.0)
        flat = sd <= 1e-12 * max(1.0, abs(mean))
        columns.append(
            [0.0 if flat or p.likeness[k] is None else (p.likeness[k] - mean) / sd for p in run.people.values()]
        )
    return list(map(list, zip(*columns, strict=True)))


class Unnested:
    """The problem that a scale's bound belongs to. Units are what this scale's own rules tie together, and every
    practice of a unit may be the centre. Units heavier than any body, and frozen ones, are bodies already: they leave
    the problem (`core` is what is left) at £ `fixed`.

    connected: bodies must touch. touching: unit → its neighbours, directly or through units heavier than any body.
    """

    def __init__(self, run: Run, scale: str, connected: bool = False):
        self.costs, self.curve, tied = PairCosts(run, scale), SizeCurve(run, scale), run.units(scale, nested=False)
        first: dict[str, str] = {}
        for code, unit in tied.items():
            first.setdefault(unit, code)
        self.names = list(first.values())  # a unit is called by its first practice
        number = {unit: u for u, unit in enumerate(first)}
        self.people = list(run.people)
        self.unit = [number[tied[code]] for code in run.people]
        self.practices = Counter(self.unit)
        self.weight = [0] * len(first)
        for u, weight in zip(self.unit, self.costs.weight, strict=True):
            self.weight[u] += weight
        top = run.largest(scale)
        frozen = {number[tied[code]] for body in run.frozen(scale) for code in body}
        large = {u for u, weight in enumerate(self.weight) if weight > top} - frozen
        self.alone = frozen | large
        self.core = [u for u in range(len(first)) if u not in self.alone]
        self.total = sum(self.weight[u] for u in self.core)
        self.lo, self.hi = run.rule(scale)["min_patients"], int(min(top, self.total))
        self.fixed = sum(self.by_itself(u, u in frozen) for u in self.alone)
        self.connected = connected
        self.pieces, self.whole = self.split(run, scale)
        self.touching = self.neighbours([(number[tied[a]], number[tied[b]]) for a, b in run.touching], large)

    def split(self, run: Run, scale: str) -> tuple[list[dict[str, float]], dict[str, float]]:
        """Unit → authority → £ a year that its patients there pay while another body keeps that authority; and
        authority → the same of all the core. Nothing where splits cost nothing."""
        rate = run.rate("authority", scale) * run.share("authority", scale)
        pieces: list[dict[str, float]] = [{} for _ in self.weight]
        whole: dict[str, float] = {}
        if run.rule(scale)["authority_charge"] != "split" or not rate:
            return pieces, whole
        for u, home, people in zip(self.unit, self.costs.home, self.costs.weight, strict=True):
            if home and u not in self.alone:
                pieces[u][home] = pieces[u].get(home, 0.0) + rate * people
                whole[home] = whole.get(home, 0.0) + rate * people
        return pieces, whole

    def by_itself(self, u: int, frozen: bool) -> float:
        """£ a year of a unit that is a body, with the best of its practices as centre; frozen, out of reach or not."""
        own = [j for j, unit in enumerate(self.unit) if unit == u]
        pair = min(sum(self.costs.priced(j, own)) if frozen else self.around(j)[0] for j in own)
        return pair + self.curve(self.weight[u])

    def neighbours(self, edges: list[tuple[int, int]], large: set[int]) -> list[set[int]]:
        passage, shore = Sets(large), defaultdict(set)
        found: list[set[int]] = [set() for _ in self.weight]
        for a, b in edges:
            if a in large and b in large:
                passage.join(a, b)
        for a, b in chain(edges, ((b, a) for a, b in edges)):
            if b in large:
                shore[passage.find(b)].add(a)
            else:
                found[a].add(b)
        for around in shore.values():
            for a in around:
                found[a] |= around
        return [near - self.alone - {u} for u, near in enumerate(found)]

    def least_per_head(self) -> float:
        """min g(P)/P over every whole number of patients that a body may have, within one part in 10⁹."""
        a, b = max(1, min(self.lo, self.hi)), self.hi
        best, waiting = math.inf, [(-math.inf, a, b)] if a <= b else []
        while waiting:
            floor, a, b = heappop(waiting)
            if floor >= best - 1e-9 * abs(best):
                break
            best = min(best, self.curve(a) / a, self.curve(b) / b)
            if b - a > 1:
                for low, high in ((a, (a + b) // 2), ((a + b) // 2, b)):
                    heappush(waiting, (self.curve.floor(low, high) / high, low, high))
        return best if best < math.inf else 0.0

    def unavoidable(self) -> float:
        """£ a year that any partition pays for size alone."""
        return sum(self.curve(self.weight[u]) for u in self.alone) + self.total * self.least_per_head()

    def around(self, j: int) -> tuple[float, list[int], list[float]]:
        """(£ of centre j's own unit, the other units that may share a body with it, their £). A unit costs the sum of
        its practices, all of which must be within reach; what would make the body too large is left out."""
        who, pounds = self.costs.column(j)
        units = [self.unit[i] for i in who]
        count, own = Counter(units), self.unit[j]
        cost: dict[int, float] = dict.fromkeys(count, 0.0)
        for u, pound in zip(units, pounds, strict=True):
            cost[u] += pound
        room = self.hi - self.weight[own]
        others = [
            u
            for u, practices in count.items()
            if u != own and practices == self.practices[u] and u not in self.alone and self.weight[u] <= room
        ]
        fits = count[own] == self.practices[own]
        return cost[own] if fits else math.inf, others if fits else [], [cost[u] for u in others if fits]


class Fill:
    """The least Σ(c − π) of a set of each size if units could be taken in part: from the least a patient upwards. Its
    slopes rise, so it is convex, and no whole set of that size is below it."""

    def __init__(self, size: int, value: float, weights: Sequence[int], values: Sequence[float]):
        """size, value: of what every set holds. A unit without patients is taken where that saves money."""
        value += sum(v for v, w in zip(values, weights, strict=True) if not w and v < 0)
        units = [(v / w, w, v) for v, w in zip(values, weights, strict=True) if w]
        units.sort()
        self.slope, self.weight = [u[0] for u in units], [u[1] for u in units]
        self.size = list(accumulate(self.weight, initial=size))
        self.value = list(accumulate((u[2] for u in units), initial=value))

    def least(self, a: int, b: int, slope: float) -> tuple[float, int]:
        """(the least of fill + slope × (P − a) over a ≤ P ≤ b, where it is); infinite where no set is of such a
        size."""
        a_in, b_in = max(a, self.size[0]), min(b, self.size[-1])
        if a_in > b_in:
            return math.inf, a
        at = min(max(self.size[bisect_left(self.slope, -slope)], a_in), b_in)
        k = bisect_right(self.size, at) - 1
        part = (at - self.size[k]) * self.slope[k] if at > self.size[k] else 0.0
        return self.value[k] + part + slope * (at - a), at


class Stretch:
    """g at every whole number from a to b: never more than `dip` below the line between its ends."""

    def __init__(self, curve: Callable[[float], float], a: int, b: int):
        self.a, self.b, self.g = a, b, array("d", map(curve, range(a, b + 1)))
        self.slope = (self.g[-1] - self.g[0]) / max(1, b - a)
        self.dip = max(self.g[0] + k * self.slope - g for k, g in enumerate(self.g))


def stretches(curve: SizeCurve, lo: int, hi: int, dip: float, matters: Callable[[int, int], bool]) -> list[Stretch]:
    """The sizes that can matter, in stretches that neighbour at their ends and dip little. A wide range is dropped only
    where `matters` refuses it; g is then evaluated at every whole number left."""
    found, waiting = [], [(lo, hi)] if lo <= hi else []
    while waiting:
        a, b = waiting.pop()
        if not matters(a, b):
            continue
        stretch = Stretch(curve, a, b) if b - a <= 4096 else None
        if stretch is None or (stretch.dip > dip and b - a > 1):
            waiting += [((a + b) // 2, b), (a, (a + b) // 2)]
        else:
            found.append(stretch)
    return found


class Tilt:
    """Sizes of neighbouring stretches at the price a patient (ρ) that the fill pays at the best of them.

    height: by size from `bottom` on, £ of the units that save money at that price, moved to that size at that price,
    plus g. A whole set costs its height plus |c − π − ρw| for every unit in which it differs from those units.
    """

    def __init__(self, fill: Fill, run: list[tuple[float, int, Stretch]]):
        _, at, stretch = min(run, key=lambda found: found[0])
        k = bisect_left(fill.size, at)
        if fill.size[k] == at:
            left = fill.slope[k - 1] if k else -math.inf
            right = fill.slope[k] if k < len(fill.slope) else math.inf
            self.price = min(max(-stretch.slope, left), right)
        else:
            self.price = fill.slope[k - 1]
        self.base = bisect_left(fill.slope, self.price)
        self.size = fill.size[self.base]
        self.bottom, self.top = run[0][2].a, run[-1][2].b
        start = fill.value[self.base] + self.price * (self.bottom - self.size)
        g = chain(run[0][2].g, *(later.g[1:] for _, _, later in run[1:]))
        self.height = [start + self.price * k + pounds for k, pounds in enumerate(g)]
        self.later = list(accumulate(reversed(self.height), min))[::-1]

    def ahead(self, size: int) -> float:
        """The least height from a size on."""
        return math.inf if size > self.top else self.later[max(0, size - self.bottom)]


def runs(fill: Fill, sizes: list[Stretch], limit: float) -> list[list[tuple[float, int, Stretch]]]:
    """The stretches in which some set may cost less than the limit, neighbouring ones together: (floor, size where the
    floor is, stretch)."""
    found: list[list[tuple[float, int, Stretch]]] = []
    for stretch in sizes:
        value, at = fill.least(stretch.a, stretch.b, stretch.slope)
        value += stretch.g[0] - stretch.dip
        if value < limit:
            if not found or found[-1][-1][2].b < stretch.a:
                found.append([])
            found[-1].append((value, at, stretch))
    return found


def least_set(fill: Fill, tilt: Tilt, limit: float, due: Callable[[frozenset[int]], float]) -> float:
    """The least Σ(c − π) + g(P) + charges of whole sets with a size of the tilt, or `limit` if that is less. due: £
    charged to a set (places along the fill), never below 0.

    Sets of differences are met from the cheapest, so the first that cannot beat the best ends the search. After SETS
    of them the next still bounds the rest.
    """
    bottom, top, height = tilt.bottom, tilt.top, tilt.height
    floor, least, met, base = min(height), limit, 0, frozenset(range(tilt.base))
    if bottom <= tilt.size <= top:
        least = min(least, height[tilt.size - bottom] + due(base))
    steps = sorted(
        (penalty, weight if n >= tilt.base else -weight, n)
        for n, (slope, weight) in enumerate(zip(fill.slope, fill.weight, strict=True))
        if (penalty := abs(slope - tilt.price) * weight) < least - floor
    )
    up = [*accumulate((max(0, step) for _, step, _ in reversed(steps)), initial=0)][::-1]
    down = [*accumulate((min(0, step) for _, step, _ in reversed(steps)), initial=0)][::-1]
    waiting: list[tuple[float, int, int, tuple[int, ...]]] = []

    def consider(spent: float, n: int, size: int, changed: tuple[int, ...]) -> None:
        """Sets that differ so far, in the units changed, at £ `spent`, and next in step n."""
        if n < len(steps) and size + up[n] >= bottom and size + down[n] <= top:
            spent += steps[n][0]
            if spent + floor < least:
                heappush(waiting, (spent, n, size + steps[n][1], (*changed, steps[n][2])))

    consider(0.0, 0, tilt.size, ())
    while waiting:
        spent, n, size, changed = heappop(waiting)
        if spent + floor >= least:
            break
        if (met := met + 1) > SETS:
            return spent + floor
        if bottom <= size <= top and spent + height[size - bottom] < least:
            least = min(least, spent + height[size - bottom] + due(base ^ frozenset(changed)))
        consider(spent, n + 1, size, changed)
        consider(spent - steps[n][0], n + 1, size - steps[n][1], changed[:-1])
    return least


class Branch(NamedTuple):
    """Partitions of the core into fewest … most bodies. pi: multiplier by unit. triples: unit → (two other units, £ due
    where a body holds two of the three or all). charged: the sum of these charges. parted: centre → (unit, the units of
    which a set in one piece needs one to hold it, £ due where it holds none, and gained for every other one). due:
    authority → £ that a body pays for keeping it, which spares it the charge on all its patients there."""

    fewest: int
    most: int
    pi: list[float]
    triples: dict[int, list[tuple[int, int, float]]]
    charged: float
    parted: dict[int, list[tuple[int, tuple[int, ...], float]]]
    due: dict[str, float]


class Choice:
    """What one centre may choose from in a branch: its own unit at £ `start`, the others at £ c − π."""

    def __init__(self, problem: Unnested, j: int, around: tuple[float, list[int], list[float]], branch: Branch):
        self.problem, self.own, self.weight, self.triples = problem, problem.unit[j], problem.weight, branch.triples
        own_cost, others, costs = around
        self.start = own_cost - branch.pi[self.own]
        self.value = {u: cost - branch.pi[u] for u, cost in zip(others, costs, strict=True)}
        for u, barrier, charge in branch.parted.get(j, ()):
            if u in self.value and self.parts(u, barrier):
                self.value[u] += charge
                for v in barrier:
                    if v in self.value:
                        self.value[v] -= charge

    def parts(self, u: int, barrier: Sequence[int]) -> bool:
        """Whether every path of candidates from the centre's own unit to another meets the barrier."""
        seen, waiting = {self.own, *barrier}, [self.own]
        while waiting and u not in seen:
            new = {v for v in self.problem.touching[waiting.pop()] if v in self.value} - seen
            seen |= new
            waiting += new
        return self.own not in barrier and u not in barrier and u not in seen

    def fill(self) -> Fill:
        return Fill(self.weight[self.own], self.start, [self.weight[u] for u in self.value], list(self.value.values()))

    def easy(self) -> float:
        """The value of some set that keeps no authority, never below the least: of units in the order of the fill,
        about as many as pay."""
        fill, problem, best = self.fill(), self.problem, math.inf
        first, last = bisect_left(fill.size, problem.lo), bisect_right(fill.size, problem.hi)
        for step in (1 + (last - first) // 64, 1):
            for k in range(first, last, step):
                if (value := fill.value[k] + problem.curve(fill.size[k])) < best:
                    best, at = value, k
            if best < math.inf:
                first, last = max(first, at - step), min(last, at + step)
        return best + self.charged(fill, frozenset(range(at))) if best < math.inf else best

    def least(self, sizes: list[Stretch], limit: float) -> float:
        """The least value of any set, or `limit` if that is less; below both where the work would be too much."""
        fill = self.fill()
        for run in runs(fill, sizes, limit):
            limit = least_set(fill, Tilt(fill, run), limit, partial(self.charged, fill))
        return limit

    def charged(self, fill: Fill, places: frozenset[int]) -> float:
        """£ for the triples of which the own unit and those at places along the fill hold two or three; those without
        patients that save money are left aside, which is never too much."""
        if not self.triples:
            return 0.0
        units = sorted((v / self.weight[u], self.weight[u], v, u) for u, v in self.value.items() if self.weight[u])
        held = {self.own, *(units[k][3] for k in places)}
        due = {
            tuple(sorted((u, a, b))): c for u in held for a, b, c in self.triples.get(u, ()) if a in held or b in held
        }
        return sum(due.values())


class KeepingChoice(Choice):
    """The same where splitting an authority is charged: a set keeps it, for what is due once, or lets it go. Undecided,
    every patient is spared the same part of the charge, so that all within reach together are spared their charge less
    what is due: no set is spared more, which is made up for once a set is met."""

    def __init__(self, problem: Unnested, j: int, around: tuple[float, list[int], list[float]], branch: Branch):
        super().__init__(problem, j, around, branch)
        self.due_once, self.plain, reach = branch.due, (self.start, self.value), Counter()
        for u in (self.own, *self.value):
            reach.update(problem.pieces[u])
        self.reach = {home: pounds for home, pounds in reach.items() if pounds > branch.due[home]}
        self.open: dict[str, float] = {}
        self.along: list[int] = []

    def least(self, sizes: list[Stretch], limit: float) -> float:
        waiting: list[dict[str, bool]] = [{}]
        while waiting:
            decided = waiting.pop()
            paid = self.decide(decided)
            fill = self.fill()
            met = runs(fill, sizes, limit - paid)
            if not met:
                continue
            at = min((found for run in met for found in run), key=lambda found: found[0])[1]
            flattered = self.flattered(fill, range(bisect_right(fill.size, at) - 1))
            worst = max(flattered, key=lambda home: flattered[home], default="")
            if worst and flattered[worst] > CLOSE * abs(fill.value[0]) + 1.0:
                waiting += [{**decided, worst: False}, {**decided, worst: True}]
                continue
            for run in met:
                limit = paid + least_set(fill, Tilt(fill, run), limit - paid, partial(self.charged, fill))
        return limit

    def decide(self, decided: dict[str, bool]) -> float:
        """Values as some authorities are kept or let go and the others open; £ paid for those kept."""
        pieces, due = self.problem.pieces, self.due_once
        self.open = {home: 1 - due[home] / pounds for home, pounds in self.reach.items() if home not in decided}
        spared = {**self.open, **{home: 1.0 for home, kept in decided.items() if kept}}

        def less(u: int, value: float) -> float:
            return value - sum(spared.get(home, 0.0) * pounds for home, pounds in pieces[u].items())

        start, value = self.plain
        self.start, self.value = less(self.own, start), {u: less(u, v) for u, v in value.items()}
        units = sorted((v / self.weight[u], self.weight[u], v, u) for u, v in self.value.items() if self.weight[u])
        self.along = [u for *_, u in units]  # the fill
        return sum(due[home] for home, kept in decided.items() if kept)

    def flattered(self, fill: Fill, places: Iterable[int]) -> dict[str, float]:
        """Open authority → £ that the own unit and those at places along the fill are spared too much."""
        held: Counter = Counter()
        for u in (self.own, *(self.along[k] for k in places)) if self.open else ():
            held.update(self.problem.pieces[u])
        return {
            home: part * held[home] - max(0.0, held[home] - self.due_once[home])
            for home, part in self.open.items()
            if held[home]
        }

    def charged(self, fill: Fill, places: frozenset[int]) -> float:
        return sum(self.flattered(fill, places).values())


class ConnectedChoice(Choice):
    """The same where members must touch, directly or through units too large for any body, and triples are charged."""

    def easy(self) -> float:
        problem, best = self.problem, math.inf
        u, size, value = self.own, self.weight[self.own], self.start
        held, seen, edge = {u}, {u}, []
        while True:
            if problem.lo <= size <= problem.hi:
                best = min(best, value + problem.curve(size))
            for v in problem.touching[u] - seen:
                seen.add(v)
                if v in self.value:
                    heappush(edge, (self.value[v] / max(1, self.weight[v]), v))
            while edge and size + self.weight[edge[0][1]] > problem.hi:
                heappop(edge)
            if not edge:
                return best
            _, u = heappop(edge)
            size, value = size + self.weight[u], value + self.value[u] + self.due(u, held)
            held.add(u)

    def least(self, sizes: list[Stretch], limit: float) -> float:
        start = self.weight[self.own]
        while True:  # leave out units without which a set of theirs could not do worse than the limit, until all matter
            lightest = self.paths({u: self.weight[u] for u in self.value})
            self.value = {u: v for u, v in self.value.items() if start + lightest.get(u, math.inf) <= self.problem.hi}
            fill, useful = self.fill(), set()
            tilts = [Tilt(fill, run) for run in runs(fill, sizes, limit)]
            for tilt in tilts:
                cheapest = self.paths({u: max(0.0, self.extra(u, tilt)) for u in self.value})
                useful |= {u for u in self.value if cheapest[u] + tilt.ahead(start + lightest[u]) < limit}
            if len(useful) == len(self.value):
                break
            self.value = {u: v for u, v in self.value.items() if u in useful}
        for tilt in tilts:
            limit = self.grow(tilt, limit)
        return limit

    def due(self, u: int, held: set[int]) -> float:
        """£ for the triples of which a unit would be the second among those held."""
        return sum(charge for a, b, charge in self.triples.get(u, ()) if (a in held) != (b in held))

    def extra(self, u: int, tilt: Tilt) -> float:
        """£ that a unit adds at the tilt's price; below zero where it saves."""
        return self.value[u] - tilt.price * self.weight[u]

    def paths(self, cost: dict[int, float]) -> dict[int, float]:
        """Unit → the least sum of costs along units that lead to it from the centre's own, its own included."""
        least, waiting = {}, [(0, self.own)]
        while waiting:
            sum_, u = heappop(waiting)
            if u in least:
                continue
            least[u] = sum_
            for v in self.problem.touching[u]:
                if v in cost and v not in least:
                    heappush(waiting, (sum_ + cost[v], v))
        return least

    def grow(self, tilt: Tilt, limit: float) -> float:
        """Every connected set once, as long as it may beat the best: first all that hold the most saving neighbour,
        then all that do not. After SETS of them what is open still bounds the rest."""
        weight, touching = self.weight, self.problem.touching
        extra = {u: self.extra(u, tilt) for u in self.value}
        held, least, left, open_ = {self.own}, limit, SETS, math.inf

        def extend(size: int, spent: float, missing: float, edge: list[int], seen: set[int]) -> None:
            """spent: £ of charges due and differences settled. missing: £ of those of saving units neither in nor
            barred."""
            nonlocal least, left, open_
            edge.sort(key=extra.__getitem__)
            for k, u in enumerate(edge):
                more, gain = max(0.0, extra[u]) + self.due(u, held), max(0.0, -extra[u])
                larger = size + weight[u]
                if spent + more + tilt.ahead(larger) < least:
                    if not left:
                        open_ = min(open_, spent + tilt.ahead(size))
                        return
                    left -= 1
                    if tilt.bottom <= larger <= tilt.top:
                        least = min(least, spent + more + missing - gain + tilt.height[larger - tilt.bottom])
                    new = {v for v in touching[u] if v in extra} - seen
                    held.add(u)
                    extend(larger, spent + more, missing - gain, edge[k + 1 :] + list(new), seen | new)
                    held.remove(u)
                spent, missing = spent + gain, missing - gain
                if spent + tilt.ahead(size) >= least:
                    return

        missing = sum(max(0.0, -pounds) for pounds in extra.values())
        edge = [v for v in touching[self.own] if v in extra]
        size = weight[self.own]
        if tilt.bottom <= size <= tilt.top:
            least = min(least, missing + tilt.height[size - tilt.bottom])
        extend(size, 0.0, missing, edge, {self.own, *edge})
        return min(least, open_)


def lower_bounds(problem: Unnested, branches: list[Branch], processes: int = 1) -> list[float]:
    """LB(π) of each branch, £ a year of the core.

    LB(π) = Σπ − Σ charges + min over fewest ≤ k ≤ most of the sum of the k least r, r of a unit being the least over
    its centres. It holds for every π, and for charges that are not negative, since at most one body of a partition
    holds two of any three units. Only r below the last that such a sum could need, known from sets met easily, are
    found exactly; anything between may stand for the others.
    """
    limits = []
    for branch, easy in zip(branches, priced(problem, processes, branches), strict=True):
        ranked = sorted(easy[u] for u in problem.core)
        needed = max(0.0, ranked[branch.fewest - 1]) if branch.fewest else 0.0
        needed = min(needed, ranked[min(branch.most, len(ranked)) - 1])
        limits.append([min(needed, value) for value in easy])
    core = [problem.weight[u] for u in problem.core]
    spared = [sum(pieces.values()) for pieces in problem.pieces]
    cheapest = [
        Fill(0, 0.0, core, [-b.pi[u] - spared[u] for u in problem.core]) for b in branches
    ]  # c is never negative
    gained = max((sum(c * len(held) for _, held, c in due) for b in branches for due in b.parted.values()), default=0.0)

    def matters(a: int, b: int) -> bool:
        floor = problem.curve.floor(a, b) - gained
        return any(floor + fill.least(a, b, 0.0)[0] < max(row) for fill, row in zip(cheapest, limits, strict=True))

    sizes = stretches(problem.curve, problem.lo, problem.hi, max(1.0, 1e-5 * problem.curve(problem.lo)), matters)
    bounds = []
    for branch, least in zip(branches, priced(problem, processes, branches, sizes, limits), strict=True):
        sums = list(accumulate(sorted(least[u] for u in problem.core), initial=0.0))
        paid = math.fsum(branch.pi[u] for u in problem.core) - branch.charged
        paid += math.fsum(pounds - branch.due[home] for home, pounds in problem.whole.items())
        bounds.append(paid + min(sums[branch.fewest : branch.most + 1]))
    return bounds


def priced(
    problem: Unnested, processes: int, branches: list[Branch], sizes: list[Stretch] | None = None,
    limits: list[list[float]] | None = None,
) -> list[list[float]]:  # fmt: skip
    """Branch → unit → the least of `values` over its centres, on several processors where there is much to do."""
    work = partial(values, problem, branches, sizes, limits)
    centres = [j for j, u in enumerate(problem.unit) if u not in problem.alone]
    if processes == 1 or len(centres) < 500:
        rows = work(centres)
    else:
        parts = [centres[k :: 8 * processes] for k in range(8 * processes)]
        centres = list(chain(*parts))
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:  # as on systems that cannot fork
            rows = list(chain(*pool.map(work, parts)))
    least = [[math.inf] * len(problem.weight) for _ in branches]
    for j, row in zip(centres, rows, strict=True):
        for found, value in zip(least, row, strict=True):
            found[problem.unit[j]] = min(found[problem.unit[j]], value)
    return least


def values(
    problem: Unnested, branches: list[Branch], sizes: list[Stretch] | None,
    limits: list[list[float]] | None, centres: Sequence[int],
) -> list[list[float]]:  # fmt: skip
    """Centre by centre, for each branch: r or, where that is no less, the limit of the centre's unit. Without limits
    the value of some set, never below r."""
    kind = ConnectedChoice if problem.connected else KeepingChoice if problem.whole else Choice
    rows = []
    for j in centres:
        around = problem.around(j)
        found = [kind(problem, j, around, branch) for branch in branches]
        if sizes is None or limits is None:
            rows.append([choice.easy() for choice in found])
        else:
            rows.append([choice.least(sizes, row[choice.own]) for choice, row in zip(found, limits, strict=True)])
    return rows


def evidence(run: Run, scale: str, problem: Unnested, found: dict):
    """What is wrong with the evidence of a scale: it must hold a number for every unit, and every number of bodies."""
    if found["relaxation"] in ("connected sets", "touching sets") and not run.rule(scale)["contiguous"]:
        yield f"{scale}: the bound is for bodies whose members touch, which is no rule here"
    elif found["relaxation"] not in ("sets", "connected sets", "touching sets"):
        yield f"{scale}: the relaxation {found['relaxation']!r} is not known"
    expected = {problem.names[u] for u in problem.core}
    covered: set[int] = set()
    ranges = True
    for number, branch in enumerate(found["branches"], start=1):
        where, pi = f"{scale}, branch {number}", branch["multipliers"]
        fewest, most = branch["fewest"], branch["most"]
        if not (whole(fewest) and whole(most) and 0 <= fewest <= min(most, len(expected))):
            yield f"{where}: {fewest} to {most} is no range of numbers of bodies"
            ranges = False
            continue
        covered.update(range(fewest, min(most, len(expected)) + 1))
        for words, codes in (
            ("no multiplier for", expected - set(pi)),
            ("a multiplier for what is no unit:", set(pi) - expected),
            ("a multiplier that is no usable number for", {code for code in pi if not finite(pi[code])}),
        ):
            if codes:
                yield f"{where}: {words} {', '.join(sorted(codes)[:5])}{' …' if len(codes) > 5 else ''}"
        if not finite(branch["bound"]):
            yield f"{where}: the bound is no usable number"
        for home, pounds in branch.get("authorities", {}).items():
            if home not in problem.whole or not finite(pounds):
                yield f"{where}: the multiplier of authority {home} is no usable number, or its split costs nothing"
        for triple in branch.get("triples", ()):
            three, charge = set(triple["practices"]), triple["charge"]
            if (
                found["relaxation"] not in ("connected sets", "sets")
                or len(triple["practices"]) != 3
                or len(three & expected) != 3
            ):
                yield f"{where}: {', '.join(sorted(three))} may not be charged as a triple"
            elif not (finite(charge) and charge >= 0):
                yield f"{where}: the charge on {', '.join(sorted(three))} is no usable number"
        for parted in branch.get("separators", ()):
            named, charge = {parted["unit"], *parted["without"]}, parted["charge"]
            if found["relaxation"] != "touching sets" or named - expected or parted["centre"] not in run.people:
                yield f"{where}: {', '.join(sorted(named))} may not be charged for {parted['centre']}"
            elif not (finite(charge) and charge >= 0):
                yield f"{where}: the charge on {parted['unit']} for {parted['centre']} is no usable number"
    rule, alone = run.rule(scale), len(problem.alone)
    fewest = max(1, (rule["min_bodies"] or 0) - alone, -(-problem.total // max(1, problem.hi)))
    most = min(len(problem.core), (rule["max_bodies"] or math.inf) - alone, problem.total // max(1, problem.lo))
    missing = [k for k in range(fewest, int(most) + 1) if k not in covered]
    if missing and ranges:
        yield f"{scale}: no branch covers the number of bodies {missing[0]}"


def whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def finite(number: object) -> bool:
    """A number, and none so large that pence are lost beside it."""
    return (whole(number) or isinstance(number, float)) and abs(number) <= 1e12


def bounds(run: Run):
    """No partition that keeps a scale's rules costs less than its bound: priced again from the multipliers."""
    for scale in run.priced:
        stated = run.certificate["scales"][scale]
        found = {"relaxation": "sets", **stated["evidence"]}
        problem = Unnested(run, scale, found["relaxation"] == "connected sets")
        wrong, lower = list(evidence(run, scale, problem, found)), []
        if problem.core and not wrong:
            print(f"pricing the bound of {scale} …", file=sys.stderr, flush=True)
            branches = [branch_of(problem, branch) for branch in found["branches"]]
            lower = lower_bounds(problem, branches, run.processes)
            for number, (branch, bound) in enumerate(zip(found["branches"], lower, strict=True), start=1):
                wrong += overstated(f"{scale}, branch {number}", branch["bound"], bound)
        bound, cost = problem.fixed + min(lower, default=0.0), stated["objective"]
        wrong = wrong or list(overstated(scale, stated["bound"], bound))
        if not wrong and bound > cost + CLOSE * abs(cost):
            wrong = [f"{scale}: the bound, priced again: {bound:,.2f}, is above the objective, {cost:,.2f}"]
        yield from wrong
        if not wrong:
            run.proved[scale] = bound


def branch_of(problem: Unnested, stated: dict) -> Branch:
    pi = [float(stated["multipliers"].get(code, 0.0)) for code in problem.names]
    unit, charged, triples = {code: u for u, code in enumerate(problem.names)}, 0.0, defaultdict(list)
    for triple in stated.get("triples", ()):
        charged += triple["charge"]
        for a, b, c in permutations(unit[code] for code in triple["practices"]):
            if b < c:
                triples[a].append((b, c, float(triple["charge"])))
    centre, parted = {code: j for j, code in enumerate(problem.people)}, defaultdict(list)
    for due in stated.get("separators", ()):
        held = tuple(unit[code] for code in due["without"])
        parted[centre[due["centre"]]].append((unit[due["unit"]], held, float(due["charge"])))
    keep = stated.get("authorities", {})
    due = {home: max(0.0, pounds - float(keep.get(home, 0.0))) for home, pounds in problem.whole.items()}
    return Branch(stated["fewest"], stated["most"], pi, dict(triples), charged, dict(parted), due)


def overstated(what: str, stated: float, bound: float):
    if not stated <= bound + CLOSE * abs(bound):
        yield f"{what}: the bound is stated as {stated:,.2f}, priced again: {bound:,.2f}"


def money(run: Run):
    """The objective is the sum of its terms, the terms follow from the attributes, and the bounds and gaps add up."""
    certificate, summary, placed = run.certificate, run.summary, run.certificate["placement"]
    by_scale = {scale: charges(run, scale) for scale in run.scales}
    total: Counter = Counter(placed["terms"] if placed else {})
    for scale, terms in by_scale.items():
        total.update(terms)
        stated = certificate["scales"][scale]
        yield from differs(
            f"objective of {scale}", stated["objective"], sum(terms.values()), "recomputed from attributes"
        )
        unavoidable = Unnested(run, scale).unavoidable()
        yield from differs(f"unavoidable cost of {scale}", stated["unavoidable"], unavoidable, "from sizes alone")
        yield from bound_and_gap(scale, stated)
        yield from same_in_summary(scale, stated, summary["scales"][scale])
        if summary["scales"][scale]["bodies"] != len(run.members[scale]):
            yield f"summary.json states {summary['scales'][scale]['bodies']} bodies at {scale}"
    if placed:
        yield from differs(
            "objective of placement", placed["objective"], sum(placed["terms"].values()), "sum of its terms"
        )
        yield from bound_and_gap("placement", placed)
        yield from same_in_summary("placement", placed, summary["placement"])
        yield from services(run, by_scale, placed)
    for name, document in (("certificate.json", certificate), ("summary.json", summary)):
        yield from differs(f"objective in {name}", document["objective"], sum(total.values()), "sum of all terms")
        for force in sorted(set(total) | set(document["terms"])):
            stated, whole = document["terms"].get(force, 0.0), abs(document["objective"]) or 1.0
            if not abs(stated - total[force]) <= CLOSE * max(abs(total[force]), 1e-3 * whole):
                yield f"{force} in {name} is {stated:,.2f}, recomputed {total[force]:,.2f}"
    parts = [*certificate["scales"].values(), *([placed] if placed else [])]
    together = sum(part["bound"] for part in parts)
    yield from differs("bound in certificate.json", certificate["bound"], together, "the bounds of its parts")
    for what, held, prefix in (("the whole", parts, ""), ("the structure", parts[: len(run.scales)], "structure_")):
        sums = {key: sum(part[key] for part in held) for key in ("objective", "bound", "unavoidable")}
        yield from bound_and_gap(what, sums | {key: summary[prefix + key] for key in ("gap", "gap_avoidable")})
    yield from differs("bound in summary.json", summary["bound"], certificate["bound"], "certificate.json")
    kinds = Counter()
    for force, pounds in total.items():
        kinds[run.scenario["rates"][force]["kind"]] += pounds
    for key, kind in (("cash", "cash"), ("expected", "expected_financial"), ("notional", "notional")):
        yield from differs(
            f"{key} in summary.json", summary[key], kinds[kind], "sum of its terms", abs(summary["objective"])
        )
    low, high = summary["nesting_interval"]
    if not low - 1 <= summary["price_of_nesting"] <= high + 1:
        yield f"the price of nesting, {summary['price_of_nesting']:,.0f}, is outside {low:,.0f} to {high:,.0f}"


def services(run: Run, by_scale: dict, placed: dict):
    """Every service of every commissioning body placed exactly once, and the placement's terms those of its rows."""
    terms, anchor = placed["terms"], run.scenario["anchor_scale"]
    count = Counter((row["service"], row[anchor]) for row in run.placement)
    listed = {service for service, _ in count}
    yield from (f"{s} is placed {n} times for {run.name(anchor, b)}" for (s, b), n in count.items() if n > 1)
    for body in run.members[anchor]:
        yield from (f"{s} is placed nowhere for {run.name(anchor, body)}" for s in sorted(listed) if not count[s, body])
    yield from (
        f"placement.csv has an unknown body {b}" for b in sorted({b for _, b in count} - set(run.members[anchor]))
    )
    level = {scale: k for k, scale in enumerate(run.scales)}
    for row in run.placement:
        whose = run.of[row["scale"]] if level.get(row["scale"], -1) > level[anchor] else run.of[anchor]
        planned = row["scale"] in (*run.scales, "practice") and row[anchor] in run.members[anchor]
        if planned and {whose[p] for p in run.members[anchor][row[anchor]]} != {row["commissioner"]}:
            yield f"{row['service']} for {row[anchor]} is commissioned by {row['commissioner']}, which does not hold it"
    refund = {"leverage": sum(t.get("leverage", 0.0) for t in by_scale.values())}
    refund["insurance"] = by_scale.get(run.scenario["risk_held_at"], {}).get("insurance", 0.0)
    yield from differs(
        "refunds of placement", -placed["refunds"], sum(refund.values()), "what the structure was charged"
    )
    for column in (name for name in (run.placement[0] if run.placement else {}) if name.startswith("term_")):
        force = column.removeprefix("term_")
        rows = sum(float(row[column] or 0) for row in run.placement)
        largest = max(abs(rows), refund.get(force, 0.0))
        yield from differs(f"{force} of placement", terms.get(force, 0.0), rows - refund.get(force, 0.0),
                           "its rows less what the structure was charged in its stead", largest)  # fmt: skip


def differs(what: str, stated, found: float, how: str, scale: float = 0.0):
    if not isinstance(stated, (int, float)) or not abs(stated - found) <= CLOSE * max(abs(found), scale, 1e-3):
        yield f"{what} is stated as {stated if stated is None else format(stated, ',.2f')}, {how}: {found:,.2f}"


def bound_and_gap(what: str, part: dict):
    objective, bound = part["objective"], part["bound"]
    if bound is None or not bound <= objective + CLOSE * abs(objective):
        yield f"{what}: the bound, {bound}, is above the objective, {objective}"
        return
    gross = objective - part.get("refunds", 0.0)
    for key, cost in (("gap", gross), ("gap_avoidable", max(0.0, objective - part["unavoidable"]))):
        gap = (objective - bound) / cost if cost else 0.0
        if not abs(part[key] - gap) <= CLOSE:
            yield f"{what}: the {key} is stated as {part[key]:.6%}; objective and bound give {gap:.6%}"


def same_in_summary(what: str, certificate: dict, summary: dict):
    for key in ("objective", "bound", "gap", "gap_avoidable"):
        if summary[key] != certificate[key]:
            yield f"{what}: {key} is {summary[key]} in summary.json and {certificate[key]} in certificate.json"


def wishes(rows: list[dict[str, str]]) -> dict[frozenset, float]:
    """Pair → what either declared about the other, added and kept within −1 … 1."""
    total: Counter = Counter()
    for row in rows:
        total[frozenset((row["practice"], row["other"]))] += float(row["strength"])
    return {pair: max(-1.0, min(1.0, strength)) for pair, strength in total.items()}


def read_json(path: Path, constant: Callable | None = None) -> dict:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=constant or no_number)


def no_number(text: str):
    raise ValueError(f"{text} is no number")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows by heading. An apostrophe that keeps a spreadsheet from running a cell as a formula is taken off."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            {key: text[1:] if text[:1] == "'" and text[1:2] in "=+-@\t\r" else text for key, text in row.items()}
            for row in csv.DictReader(file, strict=True)
        ]


CHECKS = (
    (files, "every file is the one that was published"),
    (membership, "every practice belongs to exactly one body at every scale, and bodies state their members' figures"),
    (nesting, "every body lies inside its parent"),
    (sizes, "sizes and numbers of bodies keep their bounds"),
    (places, "reach, authorities and contiguity keep the rules"),
    (pins, "pins are kept"),
    (money, "the objective, recomputed force by force, is the sum of its terms; bounds and gaps add up"),
    (bounds, "bounds hold: costs and multipliers, priced again, give no less"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a run folder from the raw figures it publishes.")
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--scale", action="append", metavar="NAME", help="price this scale's bound alone (may recur)")
    parser.add_argument("--no-bounds", action="store_true", help="price no bound again")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="at most this many")
    options = parser.parse_args()
    folder = options.run
    try:
        run = Run(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as fault:
        print(f"cannot read {folder}: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 7
    if unknown := set(options.scale or ()) - set(run.scales):
        parser.error(f"no such scale: {', '.join(sorted(unknown))}. Planned: {', '.join(run.scales)}")
    run.priced = [] if options.no_bounds else [s for s in run.scales if s in (options.scale or run.scales)]
    run.processes = max(1, options.processes)
    problems, kept = [], []
    for check, words in CHECKS if run.priced else CHECKS[:-1]:
        before = len(problems)
        try:
            for problem in check(run):
                problems.append(problem)
        except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
            problems.append(f"could not check that {words}: {type(fault).__name__} {fault}")
        kept += [words] if len(problems) == before else []
    number = ", ".join(f"{len(run.members[s])} {s}" for s in run.scales)
    if problems:
        print(f"NOT verified: {len(problems)} problem{'s' if len(problems) > 1 else ''} in {folder}")
        print("\n".join(f"  ✗ {problem}" for problem in problems[:100]))
        print(f"  … and {len(problems) - 100} more" if len(problems) > 100 else "", end="")
    else:
        print(f"verified: {len(run.people):,} practices, {number} bodies, £{run.certificate['objective']:,.2f} a year")
    lines = [f"  ✓ {words}" for words in kept]
    for scale, bound in () if problems else run.proved.items():
        cost = run.certificate["scales"][scale]["objective"]
        percent = math.ceil(1e5 * max(0.0, cost - bound) / cost) / 1e3 if cost else 0.0
        lines.append(f"  ✓ {scale}: within {percent} % of the best possible: £{cost:,.2f}, no plan below £{bound:,.2f}")
    left = [scale for scale in run.scales if scale not in run.priced]
    lines += ["not verified here:", *([f"  · that the bounds of these scales hold: {', '.join(left)}"] if left else [])]
    print("\n".join([*lines, *(f"  · {words}" for words in UNVERIFIED)]))
    return 8 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
