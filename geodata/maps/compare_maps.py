"""Plans side by side on the ground, and who would change body: maps that read in black and white. A body that lives on
has the same number and colour in every plan."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata.maps.colour import colour_indices, neighbouring_bodies, palette
from geodata.maps.figures import INK, LAND, QUIET, SEA
from geodata.maps.shapes import METRIC, dissolve, simplified
from optimiser.matching import real

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geodata.ground import Ground
    from optimiser.compare import Between, Compared

MOST_PLANS = 4
WIDTH = 11.0  # inches
MOVED, OLD = "#6b7f88", "#7a5200"
NONE = "#ffffff"
MOST_NUMBERS = 150


def side_by_side(found: Compared, ground: Ground, kind: str = "png") -> bytes:
    """A map for each of the first four plans, as the bytes of a "png" or "svg" file, the same each time."""
    return _bytes(_plans_drawn(found, ground), kind)


def who_moves(found: Compared, ground: Ground, kind: str = "png") -> bytes:
    """The first plan against each of the next three: practices that change body dark, old borders dashed."""
    return _bytes(_moves_drawn(found, ground), kind)


def _bytes(figure: Figure, kind: str) -> bytes:
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "compare", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        figure.savefig(out, format=kind, dpi=130, facecolor=SEA, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _panels(found: Compared, ground: Ground, count: int, foot: float) -> tuple[Figure, list[Axes]]:
    """Room for `count` maps in one or two columns. foot: inches below for a key."""
    from matplotlib.figure import Figure

    west, south, east, north = ground.councils.to_crs(METRIC).total_bounds
    columns = 1 if count == 1 else 2
    rows = -(-count // columns)
    width = WIDTH if columns == 2 else WIDTH * 0.7
    height = min(max(width / columns * (north - south) / (east - west), 3.0), 8.0) + 0.5
    figure = Figure(figsize=(width, rows * height + foot), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    flat = list(grid.ravel())
    for axes in flat:
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set_xlim(west, east)
        axes.set_ylim(south, north)
    figure.supxlabel(found.dataset.info.attribution, fontsize=6.5, color=QUIET, x=0.01, ha="left", wrap=True)
    return figure, flat


def _plans_drawn(found: Compared, ground: Ground) -> Figure:
    from matplotlib import patheffects

    scale, shown = found.scale, range(min(len(found.plans), MOST_PLANS))
    figure, axes = _panels(found, ground, len(shown), 0.3)
    fills = _fills(found)
    halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
    upper = ground.councils.to_crs(METRIC)
    for k in shown:
        plan, ax = found.plans[k], axes[k]
        bodies, of = plan.structure.bodies[scale], plan.structure.membership[scale]
        own = found.threads[scale][k]
        shapes = simplified(dissolve(ground.catchments, of, found.dataset.patients, len(bodies)))
        upper.plot(ax=ax, color=LAND)
        drawn = gpd.GeoDataFrame({"thread": own}, geometry=shapes, crs=METRIC)
        solid = drawn[~drawn.geometry.is_empty]
        grouped = solid[solid["thread"] >= 0]
        grouped.plot(ax=ax, color=[fills[t] for t in grouped["thread"]], edgecolor=INK, linewidth=0.9)
        if (alone := solid[solid["thread"] < 0]).size:
            alone.plot(ax=ax, color=NONE, edgecolor=QUIET, linewidth=0.4, hatch="....")
        upper.boundary.plot(ax=ax, color=QUIET, linewidth=0.7, linestyle=(0, (4, 2)))
        ax.scatter(*found.dataset.xy.T, s=2, color=INK, linewidths=0, zorder=3)
        for thread, shape in zip(grouped["thread"], grouped.geometry, strict=True):
            if len(grouped) <= MOST_NUMBERS:
                point = _largest(shape).representative_point()
                ax.annotate(
                    str(thread + 1), (point.x, point.y), ha="center", va="center", fontsize=9, fontweight="bold",
                    color=INK, path_effects=halo, zorder=4,
                )  # fmt: skip
        count = int(real(bodies).sum())
        word = found.scenario.scale(scale)
        title = f"{plan.name}: {count:,} {word.label if count == 1 else word.plural}".replace("$", r"\$")
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    return figure


def _moves_drawn(found: Compared, ground: Ground) -> Figure:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    pairs = [b for b in found.between if b.one == 0 and b.scale == found.scale and b.other < MOST_PLANS]
    figure, axes = _panels(found, ground, len(pairs), 0.7)
    for between, ax in zip(pairs, axes, strict=False):
        _moves(found, ground, between, ax)
    label = found.scenario.scale(found.scale).label
    key = [
        Patch(facecolor=MOVED, edgecolor="white", hatch="////", label=f"practices that change {label}"),
        Line2D([], [], color=INK, linewidth=2.0, label="borders after"),
        Line2D([], [], color=OLD, linewidth=1.2, linestyle=(0, (2, 2)), label=f"borders in {found.plans[0].name}"),
    ]
    figure.legend(handles=key, loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    return figure


def _moves(found: Compared, ground: Ground, between: Between, ax: Axes) -> None:
    ground.councils.to_crs(METRIC).plot(ax=ax, color=LAND)
    cells = ground.catchments.to_crs(METRIC)
    cells.plot(ax=ax, color="#e9e5da", edgecolor="white", linewidth=0.3)
    moved = between.matched.moved
    if moved.any():
        cells[moved].plot(ax=ax, color=MOVED, edgecolor="white", linewidth=0.4, hatch="////")
    borders = ((between.one, OLD, 1.2, (0, (2, 2)), 3), (between.other, INK, 2.0, "solid", 2))
    for k, colour, width, style, order in borders:
        structure = found.plans[k].structure
        bodies, of = structure.bodies[found.scale], structure.membership[found.scale]
        shapes = simplified(dissolve(ground.catchments, of, found.dataset.patients, len(bodies)))
        edges = gpd.GeoSeries([s for s in shapes if not s.is_empty], crs=METRIC).boundary
        edges.plot(ax=ax, color=colour, linewidth=width, linestyle=style, zorder=order)
    ax.scatter(*found.dataset.xy.T, s=3, color=INK, linewidths=0, zorder=4)
    one, other = found.plans[between.one].name, found.plans[between.other].name
    count = between.moved.practices
    said = f"{one} → {other}: {count:,} {'practice moves' if count == 1 else 'practices move'}".replace("$", r"\$")
    ax.set_title(said, loc="left", fontsize=12, fontweight="bold", color=INK)


def _fills(found: Compared) -> list[str]:
    """A fill for each thread; no two that touch in any plan shown are alike."""
    scale, pairs = found.scale, set[tuple[int, int]]()
    count = 1 + max((t for own in found.threads[scale] for t in own), default=-1)
    for k, plan in enumerate(found.plans[:MOST_PLANS]):
        own = found.threads[scale][k]
        for a, b in neighbouring_bodies(found.dataset.adjacency, plan.structure.membership[scale]):
            if own[a] >= 0 and own[b] >= 0 and own[a] != own[b]:
                pairs.add((min(own[a], own[b]), max(own[a], own[b])))
    numbers = colour_indices(count, sorted(pairs))
    fills = palette(max(numbers, default=0) + 1)
    return [fills[n] for n in numbers]


def _largest(shape: shapely.Geometry) -> shapely.Geometry:
    parts = list(getattr(shape, "geoms", [shape]))
    return parts[int(np.argmax([part.area for part in parts]))]
