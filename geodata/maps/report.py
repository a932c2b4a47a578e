"""report.html: the plan as a short board paper, in one file that needs neither network nor script."""

from __future__ import annotations

import base64
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geodata import plan_tables, service_tables
from geodata.maps.figures import figure_bytes
from geodata.maps.page import facts
from geodata.maps.template import asset, environment, policy
from optimiser.five_questions import QUESTIONS

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.plan import Plan


def write_report(plan: Plan, ground: Ground, path: Path) -> None:
    """Write report.html."""
    path.write_text(render_report(plan, ground), encoding="utf-8", newline="\n")


def render_report(plan: Plan, ground: Ground) -> str:
    """Question, headline, map of the anchor scale, evidence, forces, sensitivity, five questions, warnings."""
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
        questions=_questions(plan),
    )  # fmt: skip


def _questions(plan: Plan) -> list[tuple[str, list[dict[str, Any]]]]:
    """The five questions in order, each with its answers; a question that nothing answers keeps an empty list."""
    rows = service_tables.five_questions(plan).records()
    if not rows:
        return []
    answers = {number: list(found) for number, found in groupby(rows, key=lambda row: row["question"])}
    described = {
        number: [row | {"where": plan_tables.scale_word(plan, str(row["scale"]))} for row in found]
        for number, found in answers.items()
    }
    return [(text, described.get(number, [])) for number, text in enumerate(QUESTIONS, start=1)]
