"""Every figure of the provider graph of the demo region, reckoned again from the text of flows.csv, sum by sum."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from geodata import provider_files, provider_tables
from geodata.arrangement import DRAWN, PLAN, TODAY, Arrangement
from geodata.demo import region
from geodata.disclosure import HIDDEN, hidden_cells, hidden_with
from geodata.maps import provider_picture
from geodata.maps.provider_drawing import Drawing, drawing
from geodata.maps.provider_picture import picture_bytes
from geodata.publish import publish_graph, write_providers
from geodata.read import read_dataset
from optimiser.domain import EVIDENCE, Certificate, Commission, Footprint, Placement
from optimiser.errors import OutputError
from optimiser.given import existing_structure, membership_structure
from optimiser.providers import WITHHELD
from optimiser.scenario import load_scenario
from tests import plans

SCENARIO = load_scenario("demo")
FEW = 7
TURNS = ("practice", "consortium", "footprint", "alliance", "region")  # where services go, in turn


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def demo():
    return read_dataset(region()).dataset


@pytest.fixture(scope="module")
def arrangement(demo) -> Arrangement:
    """Districts as consortia, counties as alliances, today's PCTs to compare; services at five scales in turn."""
    drawn = {
        p.code: {"consortium": p.lower_authority, "alliance": p.upper_authority, "locality": p.existing["locality"]}
        for p in demo.practices
    }
    built = membership_structure(demo, SCENARIO, drawn)
    alliance = {}
    for body in built.bodies["consortium"]:
        alliance[body.code] = built.body_of("alliance", body.members[0]).code
    commissions = []
    joined = tuple(body.code for body in built.bodies["consortium"][:2])
    for number, service in enumerate(demo.services):
        scale = TURNS[number % len(TURNS)]
        for body in built.bodies["consortium"]:
            by = {"alliance": alliance[body.code], "region": "region"}.get(scale, body.code)
            alone = scale == "footprint" and body.code not in joined
            by = "footprint-01" if scale == "footprint" and not alone else by
            commissions.append(
                Commission(service.id, body.code, "consortium" if alone else scale, by, "make", 0.0, "", {})
            )
    placed = Placement(
        tuple(commissions), (Footprint("footprint-01", "Two districts", joined, ""),), (), (), {},
        Certificate("", 0.0, 0.0, 0.0, "", ""),
    )  # fmt: skip
    return Arrangement(demo, SCENARIO, built, existing_structure(demo, SCENARIO), placed)


@pytest.fixture(scope="module")
def folder(arrangement, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    write_providers(arrangement, folder)
    return folder


class ByHand:
    """Sums of flows.csv, read as text: nothing of the program but who belongs where."""

    def __init__(self, arrangement: Arrangement):
        self.flows = [
            (r["practice"], r["provider"], r["service"], float(r["activity"]), float(r["spend"]), r["label"])
            for r in rows(region() / "flows.csv")
        ]
        here: defaultdict[str, float] = defaultdict(float)
        for _, provider, _, _, spend, _ in self.flows:
            here[provider] += spend
        self.here = dict(here)
        stated = {r["code"]: r["income"] for r in rows(region() / "providers.csv")}
        self.income = {p: max(float(stated[p] or 0), here[p]) for p in stated}
        self.cut = {p: min(0.005 * here[p], 250_000) for p in stated}
        self.body = {}  # (map, scale) → practice → body's code
        self.name = {}
        for which, structure in ((PLAN, arrangement.structure), (TODAY, arrangement.today)):
            for scale in structure.scales:
                self.body[which, scale] = {
                    p.code: structure.body_of(scale, i).code for i, p in enumerate(arrangement.dataset.practices)
                }
                self.name |= {body.code: body.name for body in structure.bodies[scale]}

    def edges(self, which: str, scale: str) -> dict[tuple[str, str], dict]:
        """(body, provider) → spend, activity, and by service and by label."""
        found: dict[tuple[str, str], dict] = {}
        for practice, provider, service, cases, spend, label in self.flows:
            edge = found.setdefault(
                (self.body[which, scale][practice], provider),
                {"spend": 0.0, "activity": 0.0, "services": {}, "labels": dict.fromkeys(EVIDENCE, 0.0)},
            )
            edge["spend"] += spend
            edge["activity"] += cases
            edge["labels"][label] += spend
            money, count = edge["services"].get(service, (0.0, 0.0))
            edge["services"][service] = (money + spend, count + cases)
        return found


@pytest.fixture(scope="module")
def by_hand(arrangement) -> ByHand:
    return ByHand(arrangement)


def hhi(parts: Iterable[float]) -> float:
    parts = list(parts)
    return sum((part / sum(parts)) ** 2 for part in parts)


def band(share: float) -> str:
    return "negligible" if share < 0.05 else "associate" if share < 0.2 else "significant" if share < 0.5 else "lead"


def shown(cases: float) -> str:
    """A count as it may be published: HES rule."""
    if cases == 0:
        return "0"
    return HIDDEN if cases < FEW + 0.5 else str(5 * math.floor(cases / 5 + 0.5))


FILES = [
    ("provider_graph.graphml", PLAN, "consortium"),
    ("provider_graph_alliance.graphml", PLAN, "alliance"),
    ("provider_graph_locality.graphml", PLAN, "locality"),
    ("provider_graph_today_consortium.graphml", TODAY, "consortium"),
    ("provider_graph_today_agency.graphml", TODAY, "agency"),
]


@pytest.mark.parametrize(("file", "which", "scale"), FILES)
def test_every_node_is_the_sum_of_its_flows(folder, by_hand, file, which, scale):
    graph, edges = nx.read_graphml(folder / file), by_hand.edges(which, scale)
    assert (graph.graph["map"], graph.graph["scale"], graph.graph["price_year"]) == (which, scale, "2010/11")
    codes = {code for code, _ in edges} | {provider for _, provider in edges}
    assert codes == set(graph.nodes), "every body and every provider, and nobody else"
    for node, facts in graph.nodes(data=True):
        mine = {pair: edge["spend"] for pair, edge in edges.items() if node in pair}
        material = sum(spend > by_hand.cut[provider] for (_, provider), spend in mine.items())
        assert facts["spend"] == round(sum(mine.values()), -4)
        assert facts["hhi"] == pytest.approx(
            hhi(mine.values()), rel=1e-12 if which == PLAN else 0, abs=5.1e-4 * (which == TODAY)
        )
        assert facts["contracts" if facts["side"] == "body" else "purchasers"] == material
        if facts["side"] == "provider":
            assert facts["income"] == by_hand.income[node]


@pytest.mark.parametrize(("file", "which", "scale"), FILES)
def test_every_edge_is_the_sum_of_its_flows(folder, by_hand, file, which, scale):
    graph, edges = nx.read_graphml(folder / file), by_hand.edges(which, scale)
    whole = scale != "locality"
    expected = {pair for pair, edge in edges.items() if whole or edge["spend"] > by_hand.cut[pair[1]]}
    sides = nx.get_node_attributes(graph, "side")
    found = {(a, b) if sides[a] == "body" else (b, a): facts for a, b, facts in graph.edges(data=True)}
    assert set(found) == expected
    spent = {body: sum(e["spend"] for (b, _), e in edges.items() if b == body) for body, _ in edges}
    unseen = 0
    for (body, provider), facts in found.items():
        edge = edges[body, provider]
        assert facts["label"] == "observed"
        assert facts["material"] == (edge["spend"] > by_hand.cut[provider])
        assert facts["band"] == band(edge["spend"] / by_hand.income[provider])
        if facts["activity"] == HIDDEN:
            unseen += 1
            assert not {"spend", "weight", "share_of_body", "share_of_provider"} & set(facts)
            continue
        spend = edge["spend"] if which == PLAN else round(edge["spend"], -4)
        assert facts["spend"] == facts["weight"] == pytest.approx(spend, rel=1e-12)
        assert facts["share_of_provider"] == pytest.approx(min(spend / by_hand.income[provider], 1), rel=1e-12)
        assert facts["share_of_body"] == pytest.approx(min(spend / round(spent[body], -4), 1), rel=1e-12)
        assert facts["activity"] == shown(edge["activity"])
    assert unseen < 0.25 * len(found)


def test_services_of_an_edge_add_up_to_it(folder, by_hand):
    graph = nx.read_graphml(folder / "provider_graph.graphml")
    seen = 0
    for (body, provider), edge in by_hand.edges(PLAN, "consortium").items():
        facts = graph.edges[body, provider]
        assert {k.removeprefix("activity:") for k in facts if k.startswith("activity:")} == set(edge["services"])
        for service, (spend, cases) in edge["services"].items():
            if facts[f"activity:{service}"] != HIDDEN:
                seen += 1
                assert facts[f"activity:{service}"] == shown(cases)
                assert facts[f"spend:{service}"] == pytest.approx(spend, rel=1e-12)
            else:
                assert f"spend:{service}" not in facts
    assert seen > 1000
    others = nx.read_graphml(folder / "provider_graph_alliance.graphml")
    assert not any(key.startswith("spend:") for *_, facts in others.edges(data=True) for key in facts)


def test_provider_shares_csv_lists_every_material_edge_of_every_map(folder, by_hand, arrangement):
    found = {(r["map"], r["scale"], r["body"], r["provider"]): r for r in rows(folder / "provider_shares.csv")}
    expected = set()
    for which, scale in by_hand.body:
        edges = by_hand.edges(which, scale)
        for (body, provider), edge in edges.items():
            if edge["spend"] > by_hand.cut[provider]:
                expected.add((which, scale, body, provider))
                row = found[which, scale, body, provider]
                assert row["body_name"] == by_hand.name[body] and row["label"] == "observed"
                if row["spend"] == HIDDEN:
                    assert row["share_of_provider"] == row["share_of_body"] == row["band"] == HIDDEN
                    continue
                spend = edge["spend"] if which == PLAN else round(edge["spend"], -4)
                assert float(row["spend"]) == pytest.approx(spend, rel=1e-12)
                share = min(spend / by_hand.income[provider], 1)
                assert float(row["share_of_provider"]) == pytest.approx(share, rel=1e-12)
                assert row["band"] == band(edge["spend"] / by_hand.income[provider])
    assert set(found) == expected


def behind_by_hand(by_hand: ByHand, arrangement: Arrangement, view: str) -> tuple[dict, dict]:
    """(purchaser, provider) → spend, and → share of income that those it acts for bring."""
    consortium = by_hand.body[PLAN, "consortium"]
    chosen = {(c.consortium, c.service): (c.scale, c.commissioner) for c in arrangement.placement.commissions}
    members: defaultdict[object, set[str]] = defaultdict(set)  # the practices that a purchaser acts for
    buys: defaultdict[tuple[object, str], float] = defaultdict(float)
    for practice, provider, service, _, spend, _ in by_hand.flows:
        if view == "today":
            buyer: object = by_hand.body[TODAY, "consortium"][practice]
            members[buyer].add(practice)
        elif view == "alone":
            buyer = consortium[practice]
            members[buyer].add(practice)
        else:
            buyer = chosen[consortium[practice], service]
            if buyer[0] == "practice":
                buyer = ("practice", practice)
                members[buyer].add(practice)
        buys[buyer, provider] += spend
    if view == "placed":
        for (body, _), buyer in chosen.items():
            if buyer[0] != "practice":
                members[buyer] |= {p for p, c in consortium.items() if c == body}
    brought: defaultdict[tuple[str, str], float] = defaultdict(float)
    for practice, provider, _, _, spend, _ in by_hand.flows:
        brought[practice, provider] += spend
    behind = {
        (buyer, provider): sum(brought[m, provider] for m in members[buyer]) / by_hand.income[provider]
        for buyer, provider in buys
    }
    return buys, behind


@pytest.mark.parametrize("view", ["today", "alone", "placed"])
def test_provider_power_csv_before_and_after(folder, by_hand, arrangement, view):
    buys, behind = behind_by_hand(by_hand, arrangement, view)
    found = rows(folder / "provider_power.csv")
    assert {r["provider"] for r in found} == set(by_hand.here)
    assert [float(r["spend"]) for r in found] == sorted((round(s, -4) for s in by_hand.here.values()), reverse=True)
    for row in found:
        code = row["provider"]
        mine = {buyer: spend for (buyer, provider), spend in buys.items() if provider == code}
        material = [buyer for buyer, spend in mine.items() if spend > by_hand.cut[code]]
        weight = sum(spend / by_hand.here[code] * behind[buyer, code] for buyer, spend in mine.items())
        assert int(row[f"{view}_purchasers"]) == len(material)
        assert float(row[f"{view}_hhi"]) == pytest.approx(hhi(mine.values()), abs=5.1e-4)
        assert float(row[f"{view}_largest_share"]) == pytest.approx(max(mine.values()) / by_hand.here[code], abs=5.1e-4)
        assert float(row[f"{view}_weight"]) == pytest.approx(weight, abs=5.1e-4)
        for name, limit in (("associate", 0.05), ("significant", 0.2), ("lead", 0.5)):
            assert int(row[f"{view}_{name}"]) == sum(behind[buyer, code] >= limit for buyer in material)
        largest = max(mine, key=mine.__getitem__)
        if view != "placed":
            assert row[f"{view}_largest"] == by_hand.name[largest]
    assert {r["today_scale"] for r in found} == {"consortium"}


@pytest.mark.parametrize("view", ["today", "placed"])
def test_the_weight_behind_each_bodys_spend(folder, by_hand, arrangement, view):
    _, behind = behind_by_hand(by_hand, arrangement, view)
    chosen = {(c.consortium, c.service): (c.scale, c.commissioner) for c in arrangement.placement.commissions}
    spend: defaultdict[tuple[str, str], float] = defaultdict(float)
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for practice, provider, service, _, pounds, _ in by_hand.flows:
        body = by_hand.body[PLAN, "consortium"][practice]
        if view == "today":
            buyer: object = by_hand.body[TODAY, "consortium"][practice]
        else:
            buyer = chosen[body, service]
            buyer = ("practice", practice) if buyer[0] == "practice" else buyer
        spend[body, provider] += pounds
        total[body, provider] += pounds * behind[buyer, provider]
    checked = 0
    for row in rows(folder / "provider_shares.csv"):
        given = row[f"weight_{view}"]
        if (row["map"], row["scale"]) != (PLAN, "consortium"):
            assert given in ("", HIDDEN)
        elif given != HIDDEN:
            checked += 1
            pair = row["body"], row["provider"]
            assert float(given) == pytest.approx(total[pair] / spend[pair], abs=5.1e-4)
    assert checked > 100


def test_the_average_pound_over_all_providers(by_hand, arrangement):
    means, known = provider_tables.average_weight(arrangement)
    assert known == 1
    for view in ("today", "alone", "placed"):
        buys, behind = behind_by_hand(by_hand, arrangement, view)
        expected = sum(spend * behind[pair] for pair, spend in buys.items()) / sum(by_hand.here.values())
        assert means[view] == pytest.approx(expected, rel=1e-9)


def weakened(arrangement: Arrangement) -> Arrangement:
    """The same flows, known by distance only."""
    flows = arrangement.dataset.flows
    weak = replace(flows, label=np.full(len(flows), EVIDENCE.index("distance only"), dtype=np.int8))
    return replace(arrangement, dataset=replace(arrangement.dataset, flows=weak))


def test_shares_of_income_and_bands_are_withheld_where_flows_are_assumed(arrangement, tmp_path):
    write_providers(weakened(arrangement), tmp_path)
    for *_, facts in nx.read_graphml(tmp_path / "provider_graph.graphml").edges(data=True):
        assert facts["band"] == WITHHELD and facts["label"] == "distance only"
        assert "share_of_provider" not in facts
    for row in rows(tmp_path / "provider_shares.csv"):
        assert row["band"] in (WITHHELD, HIDDEN) and row["share_of_provider"] in ("", HIDDEN)
        assert row["weight_today"] in ("", HIDDEN) and row["weight_placed"] in ("", HIDDEN)
    for row in rows(tmp_path / "provider_power.csv"):
        assert row["placed_weight"] == row["alone_lead"] == "" and float(row["alone_hhi"]) > 0
        assert row["label"] == "distance only"
    assert "distance only 100 %" in drawing(weakened(arrangement)).described
    assert provider_tables.average_weight(weakened(arrangement)) == ({}, 0.0)


def test_without_a_provider_its_edges_go_and_others_weigh_more(arrangement, tmp_path):
    dataset = arrangement.dataset
    code = "RZ1"
    gone = [p.code for p in dataset.providers].index(code)
    kept = dataset.flows.provider != gone
    columns = ("practice", "provider", "service", "activity", "spend", "label")
    flows = replace(dataset.flows, **{name: getattr(dataset.flows, name)[kept] for name in columns})
    without = replace(arrangement, dataset=replace(dataset, flows=flows))
    write_providers(arrangement, tmp_path)
    before = nx.read_graphml(tmp_path / "provider_graph.graphml")
    write_providers(without, tmp_path)
    after = nx.read_graphml(tmp_path / "provider_graph.graphml")
    assert before.degree(code) == len(arrangement.structure.bodies["consortium"]) and after.degree(code) == 0
    gone_edges = {frozenset(edge) for edge in before.edges} - {frozenset(edge) for edge in after.edges}
    assert gone_edges == {frozenset(edge) for edge in before.edges(code)}
    for body in before[code]:
        for provider in after[body]:
            if "share_of_body" in before.edges[body, provider]:
                assert after.edges[body, provider]["share_of_body"] > before.edges[body, provider]["share_of_body"]
    assert code not in {r["provider"] for r in rows(tmp_path / "provider_power.csv")}
    assert code not in {p.code for p in drawing(without).providers}


def test_writing_twice_gives_the_same_bytes(arrangement, folder, tmp_path):
    write_providers(arrangement, tmp_path)
    assert {p.name for p in folder.iterdir()} == {p.name for p in tmp_path.iterdir()}
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_attributes_are_text_or_numbers_and_bodies_never_pay_bodies(folder):
    for path in folder.glob("*.graphml"):
        graph = nx.read_graphml(path)
        own = {name: value for name, value in graph.graph.items() if not name.endswith("_default")}
        for facts in (own, *(f for _, f in graph.nodes(data=True)), *(f for *_, f in graph.edges(data=True))):
            assert all(isinstance(value, str | int | float) for value in facts.values())
        sides = nx.get_node_attributes(graph, "side")
        assert all({sides[a], sides[b]} == {"body", "provider"} for a, b in graph.edges)


def test_no_difference_of_published_edges_gives_a_small_count_away(folder, by_hand, arrangement):
    """What a larger body pays, less what its members are seen to pay, never leaves one to seven cases."""
    parent = {}
    for body in arrangement.structure.bodies["consortium"]:
        parent[body.code] = arrangement.structure.body_of("alliance", body.members[0]).code
    graph = nx.read_graphml(folder / "provider_graph.graphml")
    edges = by_hand.edges(PLAN, "consortium")
    left: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (body, provider), edge in edges.items():
        if "spend" not in graph.edges[body, provider]:
            left[parent[body], provider] += edge["activity"]
            left["the region", provider] += edge["activity"]
    assert left, "somewhere an edge must be hidden for this to test anything"
    above = nx.read_graphml(folder / "provider_graph_alliance.graphml")
    for (larger, provider), cases in left.items():
        if larger == "the region" or "spend" in above.edges[larger, provider]:
            assert cases >= FEW + 0.5, (larger, provider)


@pytest.mark.parametrize(
    ("cases", "unseen", "hidden"),
    [({"a": 100, "b": 200}, (), set()), ({"a": 3, "b": 200, "c": 9}, (), {"a", "c"}),
     ({"a": 3, "b": 5, "c": 9}, (), {"a", "b"}), ({"a": 3}, (), {"a"}), ({"a": 0, "b": 3, "c": 50}, (), {"b", "c"}),
     ({"a": 50, "b": 60}, ("a",), {"a"})],
)  # fmt: skip
def test_a_hidden_count_takes_the_next_smallest_with_it(cases, unseen, hidden):
    assert hidden_with(cases, SCENARIO.disclosure, unseen) == hidden


def test_cells_are_hidden_within_the_larger_body_too():
    cases = np.array([[3.0], [90.0], [400.0], [500.0]])
    found = hidden_cells(cases, np.ones((4, 1), bool), np.array([0, 1, 0, 1]), SCENARIO.disclosure)
    assert found[:, 0].tolist() == [True, True, True, False], "the next smallest of all, and of its own larger body"


def test_the_published_edges_of_a_plan_hide_small_counts_of_services(tmp_path):
    plan = plans.plan()
    provider_files.write_graphs(Arrangement.of(plan), tmp_path)
    graph = nx.read_graphml(tmp_path / "provider_graph.graphml")
    assert {facts["side"] for _, facts in graph.nodes(data=True)} == {"body", "provider"}
    edges = [facts for *_, facts in graph.edges(data=True)]
    assert edges
    for facts in edges:
        assert facts["activity:S03"] == "*" and "spend:S03" not in facts
        seen = [s.id for s in plan.dataset.services if f"spend:{s.id}" in facts]
        hidden = [s.id for s in plan.dataset.services if facts[f"activity:{s.id}"] == "*"]
        assert len(hidden) >= 2 and not set(seen) & set(hidden)
        assert all(int(facts[f"activity:{s}"]) % 5 == 0 for s in seen)


def test_an_edge_of_few_cases_hides_its_spend_and_shares():
    facts = {
        "spend": 60.0,
        "activity": 3.0,
        "share_of_provider": 0.1,
        "label": "observed",
        "activity:S": 3.0,
        "spend:S": 60.0,
    }
    safe = provider_files.safe_edge(facts, SCENARIO.disclosure)
    assert safe == {"activity": "*", "label": "observed", "activity:S": "*"}


def test_the_picture_says_in_figures_what_it_shows(arrangement, by_hand, folder):
    shown_here = drawing(arrangement)
    assert shown_here is not None
    edges = by_hand.edges(PLAN, "consortium")
    graph = nx.read_graphml(folder / "provider_graph.graphml")
    drawn = {
        pair: edge["spend"] for pair, edge in edges.items()
        if edge["spend"] > by_hand.cut[pair[1]] and "spend" in graph.edges[pair]
    }  # fmt: skip
    assert sum(p.whole for p in shown_here.providers) == pytest.approx(sum(drawn.values()), rel=1e-12)
    assert shown_here.missing == pytest.approx(1 - sum(drawn.values()) / sum(by_hand.here.values()), rel=1e-6)
    shared = 0
    for provider in shown_here.named:
        mine = [spend for (_, code), spend in drawn.items() if code == provider.code]
        assert (provider.whole, provider.bodies) == (pytest.approx(sum(mine)), len(mine))
        assert provider.most == pytest.approx(max(mine) / sum(mine))
        shared += len(mine) > 1 and max(mine) <= sum(mine) / 2
    assert shared > 1
    assert shown_here.title.startswith(f"{shared} of the {len(shown_here.named)} providers")
    largest = max(shown_here.named, key=lambda p: p.whole)
    for words in (shown_here.title, largest.name, f"£{largest.whole / 1e6:,.2f}m", "observed 100 %"):
        assert words in shown_here.described
    svg = (folder / "provider_graph.svg").read_text(encoding="utf-8")
    for words in (shown_here.title, "2010/11 prices", "Invented data.", "Flows: observed 100 %", largest.name):
        assert words in svg
    assert (folder / "provider_graph.png").read_bytes().startswith(b"\x89PNG")


def positions(shown_here: Drawing) -> list[tuple[float, float, float, float]]:
    """Where every text of the picture stands, in pixels."""
    figure = provider_picture._draw(shown_here)
    figure.draw_without_rendering()
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    found = [text.get_window_extent() for text in texts if text.get_text()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in found), "a text runs out of the picture"
    return [(box.x0, box.y0, box.x1, box.y1) for box in found]


def test_no_two_labels_of_the_picture_collide(arrangement):
    boxes = positions(drawing(arrangement))
    assert len(boxes) > 50
    for n, (left, bottom, right, top) in enumerate(boxes):
        for other in boxes[n + 1 :]:
            apart = other[0] >= right or other[2] <= left or other[1] >= top - 1 or other[3] <= bottom + 1
            assert apart, (boxes[n], other)


def test_many_bodies_are_drawn_at_a_larger_scale_or_gathered(demo):
    """54 localities are too many to draw: the map of PCNs alone is drawn with the rest of them as one."""
    today = existing_structure(demo, SCENARIO)
    alone = Arrangement(demo, SCENARIO.model_copy(update={"anchor_scale": "locality"}), today)
    assert len(drawing(alone).bodies) == len(today.bodies["consortium"])
    only = membership_structure(demo, SCENARIO, {p.code: {"locality": p.existing["locality"]} for p in demo.practices})
    gathered = drawing(Arrangement(demo, SCENARIO, only))
    assert len(gathered.bodies) == 30 and gathered.bodies[-1] == f"{len(only.bodies['locality']) - 29} more"
    picture_bytes(gathered)


def test_nothing_is_drawn_without_flows(demo, tmp_path):
    nothing = replace(plans.plan(), dataset=replace(plans.dataset(), flows=type(demo.flows).none(), providers=()))
    write_providers(Arrangement.of(nothing), tmp_path)
    assert not list(tmp_path.glob("*.svg")) and rows(tmp_path / "provider_power.csv") == []
    assert nx.read_graphml(tmp_path / "provider_graph.graphml").number_of_edges() == 0


def test_a_map_that_nobody_optimised_has_a_graph_too(demo, tmp_path):
    today = existing_structure(demo, SCENARIO)
    publish_graph(Arrangement(demo, SCENARIO, today, map=TODAY), tmp_path / "now", {})
    names = {path.name for path in (tmp_path / "now").iterdir()}
    assert {"manifest.json", "provider_graph.graphml", "provider_graph.svg", "provider_power.csv"} <= names
    assert {r["map"] for r in rows(tmp_path / "now" / "provider_shares.csv")} == {TODAY}
    graph = nx.read_graphml(tmp_path / "now" / "provider_graph.graphml")
    assert all(facts["spend"] % 10_000 == 0 for *_, facts in graph.edges(data=True) if "spend" in facts)
    for row in rows(tmp_path / "now" / "provider_power.csv"):
        assert row["today_hhi"] == row["placed_hhi"] == "" and row["alone_hhi"]
    with pytest.raises(OutputError, match="--overwrite"):
        publish_graph(Arrangement(demo, SCENARIO, today, map=DRAWN), tmp_path / "now", {})
