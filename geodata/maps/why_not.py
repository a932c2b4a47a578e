"""Why no plan exists, drawn: a page for each refusal, with a map of the practices and pins that conflict."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from geodata.maps.figures import INK, LAND, QUIET, SEA
from geodata.maps.shapes import METRIC
from geodata.maps.template import asset, environment, policy
from optimiser import why_not as words
from optimiser.pins import members_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geodata.ground import Ground
    from optimiser.conflicts import Conflict
    from optimiser.scenario import Scenario

STUCK, JOIN, PINNED = "#D55E00", "#F6D9A8", "#9CCBE8"
MARGIN = 0.35  # of the conflict's extent, around it
LEAST = 8_000.0  # metres: the least that a map shows in either direction
WHOLE = 0.6  # of the region's extent: a larger close-up is the whole region
FEW = 12  # practices whose names are written


def write_why_not(ground: Ground, scenario: Scenario, conflicts: Sequence[Conflict], folder: Path) -> None:
    """Write why_not.html, and the map of each scale's conflict as why_not_<scale>.png."""
    pictures = {conflict.scale: _picture(ground, scenario, conflict) for conflict in conflicts}
    for scale, picture in pictures.items():
        (folder / f"why_not_{scale}.png").write_bytes(picture)
    style = f"{asset('templates/page.css')}\n{asset('templates/report.css')}"
    page = environment().get_template("why_not.html.j2").render(
        info=ground.dataset.info,
        scenario=scenario,
        conflicts=[_told(ground, scenario, conflict, pictures[conflict.scale]) for conflict in conflicts],
        policy=policy(style=style),
        style=Markup(style),
    )  # fmt: skip
    (folder / "why_not.html").write_text(page, encoding="utf-8", newline="\n")


def _told(ground: Ground, scenario: Scenario, conflict: Conflict, picture: bytes) -> dict[str, object]:
    """What the page says of one conflict."""
    dataset = ground.dataset
    pinned = _pinned(ground, scenario, conflict)
    named = () if conflict.diffuse else conflict.practices
    listed = [
        (dataset.practices[i], dataset.authority_name(dataset.practices[i].upper_authority), _role(conflict, pinned, i))
        for i in dict.fromkeys((*named, *(i for members in pinned.values() for i in members)))
    ]
    return {
        "scale": scenario.scale(conflict.scale),
        "lead": words.lead(dataset, scenario, conflict),
        "rows": [row.said for row in conflict.rows],
        "remedy": words.remedy(scenario, conflict),
        "cures": [cure.said for cure in conflict.cures],
        "doubt": "" if conflict.smallest else words.NOT_SHOWN,
        "practices": listed,
        "picture": f"data:image/png;base64,{base64.b64encode(picture).decode()}",
    }


def _role(conflict: Conflict, pinned: Mapping[str, Sequence[int]], i: int) -> str:
    roles = ["cannot be placed"] if i in conflict.practices else []
    return ", ".join(roles + [place for place, members in pinned.items() if i in members])


def _pinned(ground: Ground, scenario: Scenario, conflict: Conflict) -> dict[str, list[int]]:
    """Practices of each pin in the conflict, by its place in the scenario."""
    return {
        row.place: members_of(ground.dataset, scenario.pins[row.pin - 1])
        for row in conflict.rows
        if row.pin is not None
    }


def _picture(ground: Ground, scenario: Scenario, conflict: Conflict) -> bytes:
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"font.family": "sans-serif"}):
        out = io.BytesIO()
        _draw(ground, scenario, conflict).savefig(out, format="png", dpi=150, facecolor=SEA)
    return out.getvalue()


def _draw(ground: Ground, scenario: Scenario, conflict: Conflict) -> Figure:
    from matplotlib.figure import Figure

    whole = ground.areas.to_crs(METRIC).total_bounds
    near = _extent(ground, scenario, conflict)
    part = max((near[2] - near[0]) / (whole[2] - whole[0]), (near[3] - near[1]) / (whole[3] - whole[1]))
    shown = near if part < WHOLE else whole
    height = min(max(6.0 * (shown[3] - shown[1]) / (shown[2] - shown[0]), 4.0), 9.0)
    figure = Figure(figsize=(8.0, height + 1.2), layout="constrained")
    scale = scenario.scale(conflict.scale)
    figure.suptitle(f"Why no plan of {scale.plural} is possible", x=0.01, ha="left", fontsize=13, fontweight="bold")
    if shown is whole:
        axes = figure.add_subplot()
    else:
        axes, beside = figure.subplots(1, 2, width_ratios=(3.4, 1))
        _locator(beside, ground, near)
    _map(axes, ground, scenario, conflict)
    axes.set_xlim(shown[0], shown[2])
    axes.set_ylim(shown[1], shown[3])
    entries = _legend(len(ground.dataset.practices), scenario, conflict)
    figure.legend(handles=entries, loc="outside lower left", ncols=2, frameon=False, fontsize=8.5)
    note = ground.dataset.info.attribution
    axes.text(0, -0.02, note, transform=axes.transAxes, va="top", fontsize=6.5, color=QUIET, wrap=True)
    return figure


def _map(axes: Axes, ground: Ground, scenario: Scenario, conflict: Conflict) -> None:
    """Catchments by what they are in the conflict, reach, and the link that would do."""
    from matplotlib import patheffects
    from matplotlib.patches import Circle

    dataset, pinned = ground.dataset, _pinned(ground, scenario, conflict)
    cells = ground.catchments.to_crs(METRIC)
    cells.plot(ax=axes, color=LAND, edgecolor="white", linewidth=0.4)
    if conflict.diffuse or len(conflict.company) < len(dataset.practices):
        cells.iloc[list(conflict.company)].plot(ax=axes, color=JOIN, edgecolor="white", linewidth=0.6)
    for members in pinned.values():
        cells.iloc[members].plot(ax=axes, color=PINNED, edgecolor="white", linewidth=0.6, hatch="///")
    stuck = () if conflict.diffuse else conflict.practices
    if stuck:
        cells.iloc[list(stuck)].plot(ax=axes, color=STUCK, edgecolor=INK, linewidth=1.2)
    ground.councils.to_crs(METRIC).boundary.plot(ax=axes, color=QUIET, linewidth=0.7, linestyle=(0, (4, 2)))
    axes.scatter(*dataset.xy.T, s=5, color=INK, linewidths=0, zorder=3)
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    link = next((cure.link for cure in conflict.cures if cure.link), None)
    for i in [*stuck, *(link or ())][:FEW]:
        name = dataset.practices[i].name.replace("$", r"\$")
        axes.annotate(
            name,
            dataset.xy[i],
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            path_effects=halo,
            zorder=5,
            annotation_clip=True,
        )
    for place, members in pinned.items():
        widest = cells.iloc[members].geometry.iloc[int(np.argmax(cells.iloc[members].area))].representative_point()
        axes.annotate(
            place, (widest.x, widest.y), ha="center", va="center", fontsize=9, fontweight="bold", path_effects=halo
        )
    if link:
        axes.plot(*dataset.xy[list(link)].T, color=INK, linewidth=1.6, linestyle=(0, (2, 2)), zorder=4)
    for i in stuck[:FEW] if _reach(scenario, conflict) else ():
        axes.add_patch(Circle(dataset.xy[i], _reach(scenario, conflict), fill=False, edgecolor=STUCK, linestyle="--"))
    axes.set_axis_off()
    axes.set_aspect("equal")


def _locator(axes: Axes, ground: Ground, near: NDArray[np.float64]) -> None:
    """The whole region, and where the map lies in it."""
    from matplotlib.patches import Rectangle

    ground.councils.to_crs(METRIC).plot(ax=axes, color=LAND, edgecolor=QUIET, linewidth=0.4)
    frame = Rectangle(
        (near[0], near[1]), near[2] - near[0], near[3] - near[1], fill=False, edgecolor=INK, linewidth=1.4
    )
    axes.add_patch(frame)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_anchor("N")


def _legend(practices: int, scenario: Scenario, conflict: Conflict) -> list[object]:
    """practices: of the dataset."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if conflict.diffuse:
        return [Patch(facecolor=JOIN, label="cannot all be placed")]
    found: list[object] = [Patch(facecolor=STUCK, edgecolor=INK, label="cannot be placed")]
    if len(conflict.practices) < len(conflict.company) < practices:
        found.append(Patch(facecolor=JOIN, label="could join them"))
    if any(row.pin for row in conflict.rows):
        found.append(Patch(facecolor=PINNED, hatch="///", edgecolor="white", label="named by a pin of the conflict"))
    if any(cure.link for cure in conflict.cures):
        found.append(Line2D([], [], color=INK, linewidth=1.6, linestyle=(0, (2, 2)), label="a link here would do"))
    if _reach(scenario, conflict):
        reach = f"within {_reach(scenario, conflict) / 1000:g} km of it"
        found.append(Line2D([], [], color=STUCK, linestyle="--", label=reach))
    return found


def _reach(scenario: Scenario, conflict: Conflict) -> float:
    """Metres, where reach is part of the conflict; else 0."""
    km = scenario.scale(conflict.scale).reach_km
    return 1000 * km if km and any(row.key == "reach_km" for row in conflict.rows) else 0.0


def _extent(ground: Ground, scenario: Scenario, conflict: Conflict) -> NDArray[np.float64]:
    """West, south, east, north of what the conflict is about, with a margin; square enough to be read."""
    dataset = ground.dataset
    if conflict.diffuse:
        return np.array(ground.areas.to_crs(METRIC).total_bounds)
    about = {*conflict.practices, *(i for cure in conflict.cures for i in cure.link or ())}
    about |= {i for members in _pinned(ground, scenario, conflict).values() for i in members}
    if len(conflict.company) < len(dataset.practices):
        about |= set(conflict.company)
    chosen = sorted(about) or list(range(len(dataset.practices)))
    reach = _reach(scenario, conflict)
    low, high = dataset.xy[chosen].min(axis=0) - reach, dataset.xy[chosen].max(axis=0) + reach
    middle, half = (low + high) / 2, (high - low) / 2 * (1 + MARGIN)
    half = np.maximum(half, max(LEAST / 2, 0.5 * half.max()))
    return np.concatenate([middle - half, middle + half])
