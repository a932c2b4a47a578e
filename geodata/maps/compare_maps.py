"""Plans side by side on the ground, and who would change body: maps that read in black and white. A body that lives on
has the same number and colour in every plan."""

from __future__ import annotations

import io
from textwrap import shorten
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata.maps.colour import colour_indices, neighbouring_bodies, palette
from geodata.maps.figures import INK, LAND, QUIET, SEA, part_labels
from geodata.maps.shapes import METRIC, TOLERANCE, dissolve, simplified
from optimiser.matching import real

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geodata.ground import Ground
    from optimiser.compare import Between, Compared

MOST_PLANS = 4
WIDTH = 11.0  # inches
MOVED, NONE = "#6b7f88", "#ffffff"
STILL = {"color": QUIET, "linewidth": 0.9, "linestyle": "solid"}
NEW = {"color": INK, "linewidth": 2.4, "linestyle": "solid"}
GIVEN_UP = {"color": INK, "linewidth": 1.6, "linestyle": (0, (1.5, 1.5))}
SAME_LINE = 5.0  # metres
MOST_KEYS = 30


def side_by_side(found: Compared, ground: Ground, kind: str = "png") -> bytes:
    """A map for each of the first four plans, as the bytes of a "png" or "svg" file, the same each time."""
    return _bytes(_plans_drawn(found, ground), kind)


def who_moves(found: Compared, ground: Ground, kind: str = "png") -> bytes:
    """The first plan against each of the next three: practices that change body dark, old borders dashed."""
    return _bytes(_moves_drawn(found, ground), kind)


def _bytes(figure: Figure, kind: str) -> bytes:
    import matplotlib  # slow to load, and only figures need it

    style = {"svg.hashsalt": "compare", "svg.fonttype": "none", "font.family": "sans-serif", "hatch.linewidth": 0.6}
    with matplotlib.rc_context(style):
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
    fills, numbers = _fills(found), []
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
        ax.scatter(*found.dataset.xy.T, s=_dot(found), color=INK, linewidths=0, zorder=3)
        widest_first = grouped.iloc[np.argsort(-grouped.area.to_numpy(), kind="stable")]
        for thread, shape in zip(widest_first["thread"], widest_first.geometry, strict=True):
            point = _largest(shape).representative_point()
            numbers.append(ax.annotate(
                str(thread + 1), (point.x, point.y), ha="center", va="center", fontsize=9, fontweight="bold",
                color=INK, path_effects=halo, zorder=4,
            ))  # fmt: skip
        count = int(real(bodies).sum())
        word = found.scenario.scale(scale)
        title = f"{plan.name}: {count:,} {word.label if count == 1 else word.plural}".replace("$", r"\$")
        ax.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    for ax in axes[len(shown) :]:
        _key(found, ax)
    part_labels(figure, numbers)
    return figure


def _key(found: Compared, ax: Axes) -> None:
    """Numbers and names, in a panel that no plan needs."""
    named: dict[int, str] = {}
    for own, names in zip(found.threads[found.scale][:MOST_PLANS], found.names[found.scale], strict=False):
        for thread, name in zip(own, names, strict=True):
            name = shorten(name, 26, placeholder=" …")
            if thread >= 0 and name not in named.get(thread, "").split(" / "):
                named[thread] = f"{named[thread]} / {name}" if thread in named else name
    listed = [f"{thread + 1}   {name}" for thread, name in sorted(named.items())]
    if len(listed) <= MOST_KEYS:
        text = "\n".join(shorten(line, 84, placeholder=" …") for line in listed).replace("$", r"\$")
        ax.text(0.04, 0.96, text, transform=ax.transAxes, va="top", fontsize=9, color=INK, linespacing=1.6)


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
        Line2D([], [], **(STILL), label="border in both"),
        Line2D([], [], **(NEW), label="new border"),
        Line2D([], [], **(GIVEN_UP), label=f"border of {found.plans[0].name} given up".replace("$", r"\$")),
    ]
    figure.legend(handles=key, loc="outside upper left", ncols=4, frameon=False, fontsize=9)
    return figure


def _moves(found: Compared, ground: Ground, between: Between, ax: Axes) -> None:
    ground.councils.to_crs(METRIC).plot(ax=ax, color=LAND, edgecolor=QUIET, linewidth=0.5)
    cells = ground.catchments.to_crs(METRIC)
    cells.plot(ax=ax, color="#e9e5da", edgecolor="white", linewidth=0.3)
    moved = between.matched.moved
    if moved.any():
        cells[moved].plot(ax=ax, color=MOVED, edgecolor="white", linewidth=0.4, hatch="////")
    old, new = (_inner(found, ground, k) for k in (between.one, between.other))
    for lines, look in (
        (new.intersection(old.buffer(SAME_LINE)), STILL), (new.difference(old.buffer(SAME_LINE)), NEW),
        (old.difference(new.buffer(SAME_LINE)), GIVEN_UP),
    ):  # fmt: skip
        if not lines.is_empty:
            gpd.GeoSeries([lines.simplify(TOLERANCE)], crs=METRIC).plot(ax=ax, zorder=3, **look)
    ax.scatter(*found.dataset.xy.T, s=_dot(found), color=INK, linewidths=0, zorder=4)
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


def _inner(found: Compared, ground: Ground, plan: int) -> shapely.Geometry:
    """Borders between the bodies of a plan, without the coast."""
    structure = found.plans[plan].structure
    bodies, of = structure.bodies[found.scale], structure.membership[found.scale]
    shapes = dissolve(ground.catchments, of, found.dataset.patients, len(bodies))
    solid = np.array([shape for shape in shapes if not shape.is_empty], dtype=object)
    coast = shapely.union_all(solid).boundary.buffer(SAME_LINE)
    return shapely.union_all(shapely.boundary(solid)).difference(coast)


def _dot(found: Compared) -> float:
    """The area of a practice's dot, points²: small where there are many."""
    return min(4.0, max(0.3, 600 / len(found.dataset.practices)))


def _largest(shape: shapely.Geometry) -> shapely.Geometry:
    parts = list(getattr(shape, "geoms", [shape]))
    return parts[int(np.argmax([part.area for part in parts]))]
