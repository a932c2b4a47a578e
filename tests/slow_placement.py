"""The cost of a placement worked out the slow way, from raw flows and practices: an oracle that shares no arithmetic
with the program. Only the list of options is taken from it, as part of the problem's statement."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from math import sqrt

from optimiser.placement_options import Option, may

FEATURES = ("need_index", "deprivation", "pct_65plus", "rural")
Z95 = 1.6448536269514722


def placements(options: tuple[Option, ...], services, anchors: int):
    """Every way to place all services: a list by service of lists of options that cover each anchor body once."""

    def covers(service, left):
        if not left:
            yield []
            return
        first = min(left)
        for o, option in enumerate(options):
            if first in option.anchors and set(option.anchors) <= left and may(option, service, {}):
                for rest in covers(service, left - set(option.anchors)):
                    yield [o, *rest]

    yield from product(*(list(covers(s, frozenset(range(anchors)))) for s in services))


class Slow:
    """Costs placements of one world."""

    def __init__(self, data, scenario, structure, options):
        self.data, self.sc, self.st, self.options = data, scenario, structure, options
        self.bodies = structure.bodies[scenario.anchor_scale]
        self.cells = {}
        self.income = [
            max(p.income, sum(f[3] for f in self.flows() if f[1] == i)) for i, p in enumerate(data.providers)
        ]
        self.own_income = [sum(f[3] for f in self.flows() if f[1] == i) for i in range(len(data.providers))]

    def flows(self):
        f = self.data.flows
        return list(zip(f.practice.tolist(), f.provider.tolist(), f.service.tolist(), f.spend.tolist(), strict=True))

    def people(self, practices):
        return sum(self.data.practices[p].patients for p in practices)

    def spend(self, practices, s):
        if not any(f[2] == s for f in self.flows()):
            chosen = [self.data.practices[p] for p in practices]
            return sum(p.patients * p.need_index for p in chosen) * self.data.services[s].cost_per_head
        return sum(f[3] for f in self.flows() if f[0] in practices and f[2] == s)

    def groups(self, option):
        """The sets of practices that commission: one for a body, several for practices and smaller bodies."""
        practices = [m for c in option.anchors for m in self.bodies[c].members]
        if option.kind == "practice":
            return [[p] for p in practices]
        if option.kind == "below":
            pieces = defaultdict(list)
            for p in practices:
                pieces[int(self.st.membership[option.scale][p])].append(p)
            return list(pieces.values())
        return [practices]

    def leverage(self, option, s):
        rate = self.sc.rate("leverage", self.data.services[s].leverage)
        lost = 0.0
        for group in self.groups(option):
            for i in range(len(self.data.providers)):
                mine = sum(f[3] for f in self.flows() if f[0] in group and f[1] == i)
                share = mine / self.income[i] if self.income[i] else 0
                here = sum(f[3] for f in self.flows() if f[0] in group and f[1] == i and f[2] == s)
                lost += here * rate * max(0.0, 1 - share / self.sc.leverage.nil_at_share)
        return lost

    def variance(self, practices, feature):
        known = [(self.data.practices[p].patients, getattr(self.data.practices[p], feature)) for p in practices]
        known = [(w, v) for w, v in known if v is not None]
        whole = sum(w for w, _ in known)
        if not whole:
            return 0.0
        mean = sum(w * v for w, v in known) / whole
        return sum(w * (v - mean) ** 2 for w, v in known) / whole

    def unlike(self, practices):
        everyone = range(len(self.data.practices))
        region = {
            f: self.variance(everyone, f)
            for f in FEATURES
            if any(getattr(p, f) is not None for p in self.data.practices)
        }
        varying = [f for f in region if region[f] > 1e-12]
        return sum(min(1, self.variance(practices, f) / region[f]) for f in varying) / len(varying) if varying else 0.0

    def unlike_providers(self, practices, s):
        """Chance that two pounds of the set differ in provider, less the same within one practice; None: no flows."""
        spent = [f for f in self.flows() if f[2] == s and f[0] in practices]
        whole = sum(f[3] for f in spent)
        if not whole:
            return None
        shares = {i: sum(f[3] for f in spent if f[1] == i) / whole for i in range(len(self.data.providers))}
        differ = 1 - sum(x * x for x in shares.values())
        for p in practices:
            own = sum(f[3] for f in spent if f[0] == p)
            if own:
                parts = [sum(f[3] for f in spent if f[:2] == (p, i)) / own for i in range(len(self.data.providers))]
                differ -= own / whole * (1 - sum(x * x for x in parts))
        return differ

    def tailoring(self, option, s):
        if option.kind == "condition_group":
            return 0.0
        rate = self.sc.rate("tailoring", self.data.services[s].tailoring)
        total = 0.0
        for c in option.anchors:
            home = self.bodies[c].members
            if option.local:
                pieces = [g for g in self.groups(option) if set(g) <= set(home)]
            else:
                pieces = [[m for k in option.anchors for m in self.bodies[k].members]]
            people, spend = sum(map(self.people, pieces)), sum(self.spend(g, s) for g in pieces)
            unlike = sum(self.people(g) * self.unlike(g) for g in pieces) / people
            if any(f[2] == s and f[0] in home for f in self.flows()):
                differ = sum(self.spend(g, s) * (self.unlike_providers(g, s) or 0) for g in pieces) / spend
                unlike = (unlike + differ) / 2
            total += rate * self.spend(home, s) * unlike
        return total

    def outside(self, practices):
        by = defaultdict(int)
        for p in practices:
            by[self.data.practices[p].upper_authority] += self.data.practices[p].patients
        return 1 - max(by.values()) / sum(by.values())

    def authority_link(self, option, s):
        if option.local or option.kind in ("anchor", "authority"):
            return 0.0
        everyone = [m for c in option.anchors for m in self.bodies[c].members]
        own = sum(self.people(self.bodies[c].members) * self.outside(self.bodies[c].members) for c in option.anchors)
        more = max(0.0, self.outside(everyone) - own / self.people(everyone))
        return (
            self.sc.rate("authority_link") * self.data.services[s].authority_link / 3 * self.spend(everyone, s) * more
        )

    def agreements(self, option, s):
        if not option.local:
            return 0.0
        service = self.data.services[s]
        if option.kind == "practice" and set(service.provider_kinds) <= {"practice_owned", "other"}:
            return self.sc.rate("agreements", "own")
        kind = "framework" if service.tailoring >= 2 else "framework_untailored"
        return self.sc.rate("agreements", kind) * len(self.groups(option))

    def contracts(self, option, services):
        if option.local:
            return 0.0
        practices = [m for c in option.anchors for m in self.bodies[c].members]
        rules, cost = self.sc.contracts, 0.0
        for i in range(len(self.data.providers)):
            spend = sum(f[3] for f in self.flows() if f[0] in practices and f[1] == i and f[2] in services)
            if spend > min(rules.materiality_share * self.own_income[i], rules.materiality_gbp):
                share = spend / self.income[i]
                grade = (
                    "lead" if share >= rules.lead_share else "associate" if share >= rules.associate_share else "small"
                )
                cost += self.sc.rate("contracts", grade)
        return cost

    def insurance(self, held):
        """held: risk holder → £² (already × people)."""
        return sum(self.sc.rate("insurance") * Z95 * sqrt(v) for v in held.values())

    def charged_before(self):
        """What the structure paid for insurance and the leverage stand-in."""
        back = {"insurance": 0.0, "leverage": 0.0}
        for body in self.st.bodies.get(self.sc.risk_held_at, ()):
            sd = self.sc.risk.cv_person * self.sc.risk.budget_per_head * sqrt(body.patients)
            back["insurance"] += self.sc.rate("insurance") * Z95 * sd
        for body in self.st.bodies.get(self.sc.stand_in("leverage"), ()):
            near = self.sc.leverage
            back["leverage"] += near.stand_in_per_head * body.patients * max(0, 1 - body.patients / near.catchment)
        return back

    def risk_holders(self, option):
        """Who holds the risk of what an option commissions, with its people: (holder, people) pairs."""
        order = ["practice", *self.st.scales]
        at = order.index(self.sc.anchor_scale)
        place = {name: float(i) for i, name in enumerate(order)} | {
            "footprint": at + 0.5, "authority": at + 0.5, "region": 99.0, "condition_group": 99.0,
        }  # fmt: skip
        practices = [m for c in option.anchors for m in self.bodies[c].members]
        if place[option.scale] > place[self.sc.risk_held_at]:
            return [(option.code + option.scale, self.people(practices))]
        holders = defaultdict(int)
        for p in practices:
            holders[int(self.st.membership[self.sc.risk_held_at][p])] += self.data.practices[p].patients
        return list(holders.items())

    def cell(self, force, o, s):
        """One of the forces that depend on one option and one service, remembered."""
        key = force, o, s
        if key not in self.cells:
            self.cells[key] = getattr(self, force)(self.options[o], s)
        return self.cells[key]

    def cost(self, placed) -> dict[str, float]:
        """Force → £ for one placement: a list by service of lists of options."""
        out = defaultdict(float)
        uses, held = defaultdict(list), defaultdict(float)
        for s, chosen in enumerate(placed):
            for o in chosen:
                option = self.options[o]
                uses[o].append(s)
                for force in ("leverage", "tailoring", "authority_link", "agreements"):
                    out[force] += self.cell(force, o, s)
                service = self.data.services[s]
                per_head = service.cases_per_1000 / 1000 * service.cost_per_case**2 * (1 + service.case_cv**2)
                for holder, people in self.risk_holders(option):
                    held[holder] += self.sc.risk.overdispersion * per_head * people
        for o, services in uses.items():
            out["contracts"] += self.contracts(self.options[o], services)
            out["footprints"] += self.sc.rate("footprints") if self.options[o].opens else 0.0
        for pathway in {s.pathway for s in self.data.services if s.pathway}:
            for c in range(len(self.bodies)):
                scales = {
                    self.options[o].scale
                    for s, chosen in enumerate(placed)
                    for o in chosen
                    if self.data.services[s].pathway == pathway and c in self.options[o].anchors
                }
                out["pathways"] += self.sc.rate("pathways") * max(0, len(scales) - 1)
        out["insurance"] = self.insurance(held)
        for force, pounds in self.charged_before().items():
            out[force] -= pounds
        return dict(out)
