"""The provider graph's figures, each recomputed by hand from a few flows."""

from __future__ import annotations

import io

import networkx as nx
import numpy as np
import pytest

from optimiser import providers
from optimiser.domain import EVIDENCE
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
PRACTICES = [tiny.practice(i) for i in range(3)]
SERVICES = [tiny.service("S1"), tiny.service("S2")]
PROVIDERS = [tiny.provider("RA", income=10e6), tiny.provider("RB"), tiny.provider("RC", kind="ambulance")]
ROWS = [
    (0, 0, 0, 3e6),
    (1, 0, 0, 1e6),
    (1, 0, 1, 0.5e6),
    (1, 1, 0, 2e6),
    (2, 1, 0, 6e6),
    (2, 1, 1, 0.1e6),
]


@pytest.fixture
def world():
    data = tiny.dataset(PRACTICES, SERVICES, PROVIDERS, ROWS)
    made = tiny.structure(data, {"consortium": [[0], [1, 2]]})
    return data, made.bodies["consortium"], providers.aggregate(data, made.membership["consortium"], 2)


def test_flows_sum_to_bodies(world):
    _, _, flows = world
    assert flows.table.tolist() == [[3e6, 0, 0], [1.5e6, 8.1e6, 0]]
    assert flows.cube[1, 1].tolist() == [8e6, 0.1e6]
    assert flows.activity.sum() == pytest.approx(12_600)


def test_shares_divide_by_the_whole_income_of_the_provider(world):
    _, _, flows = world
    assert flows.income.tolist() == [10e6, 8.1e6, 0]
    assert flows.shares.tolist() == [[0.3, 0, 0], [0.15, 1.0, 0]]


def test_stated_income_below_its_flows_is_not_believed():
    data = tiny.dataset(PRACTICES, SERVICES, [tiny.provider("RA", income=1.0), *PROVIDERS[1:]], ROWS)
    assert providers.provider_income(data)[0] == 4.5e6


def test_edges_carry_spend_share_band_and_services(world):
    data, bodies, flows = world
    graph = providers.provider_graph(data, bodies, flows, BASE.leverage, providers.materiality(data, BASE.contracts))
    edge = graph.edges["consortium-02", "RA"]
    assert edge["spend"] == 1.5e6 and edge["share_of_provider"] == 0.15 and edge["band"] == "associate"
    assert edge["spend:S2"] == 0.5e6 and edge["activity:S1"] == 1000
    assert edge["share_of_body"] == pytest.approx(1.5 / 9.6)
    assert graph.edges["consortium-01", "RA"]["band"] == "significant"
    assert graph.edges["consortium-02", "RB"]["band"] == "lead"
    assert graph.degree("RC") == 0
    assert graph.nodes["consortium-01"]["hhi"] == 1.0
    assert graph.nodes["consortium-02"]["contracts"] == 2 and graph.nodes["RA"]["purchasers"] == 2
    assert edge["material"] == 1
    assert graph.nodes["RA"]["hhi"] == pytest.approx((3 / 4.5) ** 2 + (1.5 / 4.5) ** 2)
    out = io.BytesIO()
    nx.write_graphml(graph, out)
    assert b"consortium-02" in out.getvalue()


def test_bands_are_withheld_when_flows_are_assumed():
    data = tiny.dataset(PRACTICES, SERVICES, PROVIDERS, ROWS)
    weak = data.flows.label.copy()
    weak[0] = EVIDENCE.index("distance only")
    changed = type(data.flows)(
        *(getattr(data.flows, f) for f in ("practice", "provider", "service", "activity", "spend")), weak
    )
    data = type(data)(**{**{f: getattr(data, f) for f in data.__dataclass_fields__}, "flows": changed})
    made = tiny.structure(data, {"consortium": [[0], [1, 2]]})
    flows = providers.aggregate(data, made.membership["consortium"], 2)
    cut = providers.materiality(data, BASE.contracts)
    graph = providers.provider_graph(data, made.bodies["consortium"], flows, BASE.leverage, cut)
    assert graph.edges["consortium-01", "RA"]["band"] == providers.WITHHELD
    assert "share_of_provider" not in graph.edges["consortium-01", "RA"], "the band would follow from it"
    assert graph.edges["consortium-02", "RA"]["band"] == "associate"


def test_materiality_grades_and_contract_counts(world):
    data, _, flows = world
    cut = providers.materiality(data, BASE.contracts)
    assert cut.tolist() == pytest.approx([22_500, 40_500, 0])
    assert providers.material_contracts(flows, cut).tolist() == [1, 2]
    assert [providers.grade(s, BASE.contracts) for s in (0.2, 0.199, 0.05, 0.049)] == [
        "lead",
        "associate",
        "associate",
        "small",
    ]


def test_dependence_both_ways(world):
    _, _, flows = world
    on_provider, on_body = providers.dependence(flows)
    assert on_provider[0].tolist() == [1, 0, 0]
    assert on_body[1].tolist() == [0.15, 1.0, 0]


def test_projection_counts_spend_on_the_same_provider_for_the_same_service(world):
    _, bodies, flows = world
    graph = providers.projection(bodies, flows)
    assert graph.edges["consortium-01", "consortium-02"]["weight"] == 1e6
    assert not providers.projection(bodies, flows, services=[1]).edges
    assert np.trace(providers.shared_spend(flows)) == 0
