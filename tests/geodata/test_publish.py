"""A run folder holds every file, hashed, or does not exist at all."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf

import numpy as np
import pytest
from pyproj import Transformer

from geodata.maps.figures import figure_bytes
from geodata.maps.map_data import encode
from geodata.maps.template import inline_json
from geodata.publish import OPEN_FIRST, publish
from optimiser import runs
from optimiser.caveats import unfinished
from optimiser.errors import DisclosureError, OutputError
from optimiser.partition.budget import Progress
from tests import plans

FILES = {
    "adjacency.csv", "allowances.csv", "attributes.csv", "bodies.csv", "bodies_today.csv", "breakaway.csv",
    "budget_changes.csv", "budgets.csv", "certificate.json", "contracts.csv", "cost_curve.png", "cost_curve.svg",
    "costs.csv", "five_questions.csv", "footprints.csv", "four_factors.csv", "function_costs.csv", "functions.csv",
    "insurance_risk.csv", "manifest.json", "map.html", "placement.csv", "plan.gpkg", "plan.xlsx", "practices.csv",
    "progress.csv", "provider_graph.graphml", "provider_graph.png", "provider_graph.svg",
    "provider_graph_alliance.graphml", "provider_graph_locality.graphml", "provider_graph_today_consortium.graphml",
    "provider_power.csv", "provider_shares.csv", "relationships.csv", "report.html", "risk_contributions.csv",
    "risk_fan.svg", "risk_levers.csv", "risk_pools.csv", "risk_subsidies.csv", "scenario.json",
    "service_exposures.csv", "service_risk.csv", "shared_officer.csv", "summary.json", "suppliers.csv", "teams.csv",
    "timings.json", "validation.csv", "why_here.csv", "wishes_answered.csv",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    plan = plans.plan()
    out = tmp_path_factory.mktemp("runs") / "run"
    publish(plan, plans.ground(plan.dataset), out, {"data": out.parent, "time_limit": 60})
    return out


def test_every_file_is_there_and_hashed(run):
    assert {p.name for p in run.iterdir()} == FILES
    assert set(OPEN_FIRST) <= FILES
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["unhashed"] == ["progress.csv", "timings.json"]
    assert set(manifest["outputs"]) == FILES - {"manifest.json", *manifest["unhashed"]}
    for name, found in manifest["outputs"].items():
        assert runs.digest(run / name) == found
    assert manifest["inputs"] == {"practices.csv": "ab" * 32}
    assert manifest["solver"]["gap"] == pytest.approx(0.02)
    assert set(manifest["solver"]["parts"]) == {"locality", "consortium", "alliance", "placement"}
    assert "practices.csv:6:deprivation: blank" in manifest["warnings"]


def test_the_same_plan_gives_the_same_manifest_however_long_it_took(run, tmp_path):
    lines = (Progress("locality", "bound", 90.0, 1e6, 2e6, 3), Progress("locality", "search", 1.0, -inf, inf, 0))
    slow = plans.plan(seconds={"structure": 900.0}, progress=lines)
    publish(slow, plans.ground(slow.dataset), tmp_path / "again", {"data": run.parent, "time_limit": 60})
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (run / "manifest.json").read_bytes()
    assert json.loads((run / "manifest.json").read_text())["reproducible"] is True
    assert (tmp_path / "again" / "progress.csv").read_text(encoding="utf-8-sig").splitlines() == [
        "seconds,scale,stage,bodies,incumbent,bound,gap",
        "90.0,locality,bound,3,2000000.0,1000000.0,0.5",
        "1.0,locality,search,,,,",
    ]


def test_a_plan_that_was_stopped_says_so_wherever_it_is_read(tmp_path):
    """A planner pressed Ctrl-C: map, paper, tables and manifest all call the plan unfinished."""
    cut = ("consortium", "services")
    plan = plans.plan(cut=cut, interrupted=True, warnings=tuple(unfinished(plans.plan().scenario, cut, True)))
    out = tmp_path / "run"
    publish(plan, plans.ground(plan.dataset), out, {})
    manifest, document = (json.loads((out / name).read_text()) for name in ("manifest.json", "summary.json"))
    assert manifest["status"] == document["status"] == "interrupted: kept the best plan found"
    assert manifest["reproducible"] is document["reproducible"] is False
    assert manifest["cut_short"] == document["cut_short"] == list(cut)
    for page in ("map.html", "report.html"):
        text = (out / page).read_text()
        assert "Unfinished, the best found when the work was stopped" in text
        assert "The work was stopped by hand at: consortia, services" in text
        assert "Best for these assumptions" not in text


def test_a_plan_that_a_clock_cut_is_not_called_reproducible(tmp_path):
    plan = plans.plan(cut=("sensitivity",))
    publish(plan, plans.ground(plan.dataset), tmp_path / "run", {})
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["reproducible"] is False and manifest["cut_short"] == ["sensitivity"]
    assert manifest["status"].startswith("feasible"), "a limit that passes is no failure"


def test_no_file_tells_where_it_was_made_or_what_was_said_in_confidence(run):
    for path in run.iterdir():
        content = path.read_bytes()
        assert str(run.parent).encode() not in content, path.name
        assert b"0.8125" not in content, path.name


def test_a_leak_publishes_nothing_and_keeps_the_older_run(run):
    before = (run / "manifest.json").read_bytes()
    plan = plans.plan(warnings=("P03 and P12 do not get on",))
    with pytest.raises(DisclosureError):
        publish(plan, plans.ground(plan.dataset), run, {}, overwrite=True)
    assert (run / "manifest.json").read_bytes() == before
    assert [p.name for p in run.parent.iterdir()] == ["run"]


def test_an_existing_run_is_refused(run):
    plan = plans.plan()
    with pytest.raises(OutputError, match="--overwrite"):
        publish(plan, plans.ground(plan.dataset), run, {})


def test_a_plan_of_structure_alone_can_be_published(tmp_path):
    plan = replace(plans.plan(), placement=None, baseline=None, sensitivity=())
    publish(plan, plans.ground(plan.dataset), tmp_path / "run", {})
    assert "five questions" not in (tmp_path / "run" / "report.html").read_text().lower()


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_figures_are_drawn_the_same_each_time(kind):
    plan = plans.plan(names=["$x$ & <b>", *"BCDEFGHIJKL"])
    ground = plans.ground(plan.dataset)
    first = figure_bytes(plan, ground, "locality", kind)
    assert first == figure_bytes(plan, ground, "locality", kind)
    assert first.startswith(b"\x89PNG" if kind == "png" else b"<?xml")


def test_inlined_data_cannot_end_its_script():
    text = inline_json({"name": "</script><!--\u2028&"})
    assert "<" not in text and "&" not in text and "\u2028" not in text
    assert json.loads(text) == {"name": "</script><!--\u2028&"}


def test_outlines_come_back_within_a_metre():
    plan = plans.plan()
    cell = plans.ground(plan.dataset).catchments.geometry[0]
    ((ring,),) = encode(cell)
    degrees = np.cumsum(np.array(ring).reshape(-1, 2), axis=0) / 100_000
    metres = np.column_stack(Transformer.from_crs("OGC:CRS84", "EPSG:27700", always_xy=True).transform(*degrees.T))
    corners = np.array(cell.exterior.coords)[:-1]
    assert metres.shape == corners.shape
    assert np.abs(metres - corners).max() < 1.0
