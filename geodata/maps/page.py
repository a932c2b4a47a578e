"""map.html: one file that shows the plan in any browser, with no network, and a table of everything the map shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geodata import force_tables, pin_table, plan_tables, summary
from geodata.maps import words
from geodata.maps.map_data import map_data
from geodata.maps.shapes import TOLERANCE
from geodata.maps.template import asset, environment, inline_json, policy

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan

ABOUT = (
    "Catchments are drawn around practices and joined. Registered lists overlap, so a border shows which practice is "
    "nearest, not which patients belong where."
)


def write_map(plan: Plan, ground: Ground, path: Path, tolerance: float = TOLERANCE) -> None:
    """Write map.html. tolerance: metres by which borders may be simplified."""
    path.write_text(render_map(plan, ground, tolerance), encoding="utf-8", newline="\n")


def render_map(plan: Plan, ground: Ground, tolerance: float = TOLERANCE) -> str:
    """The page as text: data, script and style inline, named by hash in its policy, so that nothing else can run."""
    script = f"{asset('vendor/leaflet.js')}\n{asset('templates/map.js')}"
    style = f"{asset('vendor/leaflet.css')}\n{asset('templates/page.css')}\n{asset('templates/map.css')}"
    return environment().get_template("map.html.j2").render(
        **facts(plan),
        about=ABOUT,
        policy=policy(script=script, style=style),
        script=Markup(script),
        style=Markup(style),
        data=Markup(inline_json(map_data(plan, ground, tolerance))),
    )  # fmt: skip


def facts(plan: Plan) -> dict[str, Any]:
    """What both pages say of a plan in words and figures."""
    document = summary.summary(plan)
    return {
        "document": document,
        "proof": summary.proof(plan),
        "scales": [document["scales"][s.name] for s in reversed(plan.scenario.scales)],
        "vintages": summary.vintage_line(plan),
        "comparison": comparison(plan),
        "forces": force_tables.forces(plan).records(),
        "sensitivity": force_tables.sensitivity(plan).records(),
        "pins": decided.records() if (decided := pin_table.pins(plan)) is not None else [],
        "planned": [(s.name, s.plural) for s in plan.scenario.scales],
        "today": plan.baseline is not None,
        "tags": tags(plan),
    }


def comparison(plan: Plan) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Today beside the plan, grouped: scale ("" for the region as a whole), heading, rows; the anchor scale first."""
    groups: dict[str, list[dict[str, Any]]] = {"": []}
    order = sorted(plan.structure.scales, key=lambda scale: scale != plan.scenario.anchor_scale)
    for row in force_tables.comparison(plan).records():
        name, label = str(row["measure"]), str(row["label"])
        scale = next((s for s in order if name.endswith(f"_{s}")), "")
        tag, meaning = words.evidence_tag(str(row["evidence"]))
        if scale and ": " in label:
            label = plan_tables.capital(label.partition(": ")[2])
        groups.setdefault(scale, []).append(row | {"label": label, "tag": tag, "meaning": meaning})
    headings = {"": "The region as a whole"} | {s: plan_tables.capital(plan.scenario.scale(s).plural) for s in order}
    return [(scale, headings[scale], groups[scale]) for scale in ("", *order) if groups.get(scale)]


def tags(plan: Plan) -> list[str]:
    """What a reader must know at first sight."""
    found = ["Unfinished"] if plan.interrupted else []
    if plan.dataset.info.synthetic:
        found.append("Invented data")
    flows = summary.estimated(plan)["flows"]
    if sum(entry["share"] for label, entry in flows.items() if label != "observed") > 0.005:  # type: ignore[attr-defined]
        found.append("Patient flows partly estimated")
    return found
