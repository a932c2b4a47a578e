"""A run folder holds every file, hashed, or does not exist at all."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Transformer

from geodata.maps.figures import figure_bytes
from geodata.maps.map_data import encode
from geodata.maps.template import inline_json
from geodata.publish import OPEN_FIRST, publish
from optimiser import runs
from optimiser.errors import DisclosureError, OutputError
from tests import plans

FILES = {
    "adjacency.csv", "attributes.csv", "bodies.csv", "bodies_today.csv", "certificate.json", "contracts.csv",
    "five_questions.csv", "footprints.csv", "functions.csv", "manifest.json", "map.html", "placement.csv",
    "plan.gpkg", "plan.xlsx", "practices.csv", "provider_graph.graphml", "relationships.csv", "report.html",
    "scenario.json", "summary.json", "timings.json",
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
    assert set(manifest["outputs"]) == FILES - {"manifest.json", "timings.json"}
    for name, found in manifest["outputs"].items():
        assert runs.digest(run / name) == found
    assert manifest["inputs"] == {"practices.csv": "ab" * 32}
    assert manifest["solver"]["gap"] == pytest.approx(0.02)
    assert set(manifest["solver"]["parts"]) == {"locality", "consortium", "alliance", "placement"}
    assert "practices.csv:6:deprivation: blank" in manifest["warnings"]


def test_the_same_plan_gives_the_same_manifest_however_long_it_took(run, tmp_path):
    slow = plans.plan(seconds={"structure": 900.0})
    publish(slow, plans.ground(slow.dataset), tmp_path / "again", {"data": run.parent, "time_limit": 60})
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (run / "manifest.json").read_bytes()


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
