#!/usr/bin/env python3
"""Check a run folder from the raw figures it publishes. Standard library only; shares no code with the optimiser.

    python scripts/verify_plan.py RUN

Every rule and every formula is written here a second time, on purpose. Statuses in the run are never believed.
Exit codes: 0 verified, 8 something is wrong (one line a problem), 7 the folder cannot be read.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import re
import statistics
import sys
from collections import Counter, defaultdict
from itertools import combinations, pairwise, permutations
from pathlib import Path

CLOSE = 1e-6  # relative difference allowed between two reckonings of the same sum
NEEDED = ("attributes.csv", "adjacency.csv", "relationships.csv", "scenario.json", "practices.csv", "bodies.csv",
          "placement.csv", "summary.json", "certificate.json")  # fmt: skip
LIKENESS = ("deprivation", "pct_65plus", "rural")
WHOLLY_UNLIKE = 3.0  # root-mean-square difference in standard deviations
UNVERIFIED = (
    "that no service of the catalogue is missing from placement.csv altogether",
    "that the bounds hold: they are compared and added up, the multipliers in certificate.json are not priced again",
    "what placing a service costs: the rows of placement.csv are added up, not derived from flows",
    "the published attributes themselves, the scorecard, the maps, the workbook and the sensitivity table",
)


class Run:
    """The published files, read once. bodies: scale → code → its row; members: scale → code → practice codes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.manifest = read_json(folder / "manifest.json")
        self.scenario = read_json(folder / "scenario.json")
        self.summary = read_json(folder / "summary.json")
        self.certificate = read_json(folder / "certificate.json")
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

    def units(self, scale: str) -> dict[str, str]:
        """Practice → what it cannot be parted from: pinned together here or lower down, one authority where authorities
        stay whole, one smaller body where the structure is built over smaller ones."""
        ties = Sets(self.people)
        level = {name: k for k, name in enumerate(self.scales)}
        for pin in self.scenario["pins"]:
            if pin["kind"] in ("together", "fixed") and level[pin["scale"]] <= level[scale]:
                practices, anchor = self.pinned(pin)
                for code in practices:
                    ties.join(code, anchor or practices[0])
        groups: list[dict[str, str]] = []
        if self.rule(scale)["authority_rule"] == "whole":
            groups.append({code: p.home[self.rule(scale)["authority_tier"]] for code, p in self.people.items()})
        if level[scale] > level[self.scenario["anchor_scale"]]:
            groups.append(self.of[self.scales[level[scale] - 1]])
        for group in groups:
            first: dict[str, str] = {}
            for code, label in group.items():
                ties.join(code, first.setdefault(label, code))
        return {code: ties.find(code) for code in self.people}

    def pinned(self, pin: dict) -> tuple[list[str], str]:
        """(the practices of a pin, the practice it relates them to). A body of today is its largest practice."""
        anchor = pin["with"]
        if pin["body"]:
            today = [p for p in self.people.values() if p.today.get(pin["scale"]) == pin["body"]]
            anchor = max(today, key=lambda p: p.patients).code if today else ""
        return pin["practices"], anchor


class Practice:
    """One row of attributes.csv."""

    def __init__(self, row: dict[str, str]):
        self.code, self.patients = row["code"], int(row["patients"])
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
    """A body lies whole in the body that it names as its parent."""
    for small, large in pairwise(run.scales):
        for code, row in run.bodies[small].items():
            inside = {run.of[large][p] for p in run.members[small].get(code, [])}
            if inside - {row["parent"]}:
                held = ", ".join(sorted(inside))
                yield f"{run.name(small, code)} lies in {large} {held}, its parent is {row['parent'] or 'none'}"
    top = run.scales[-1]
    yield from (f"{run.name(top, code)} has a parent" for code, row in run.bodies[top].items() if row["parent"])


def sizes(run: Run):
    """Bounds on patients, on practices and on the number of bodies; a unit above the upper bound stands alone."""
    for scale in run.scales:
        rule, top, unit = run.rule(scale), run.largest(scale), run.units(scale)
        for code, members in run.members[scale].items():
            size, who = run.size(members), run.name(scale, code)
            alone = size > top and len({unit[p] for p in members if p in unit}) == 1
            if (run.bodies[scale].get(code, {}).get("oversize") == "yes") != (size > top):
                yield f"{who} is {'not ' if size > top else ''}marked oversize with {size:,} patients"
            if not alone and not rule["min_patients"] <= size <= top:
                yield f"{who} has {size:,} patients, outside {rule['min_patients']:,} to {top:,}"
        number = len(run.members[scale])
        for limit, wrong in (("min_bodies", number < (rule["min_bodies"] or 0)),
                             ("max_bodies", number > (rule["max_bodies"] or math.inf))):  # fmt: skip
            if wrong:
                yield f"{number} bodies at {scale}, against {limit} = {rule[limit]}"


def places(run: Run):
    """Reach from the centre, rules on authorities, and members that touch."""
    for scale in run.scales:
        rule, tier = run.rule(scale), run.rule(scale)["authority_tier"]
        for code, members in run.members[scale].items():
            who = run.name(scale, code)
            known = [run.people[p] for p in members if p in run.people]
            centre = run.people.get(run.bodies[scale].get(code, {}).get("centre", ""))
            if centre and rule["reach_km"] is not None:
                for p in known:
                    if not within_reach(run, p, centre, rule["reach_km"] * (1 + 1e-9)):
                        yield f"{who}: {p.code} is {p.km(centre):.2f} km from its centre, beyond {rule['reach_km']} km"
            if rule["authority_rule"] == "inside_one" and len({p.home[tier] for p in known}) > 1:
                yield f"{who} straddles authorities: {', '.join(sorted({p.home[tier] for p in known}))}"
        if rule["authority_rule"] == "whole":
            split = defaultdict(set)
            for code, practice in run.people.items():
                split[practice.home[tier]].add(run.of[scale].get(code))
            yield from (
                f"authority {a} is split between {len(b)} bodies at {scale}" for a, b in split.items() if len(b) > 1
            )
        if rule["contiguous"]:
            yield from contiguity(run, scale)


def within_reach(run: Run, practice: Practice, centre: Practice, limit: float) -> bool:
    """Near enough, or the far end of a declared link from either of the two is."""
    if practice.km(centre) <= limit:
        return True
    return any(
        (practice.code == end and run.people[far].km(centre) <= limit)
        or (centre.code == end and practice.km(run.people[far]) <= limit)
        for end, far in run.links
    )


def contiguity(run: Run, scale: str):
    """Members touch one another, directly or through units too large for any body."""
    unit, of, weight = run.units(scale), run.of[scale], Counter()
    for code, practice in run.people.items():
        weight[unit[code]] += practice.patients
    large = {u for u, patients in weight.items() if patients > run.largest(scale)}
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
        if len(pieces) > 1:
            yield f"{run.name(scale, code)} is in {len(pieces)} pieces that do not touch"


def pins(run: Run):
    """Decisions taken beforehand are kept."""
    for number, pin in enumerate(run.scenario["pins"], start=1):
        of, (practices, anchor) = run.of[pin["scale"]], run.pinned(pin)
        if pin["kind"] in ("together", "apart"):
            pairs = list(combinations(practices, 2))
        else:
            pairs = [(code, anchor) for code in practices if code != anchor]
        for a, b in pairs:
            if (of.get(a) == of.get(b)) != (pin["kind"] in ("together", "fixed")):
                yield f"pin {number} ({pin['kind']}, {pin['scale']}) is broken by {a} and {b}"


def charges(run: Run, scale: str) -> dict[str, float]:
    """Force → £ a year of one scale, from attributes alone."""
    rule, terms = run.rule(scale), Counter()
    rate = {
        f: run.rate(f, scale) * run.share(f, scale)
        for f in ("management", "coordination", "authority", "distance", "continuity")
    }
    per_head = run.rate("engagement") * run.share("engagement", scale)
    idle = run.rate("insurance") * run.share("insurance", scale)
    unlike = run.rate("likeness") * run.share("likeness", scale) * float(run.scenario["rates"]["engagement"]["value"])
    e, risk, lever = run.scenario["engagement"], run.scenario["risk"], run.scenario["leverage"]
    z = statistics.NormalDist().inv_cdf(risk["reserve_confidence"])
    charged = run.scenario["charged"].get("leverage")
    stand_in = isinstance(charged, dict) and charged.get("stand_in") == scale
    stand_in = stand_in and "leverage" not in run.scenario["forces_off"]
    marks, tier, split = standardised(run), rule["authority_tier"], rule["authority_charge"] == "split"
    pieces: dict[str, Counter] = defaultdict(Counter)
    for code, members in run.members[scale].items():
        size = run.size(members)
        engaged = e["voluntary"] * (e["e_inf"] + (e["e0"] - e["e_inf"]) / (1 + (size / e["n_half"]) ** e["power"]))
        terms["engagement"] += per_head * size * (1 - engaged)
        terms["insurance"] += idle * z * risk["cv_person"] * risk["budget_per_head"] * math.sqrt(size)
        terms["management"] += rate["management"]
        terms["coordination"] += rate["coordination"] * size * size / 1e6
        terms["leverage"] += stand_in * lever["stand_in_per_head"] * size * max(0.0, 1 - size / lever["catchment"])
        centre = run.people[run.bodies[scale][code]["centre"]]
        for practice in (run.people[p] for p in members):
            w = practice.patients
            pieces[practice.home[tier]][code] += w
            terms["authority"] += 0.0 if split else rate["authority"] * w * (practice.home[tier] != centre.home[tier])
            terms["distance"] += rate["distance"] * w * practice.km(centre)
            today = practice.today.get(scale, "")
            terms["continuity"] += rate["continuity"] * w * bool(today and today != centre.today.get(scale, ""))
            if unlike and practice is not centre:
                far = math.dist(marks[practice.code], marks[centre.code]) / math.sqrt(len(LIKENESS))
                wish = run.wishes.get(frozenset((practice.code, centre.code)), 0.0)
                terms["likeness"] += unlike * w * max(0.0, min(1.0, far / WHOLLY_UNLIKE) - wish)
    if split:
        terms["authority"] += rate["authority"] * sum(sum(p.values()) - max(p.values()) for p in pieces.values())
    return dict(terms)


def standardised(run: Run) -> dict[str, list[float]]:
    """Each attribute less its mean, in standard deviations over practices; 0 where unknown or everywhere the same."""
    columns = []
    for k in range(len(LIKENESS)):
        known = [p.likeness[k] for p in run.people.values() if p.likeness[k] is not None]
        mean, sd = (statistics.fmean(known), statistics.pstdev(known)) if known else (0.0, 0.0)
        flat = sd <= 1e-12 * abs(mean)
        columns.append(
            [0.0 if flat or p.likeness[k] is None else (p.likeness[k] - mean) / sd for p in run.people.values()]
        )
    return dict(zip(run.people, map(list, zip(*columns, strict=True)), strict=True))


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
        yield from services(run, by_scale, placed["terms"])
    for name, document in (("certificate.json", certificate), ("summary.json", summary)):
        yield from differs(f"objective in {name}", document["objective"], sum(total.values()), "sum of all terms")
        for force in sorted(set(total) | set(document["terms"])):
            stated, whole = document["terms"].get(force, 0.0), abs(document["objective"]) or 1.0
            if abs(stated - total[force]) > CLOSE * max(abs(total[force]), 1e-3 * whole):
                yield f"{force} in {name} is {stated:,.2f}, recomputed {total[force]:,.2f}"
    parts = [*certificate["scales"].values(), *([placed] if placed else [])]
    if certificate["bound"] > sum(part["bound"] for part in parts) + CLOSE * abs(certificate["bound"]):
        yield "the bound is more than the bounds of its parts together"
    yield from bound_and_gap(
        "the whole", {"gap": summary["gap"], **{k: certificate[k] for k in ("objective", "bound")}}
    )
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


def services(run: Run, by_scale: dict, terms: dict):
    """Every service of every commissioning body placed exactly once, and the placement's terms those of its rows."""
    anchor = run.scenario["anchor_scale"]
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
    gap = (objective - bound) / objective if objective else 0.0
    if abs(part["gap"] - gap) > CLOSE:
        yield f"{what}: the gap is stated as {part['gap']:.6%}; objective and bound give {gap:.6%}"


def same_in_summary(what: str, certificate: dict, summary: dict):
    for key in ("objective", "bound", "gap"):
        if summary[key] != certificate[key]:
            yield f"{what}: {key} is {summary[key]} in summary.json and {certificate[key]} in certificate.json"


def wishes(rows: list[dict[str, str]]) -> dict[frozenset, float]:
    """Pair → what either declared about the other, added and kept within −1 … 1."""
    total: Counter = Counter()
    for row in rows:
        total[frozenset((row["practice"], row["other"]))] += float(row["strength"])
    return {pair: max(-1.0, min(1.0, strength)) for pair, strength in total.items()}


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=no_number)


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
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a run folder from the raw figures it publishes.")
    parser.add_argument("run", type=Path, help="a run folder")
    folder = parser.parse_args().run
    try:
        run = Run(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as fault:
        print(f"cannot read {folder}: {type(fault).__name__}: {fault}", file=sys.stderr)
        return 7
    problems, kept = [], []
    for check, words in CHECKS:
        before = len(problems)
        try:
            for problem in check(run):
                problems.append(problem)
        except (KeyError, ValueError, TypeError, AttributeError, ZeroDivisionError) as fault:
            problems.append(f"could not check that {words}: {type(fault).__name__} {fault}")
        kept += [words] if len(problems) == before else []
    number = ", ".join(f"{len(run.members[s])} {s}" for s in run.scales)
    if problems:
        print(f"NOT verified: {len(problems)} problems in {folder}")
        print("\n".join(f"  ✗ {problem}" for problem in problems[:100]))
        print(f"  … and {len(problems) - 100} more" if len(problems) > 100 else "", end="")
    else:
        print(f"verified: {len(run.people):,} practices, {number} bodies, £{run.certificate['objective']:,.2f} a year")
    lines = [*(f"  ✓ {words}" for words in kept), "not verified here:", *(f"  · {words}" for words in UNVERIFIED)]
    print("\n".join(lines))
    return 8 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
