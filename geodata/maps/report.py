"""report.html: the plan as a short board paper, in one file that needs neither network nor script."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geodata import breakaway_table, plan_tables, provider_tables
from geodata.arrangement import Arrangement
from geodata.maps import cost_sections, risk_sections, words
from geodata.maps.figures import figure_bytes
from geodata.maps.page import facts
from geodata.maps.provider_drawing import POOLED, drawing
from geodata.maps.provider_picture import picture_bytes
from geodata.maps.service_sections import sections
from geodata.maps.template import asset, environment, policy

MOSTLY = 0.5  # of spending must be known well enough before an average over providers is stated

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan


def write_report(plan: Plan, ground: Ground, path: Path) -> None:
    """Write report.html."""
    path.write_text(render_report(plan, ground), encoding="utf-8", newline="\n")


def render_report(plan: Plan, ground: Ground) -> str:
    """Question, headline, map of the anchor scale, evidence, forces, sensitivity, services, risk, validation,
    warnings."""
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}"
    anchor = plan.scenario.scale(plan.scenario.anchor_scale)
    picture = base64.b64encode(figure_bytes(plan, ground, anchor.name)).decode()
    return environment().get_template("report.html.j2").render(
        **facts(plan),
        policy=policy(style=style),
        style=Markup(style),
        anchor=anchor,
        picture=f"data:image/png;base64,{picture}",
        bodies=[row for row in plan_tables.bodies(plan).records() if row["scale"] == anchor.name],
        columns=[(m.name, m.label, m.unit) for m in plan_tables.measures(plan.scorecard)],
        **sections(plan),
        **cost_sections.sections(plan),
        **risk_sections.sections(plan),
        providers=_providers(plan),
        elsewhere=breakaway_table.shown(plan),
        smaller=plan_tables.scale_word(plan, plan.scenario.below(anchor.name) or "practice"),
    )  # fmt: skip


def _providers(plan: Plan) -> dict[str, Any] | None:
    """The picture of the provider graph, its words and its figures; None where no edge is material."""
    arrangement = Arrangement.of(plan)
    shown = drawing(arrangement)
    if shown is None:
        return None
    power = {str(row["provider"]): row for row in provider_tables.provider_power(arrangement).records()}
    weight, known = provider_tables.average_weight(arrangement)
    views = list(arrangement.purchasers)
    rows: list[dict[str, Any]] = []
    for provider in sorted(shown.providers, key=lambda p: (p.kind == POOLED, -p.whole)):
        row = power.get(provider.code, {})
        tag, meaning = words.evidence_tag(str(row.get("label", "")))
        rows.append({
            "name": provider.name,
            "paid": provider.whole,
            "payers": provider.bodies,
            "most": None if provider.kind == POOLED else provider.most,
            "weights": [row.get(f"{view}_weight") for view in views],
            "concentrations": [_hundredths(row.get(f"{view}_hhi")) for view in views],
            "tag": tag,
            "meaning": meaning,
        })  # fmt: skip
    return {
        "picture": f"data:image/svg+xml;base64,{base64.b64encode(picture_bytes(shown, 'svg')).decode()}",
        "shown": shown,
        "rows": rows,
        "weight": weight if known >= MOSTLY else {},
        "known": known,
        "views": [provider_tables.VIEWS[view] for view in views],
        "today": arrangement.scenario.scale(arrangement.today_scale).plural if arrangement.today_scale else "",
    }


def _hundredths(value: object) -> str:
    """A number from 0 to 1 with two decimals, and never 0.00 for what is more."""
    if not isinstance(value, float):
        return words.show(value, "")
    return f"{value:.2f}" if value >= 0.005 or value == 0 else "< 0.01"
