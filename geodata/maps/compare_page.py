"""compare.html: plans side by side on one page on which a region can choose; one file, no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from geodata import compare_between, compare_tables, summary
from geodata.compare_document import title
from geodata.compare_words import (
    family,
    gains_and_costs,
    headlines,
    settled_said,
    verdict,
    who_moves,
)
from geodata.maps.alluvial import alluvial, alluvial_bytes
from geodata.maps.compare_maps import MOST_PLANS, side_by_side
from geodata.maps.compare_maps import who_moves as moves_drawn
from geodata.maps.template import asset, environment, policy
from geodata.maps.words import bare, evidence_tag, suffix
from geodata.plan_tables import capital
from optimiser.matching import FATES
from optimiser.wording import percent, within

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.compare import Compared

MOST_CHANGES, MOST_GROUPS, MOST_OPEN = 60, 20, 40
KINDS = {"cash": "cash", "expected_financial": "expected", "notional": "notional"}
SAID = ("bodies", "councils", "practices", "rank correlation")  # units that labels say already
STAND_IN = "agreement_"  # how these measures' names begin
MARKS = {"better": "▲ better", "worse": "▽ worse", "same": "= same", "": ""}
TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def draw_comparison(found: Compared, ground: Ground) -> dict[str, bytes]:
    """File name → picture: maps, who moves, patients between bodies. The first four plans; at the scale compared."""
    drawn = alluvial(found)
    return {
        "compare_maps.png": side_by_side(found, ground, "png"),
        "compare_moves.png": moves_drawn(found, ground, "png"),
        "compare_streams.svg": alluvial_bytes(drawn, "svg"),
        "compare_streams.png": alluvial_bytes(drawn, "png"),
    }


def write_comparison(found: Compared, notes: Sequence[str], pictures: Mapping[str, bytes], path: Path) -> None:
    """Write compare.html. pictures: as `draw_comparison` gives them, none where plans have no scale in common."""
    path.write_text(render_comparison(found, notes, pictures), encoding="utf-8", newline="\n")


def render_comparison(found: Compared, notes: Sequence[str], pictures: Mapping[str, bytes]) -> str:
    """Headline, who moves and what it gains and costs, tables, pictures, what is settled and what is open."""
    style = "\n".join(asset(f"templates/{name}.css") for name in ("page", "report", "options", "compare"))
    scale = found.scenario.scale(found.scale) if found.scale else None
    return environment().get_template("compare.html.j2").render(
        info=found.dataset.info,
        title=title(found),
        scenario=found.scenario,
        found=found,
        scale=scale,
        first=found.plans[0],
        headlines=headlines(found),
        cards=_cards(found),
        groups=_groups(found),
        unknown=_unknown(found),
        prices=_prices(found),
        broken=[(plan.name, plan.broken) for plan in found.plans],
        pairs=[r for r in compare_between.pairs(found).records() if r["scale"] == found.scale],
        others=[r for r in compare_between.pairs(found).records() if r["scale"] != found.scale],
        fates=FATES,
        changes=_changes(found),
        most=MOST_CHANGES,
        effects=_effects(found),
        settled=settled_said(found),
        together=_together(found),
        unsettled=_unsettled(found),
        images={name.partition(".")[0]: _inline(name, content) for name, content in pictures.items()
                if name != "compare_streams.png"},
        drawn=min(len(found.plans), MOST_PLANS),
        notes=notes,
        vintages=summary.vintage_line(found),
        policy=policy(style=style),
        style=Markup(style),
    )  # fmt: skip


def _inline(name: str, content: bytes) -> str:
    return f"data:{TYPES[name.rpartition('.')[2]]};base64,{base64.b64encode(content).decode()}"


def _cards(found: Compared) -> list[dict[str, Any]]:
    """Who moves, what it gains, what it costs: each plan against the first."""
    return [
        {
            "name": found.plans[b.other].name,
            "moves": who_moves(found, b),
            "gains": gains_and_costs(found, found.plans[b.other], "better"),
            "costs": gains_and_costs(found, found.plans[b.other], "worse"),
            "rules": len(found.plans[b.other].broken),
        }
        for b in compare_between.between_first(found)
    ]


def _groups(found: Compared) -> list[tuple[str, list[dict[str, Any]]]]:
    """Measures grouped: true ones of the region and of each scale, the compared one first; prices last."""
    order = sorted(found.scales, key=lambda s: s != found.scale)
    groups: dict[str, list[dict[str, Any]]] = {"": [], **{s: [] for s in order}, "money": [], STAND_IN: []}
    for record in compare_tables.measures(found).records():
        name, scale = str(record["measure"]), str(record["scale"])
        met = [plan.card.region.get(name) for plan in found.plans]
        tag, meaning = evidence_tag(str(record["evidence"]).partition(";")[0])
        kind, label, unit = str(record["kind"]), str(record["label"]), str(record["unit"])
        if all(m is None or m.value is None for m in met):
            continue
        cells = [(bare(m.value if m else None, unit), MARKS[verdict(found, name, met[0], m)] if k else "")
                 for k, m in enumerate(met)]  # fmt: skip
        if scale and ": " in label:
            label = capital(label.partition(": ")[2])
        if family(name, found.scales)[0] == "moved_patients":
            label += " (counted from today)"
        stands_in = name.startswith(STAND_IN)
        place = "money" if kind in KINDS else STAND_IN if stands_in else scale
        label = capital(label.partition(": ")[2]) if stands_in else label
        groups[place].append({
            "label": label, "unit": suffix(unit) if unit not in SAID else "", "kind": KINDS.get(kind, ""), "tag": tag,
            "meaning": meaning, "cells": cells,
        })  # fmt: skip
    headings = {
        "": "The region as a whole",
        "money": "Prices: money, risk and judgement in pounds",
        STAND_IN: "How well stand-ins that the optimiser prices rank bodies as the truth does, 1 at best",
    }
    headings |= {s: capital(found.scenario.scale(s).plural) for s in order}
    return [(headings[key], rows) for key, rows in groups.items() if rows]


def _unknown(found: Compared) -> list[str]:
    """Measures that are known of no plan: the dataset does not say, or what it says is too weak."""
    rows = compare_tables.measures(found).records()
    return [str(r["label"]) for r in rows if all(r[plan.name] is None for plan in found.plans)]


def _prices(found: Compared) -> list[dict[str, Any]]:
    """Each scale's price under each plan, the bound, and how far above it each is."""
    rows = []
    for scale in found.common:
        above = [found.above_bound(plan, scale) for plan in found.plans]
        rows.append({
            "name": capital(found.scenario.scale(scale).plural),
            "cells": [(plan.price(scale), _above(gap)) for plan, gap in zip(found.plans, above, strict=True)],
            "bound": found.bounds.get(scale),
        })  # fmt: skip
    return rows


def _above(gap: float | None) -> str:
    """How far a price is above the bound, in words."""
    if gap is None:
        return ""
    return f"{percent(-gap)} below the bound" if gap < -1e-9 else f"within {within(gap)} of it"


def _changes(found: Compared) -> list[dict[str, Any]]:
    """What became of bodies, from the first plan to each other, at the scale compared."""
    rows = compare_between.changes(found).records()
    return [
        {"name": found.plans[b.other].name,
         "rows": [r for r in rows if r["one"] == found.plans[0].name and r["other"] == found.plans[b.other].name
                  and r["scale"] == found.scale]}
        for b in compare_between.between_first(found)
    ]  # fmt: skip


def _effects(found: Compared) -> list[dict[str, Any]]:
    return [
        {"name": found.plans[b.other].name, "effects": [e for e in b.effects if e.known]}
        for b in compare_between.between_first(found)
    ]


def _together(found: Compared) -> list[dict[str, Any]]:
    return compare_between.settled(found).records()[:MOST_GROUPS]


def _unsettled(found: Compared) -> list[dict[str, Any]]:
    """Open practices, those that keep least of their company first, with their body under every plan."""
    if found.settled is None:
        return []
    where = [i for i in np.argsort(found.settled.kept, kind="stable").tolist() if found.settled.open[i]]
    rows = []
    for i in where[:MOST_OPEN]:
        practice = found.dataset.practices[i]
        at = [int(plan.structure.membership[found.scale][i]) for plan in found.plans]
        rows.append({
            "name": practice.name, "code": practice.code, "patients": practice.patients,
            "kept": bare(float(found.settled.kept[i]), "share"),
            "bodies": [found.body_name(k, found.scale, b) for k, b in enumerate(at)],
        })  # fmt: skip
    return rows
