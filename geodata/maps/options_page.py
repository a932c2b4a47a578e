"""options.html: the options side by side as a paper for a board, in one file that needs neither network nor script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from geodata import option_tables, summary
from geodata.maps.option_picture import dots, dots_bytes
from geodata.maps.template import asset, environment, policy
from geodata.maps.words import bare, evidence_tag
from geodata.option_document import assumed
from geodata.option_tables import LINES, PROOF, WAY, Line, columns_of, evidence, value
from geodata.plan_tables import capital
from optimiser.five_questions import QUESTIONS

if TYPE_CHECKING:
    from optimiser.option_terms import Form
    from optimiser.options import Comparison

HEADINGS = (
    ("Money, £ a head a year", ("cash", "expected", "notional", "leverage")),
    ("Luck", ("overspend", "over_1", "overspend_alone", "reserve", "reserve_luck", "reserve_alone")),
    ("Providers", ("exposed", "provider_share")),
    ("People and places", ("engagement", "alignment", "autonomy", "autonomy_of_spend")),
    ("Bodies", ("bodies", "median", "smallest", "largest", "moved")),
    ("The way there, £", ("saving", "saving_first", "one_off", "late", "undone", "delayed", "pays_back")),
    ("How far it is proved", ("structure_gap", "services_gap")),
)
WHAT: dict[Form, str] = {
    "standalone": "Each carries all its risk, employs a team for everything, and commissions with others only what "
    "needs more people than it has.",
    "pooled": "Each stays independent; risk is pooled in alliances, whose bodies share an accountable officer and "
    "team. Whatever is better decided locally stays there.",
    "merged": "A few large bodies of a million or more, or one, with one team each for everything.",
    "mixed": "The scenario as it is: each service at the scale that suits it, risk held where the scenario says.",
}
BEST_AT = {
    "cash": "costs least cash",
    "overspend": "is least at the mercy of luck",
    "engagement": "keeps most GPs engaged",
    "autonomy": "leaves most to be decided by the groups there are",
}
MOST_ALIKE = 2  # forms that share the best figure and are marked: where more do, none stands out
KINDS = {"cash": "cash", "expected_financial": "expected", "notional": "notional"}


def write_options(found: Comparison, path: Path) -> None:
    """Write options.html."""
    path.write_text(render_options(found), encoding="utf-8", newline="\n")


def render_options(found: Comparison) -> str:
    """Headline, table, dot plot, both sides of each, the way there, the five questions, what is assumed."""
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}\n{asset('templates/options.css')}"
    shown = dots(found)
    return environment().get_template("options.html.j2").render(
        info=found.dataset.info,
        scenario=found.scenario,
        anchor=found.scenario.scale(found.scenario.anchor_scale),
        found=found,
        tags=_tags(found),
        headline=headline(found),
        named=[capital(name) for name, _ in columns_of(found)],
        groups=[(heading, [_row(found, line) for line in _lines(names)]) for heading, names in HEADINGS],
        tolerance=option_tables.tolerance(found),
        picture=base64.b64encode(dots_bytes(shown)).decode() if shown is not None else "",
        described=shown.described if shown is not None else "",
        options=found.options,
        what=WHAT,
        pools=list(_pools(found)),
        allowances=_allowances(found),
        questions=QUESTIONS,
        assumed=assumed(found),
        vintages=summary.vintage_line(found),
        policy=policy(style=style),
        style=Markup(style),
    )  # fmt: skip


def headline(found: Comparison) -> str:
    """The comparison in two sentences: who is best at what."""
    won: dict[str, list[str]] = {}
    for line in (line for line in LINES if line.name in BEST_AT):
        values = {o.terms.form: value(found, o, line) for o in found.options}
        known = {form: v for form, v in values.items() if v is not None}
        if len(known) < len(values):
            continue
        best = (min if line.better == "low" else max)(known.values())
        first = [form for form, v in known.items() if bare(v, line.unit) == bare(best, line.unit)]
        if len(first) == 1:
            won.setdefault(first[0], []).append(f"{BEST_AT[line.name]} ({bare(best, line.unit)})")
    said = capital("; ".join(f"{form} {' and '.join(what)}" for form, what in won.items()))
    return f"{said}. None is best at everything." if len(won) > 1 else f"{said or 'No figure sets one form apart'}."


def _allowances(found: Comparison) -> list[dict[str, Any]]:
    """Each allowance, and how far each option is short of it, £ a head."""
    rows = option_tables.allowances(found).records()
    return [
        {"name": name, "per_head": amount, "gaps": [r["gap_per_head"] for r in rows if r["allowance"] == name]}
        for name, amount in found.scenario.allowances.items()
    ]


def _pools(found: Comparison) -> Iterator[dict[str, Any]]:
    """Each pool of each form: what it holds, who pays for whom, and who would be better off outside."""
    rows = option_tables.pools(found).records()
    for option in found.options:
        form = option.terms.form
        for pool in option.luck.pools:
            own = [r for r in rows if r["option"] == form and r["pool"] == pool.code]
            leavers = [str(own[m]["member_name"]) for m in pool.flat.members]
            yield {
                "option": option.terms.name, "name": own[0]["pool_name"], "rows": own, "pool": pool,
                "share": pool.held / pool.budget if pool.budget else 0.0, "leavers": leavers,
            }  # fmt: skip


def _tags(found: Comparison) -> list[str]:
    tags = ["Premature"] if found.premature else []
    return tags + (["Invented data"] if found.dataset.info.synthetic else [])


def _lines(names: tuple[str, ...]) -> list[Line]:
    by_name = {line.name: line for line in (*LINES, *WAY, *PROOF)}
    return [by_name[name] for name in names]


def _row(found: Comparison, line: Line) -> dict[str, Any]:
    """A figure of every option, the best of the four marked."""
    values = [(option is not None, value(found, option, line)) for _, option in columns_of(found)]
    forms = [v for planned, v in values if planned and v is not None]
    shown = [bare(v, line.unit) if v is not None else "–" for _, v in values]
    if line.name == "pays_back":
        shown = ["–" if not planned else "never" if v is None else f"{v:.0f}" for planned, v in values]
    best = bare((min if line.better == "low" else max)(forms), line.unit) if line.better and forms else ""
    marked = sum(bare(v, line.unit) == best for v in forms) <= MOST_ALIKE
    tag, meaning = evidence_tag(evidence(found, line))
    return {
        "title": line.title,
        "note": line.note if line.name != "pays_back" else "",
        "kind": KINDS.get(line.kind, "") if line.unit.startswith("£") and line.name not in line.kind else "",
        "tag": tag,
        "meaning": meaning,
        "cells": [(t, marked and t == best and planned) for (planned, _), t in zip(values, shown, strict=True)],
    }
