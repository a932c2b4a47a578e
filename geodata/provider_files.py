"""The provider graph as GraphML, a file for each scale, small counts hidden: for networkx, Gephi and other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx as nx

from geodata.arrangement import TODAY, Arrangement, Level
from geodata.disclosure import HIDDEN, Rule, hidden_with, suppress
from optimiser.providers import provider_graph

ROUGH = -4  # to £10,000: what is rounded so gives no small count away
DECIMALS = 3  # of an average over bodies, likewise


def write_graphs(arrangement: Arrangement, folder: Path) -> None:
    """provider_graph.graphml of the commissioning scale, with every service; provider_graph_<scale>.graphml of the
    other scales and provider_graph_today_<scale>.graphml of today's bodies, without. Scales below the commissioning one
    hold material edges only."""
    for level in arrangement.levels:
        main = not level.compared and level.scale == arrangement.anchor
        name = "" if main else f"_today_{level.scale}" if level.compared else f"_{level.scale}"
        graph = published(arrangement, level, detail=main)
        nx.write_graphml_xml(graph, folder / f"provider_graph{name}.graphml", prettyprint=True)


def published(arrangement: Arrangement, level: Level, detail: bool) -> nx.Graph:
    """One scale's provider graph as it may be published: counts of cases hidden and rounded, and the spend that would
    give them away left out, so that neither an edge's total less its services, nor a larger body's edge less those of
    its members, reveals one. Spend of nodes, and all spend of today's bodies (which overlap the plan's), is rounded."""
    dataset, rule = arrangement.dataset, arrangement.scenario.disclosure
    whole = provider_graph(dataset, level.bodies, level.flows, arrangement.scenario.leverage, level.cut, detail)
    body_at = {body.code: b for b, body in enumerate(level.bodies)}
    provider_at = {provider.code: p for p, provider in enumerate(dataset.providers)}
    safe = nx.Graph(
        map=level.map,
        scale=level.scale,
        dataset=dataset.info.name,
        price_year=dataset.info.price_year,
        list_year=dataset.info.list_year,
        edges="all" if level.whole else "above materiality",
    )
    for node, facts in whole.nodes(data=True):
        hhi = facts["hhi"] if level.map != TODAY else round(facts["hhi"], DECIMALS)
        spend = float(round(facts["spend"], ROUGH))
        safe.add_node(node, **facts | {"label": facts["name"], "spend": spend, "hhi": hhi})
    for body, provider, facts in whole.edges(data=True):
        at = body_at[body], provider_at[provider]
        if facts["material"] or level.whole:
            exact = facts if level.map != TODAY else _rough(facts, float(level.flows.income[at[1]]))
            spent = safe.nodes[body]["spend"]
            ours = {"share_of_body": min(exact["spend"] / spent, 1.0) if spent else 0.0, "weight": exact["spend"]}
            safe.add_edge(body, provider, **safe_edge({**exact, **ours}, rule, bool(level.hidden[at])))
    return safe


def safe_edge(facts: dict[str, Any], rule: Rule, hidden: bool = False) -> dict[str, Any]:
    """The facts of an edge that may be seen. hidden: none of its numbers may, whatever they are."""
    by_service = {key.removeprefix("activity:"): cases for key, cases in facts.items() if key.startswith("activity:")}
    few = hidden_with(by_service, rule)
    total = HIDDEN if hidden else suppress(facts["activity"], rule)
    safe: dict[str, Any] = {}
    for key, value in facts.items():
        name, _, service = key.partition(":")
        unseen = service in few or total == HIDDEN
        if name == "activity":
            safe[key] = str(HIDDEN if unseen else suppress(value, rule))
        elif not (unseen and isinstance(value, float)):
            safe[key] = value
    return safe


def _rough(facts: dict[str, Any], income: float) -> dict[str, Any]:
    spend = float(round(facts["spend"], ROUGH))
    share = {"share_of_provider": min(spend / income, 1.0)} if "share_of_provider" in facts else {}
    return {**facts, "spend": spend, **share}
