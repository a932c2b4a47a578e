"""explain.html: one practice's page, with a map of its bodies and the neighbours, in one file without script."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from geodata.explained import Explained, told
from geodata.maps.figures import INK, QUIET, SEA
from geodata.maps.shapes import METRIC
from geodata.maps.template import asset, environment, policy
from optimiser import explain_words as words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geodata.ground import Ground
    from optimiser.explain import WhyThere

GREYS = ("#ffffff", "#dddddd", "#bbbbbb")
OWN, HATCHES = "#8c8c8c", ("", "///", "...", "\\\\\\", "xx", "---", "+++", "ooo")
MARGIN = 0.15


def write_explanation(made: Explained, ground: Ground, path: Path) -> None:
    """Write explain.html."""
    path.write_text(render_explanation(made, ground), encoding="utf-8", newline="\n")


def render_explanation(made: Explained, ground: Ground) -> str:
    """Who, the sentences of each scale with its map and table, what to know."""
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}"
    parts = told(made)
    scales = [
        {
            "heading": heading,
            "sentences": said,
            "rows": _rows(here),
            "picture": base64.b64encode(picture_bytes(made, ground, here)).decode() if here.alternatives else "",
            "label": made.scenario.scale(here.scale).label,
        }
        for (heading, said), here in zip(parts, made.found.scales, strict=False)
    ]
    return environment().get_template("explain.html.j2").render(
        info=made.dataset.info,
        scenario=made.scenario,
        practice=made.dataset.practices[made.found.practice],
        scales=scales,
        rest=parts[len(made.found.scales) :],
        policy=policy(style=style),
        style=Markup(style),
    )  # fmt: skip


def _rows(here: WhyThere) -> list[dict[str, Any]]:
    return [
        {
            "name": words.called(a),
            "price": a.price,
            "least": a.least,
            "proved": a.proved,
            "why": words.forbidden(a) if a.price is None else "; ".join(a.broken),
            "moved": len(a.moved),
        }
        for a in here.alternatives
    ]


def picture_bytes(made: Explained, ground: Ground, here: WhyThere) -> bytes:
    """The map of one scale as PNG: the practice, its body, the alternatives, each with a hatch of its own."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"font.family": "sans-serif", "hatch.linewidth": 0.5}):
        out = io.BytesIO()
        _draw(made, ground, here).savefig(out, format="png", dpi=110, facecolor=SEA)
    return out.getvalue()


def _draw(made: Explained, ground: Ground, here: WhyThere) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    cells = ground.catchments.to_crs(METRIC)
    bodies = {b.code: b for b in made.structure.bodies[here.scale]}
    shown = [(bodies[a.to], words.called(a)) for a in here.alternatives if a.to]
    figure = Figure(figsize=(7.5, 6.0), layout="constrained")
    axes = figure.add_subplot()
    keys: list[Any] = []
    for k, (body, name) in enumerate([(here.body, words.place(here.body.name, here.body.code)), *shown]):
        grey = OWN if k == 0 else GREYS[k % len(GREYS)]
        hatch = "" if k == 0 else HATCHES[(k - 1) % len(HATCHES)]
        part = cells.iloc[list(body.members)].dissolve()
        part.plot(ax=axes, facecolor=grey, edgecolor=INK, linewidth=1.0, hatch=hatch)
        named = name.replace("$", r"\$")
        keys.append(Patch(facecolor=grey, edgecolor=INK, hatch=hatch, label=f"{named} (the plan)" if k == 0 else named))
    west, south, east, north = axes.get_xlim()[0], axes.get_ylim()[0], axes.get_xlim()[1], axes.get_ylim()[1]
    ground.councils.to_crs(METRIC).boundary.plot(ax=axes, color=QUIET, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.scatter(*made.dataset.xy.T, s=5, color=INK, linewidths=0, zorder=3)
    spot = made.dataset.xy[made.found.practice]
    axes.scatter(*spot, s=130, marker="*", color="white", edgecolor=INK, linewidths=1.2, zorder=4)
    keys.append(Line2D([], [], marker="*", color="white", markeredgecolor=INK, markersize=11, label="the practice"))
    keys.append(Line2D([], [], color=QUIET, linestyle=(0, (4, 2)), label="council boundary"))
    span = max(east - west, north - south) * MARGIN
    axes.set_xlim(west - span, east + span)
    axes.set_ylim(south - span, north + span)
    axes.set_aspect("equal")
    axes.set_axis_off()
    figure.legend(handles=keys, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    assert np.isfinite(spot).all()
    return figure
