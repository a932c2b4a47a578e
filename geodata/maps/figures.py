"""Still pictures of a plan: one map a scale, for papers, read-me files and the report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from geodata.maps.shapes import METRIC, TOLERANCE, bodies_layer

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

    from geodata.ground import Ground
    from optimiser.plan import Plan

INK, LAND, SEA, QUIET = "#16262f", "#f1eee6", "#ffffff", "#4d5f69"
MOST_LABELS = 40
WIDTH = 8.0  # inches


def write_figure(plan: Plan, ground: Ground, scale: str, path: Path, tolerance: float = TOLERANCE) -> None:
    """Write one scale's map. path: .png or .svg, the same bytes each time; tolerance: metres."""
    path.write_bytes(figure_bytes(plan, ground, scale, path.suffix.removeprefix("."), tolerance))


def figure_bytes(plan: Plan, ground: Ground, scale: str, kind: str = "png", tolerance: float = TOLERANCE) -> bytes:
    """One scale's map as the bytes of a "png" or "svg" file."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "plan", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = _draw(plan, ground, scale, tolerance)
        out = io.BytesIO()
        # no clock in any output: the same plan gives the same bytes
        figure.savefig(out, format=kind, dpi=150, facecolor=SEA, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _draw(plan: Plan, ground: Ground, scale: str, tolerance: float) -> Figure:
    from matplotlib import patheffects
    from matplotlib.figure import Figure

    layer = bodies_layer(plan, ground, scale, tolerance)
    solid = layer[~layer.geometry.is_empty]
    upper: gpd.GeoDataFrame = ground.councils.to_crs(METRIC)
    west, south, east, north = upper.total_bounds
    height = WIDTH * (north - south) / (east - west)
    figure = Figure(figsize=(WIDTH, min(max(height, 4.0), 11.0) + 0.7), layout="constrained")
    axes = figure.add_subplot()
    upper.plot(ax=axes, color=LAND)
    solid.plot(ax=axes, color=list(solid["fill"]), edgecolor="white", linewidth=1.0)
    upper.boundary.plot(ax=axes, color=QUIET, linewidth=0.7, linestyle=(0, (4, 2)))
    eastings, northings = plan.dataset.xy.T
    axes.scatter(eastings, northings, s=3, color=INK, linewidths=0, zorder=3)
    names = []
    if len(solid) <= MOST_LABELS:
        halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        widest_first = solid.iloc[np.argsort(-solid.area.to_numpy(), kind="stable")]
        for name, point in zip(widest_first["name"], widest_first.geometry.representative_point(), strict=True):
            names.append(
                axes.annotate(
                    _short(name),
                    (point.x, point.y),
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color=INK,
                    path_effects=halo,
                )
            )
    axes.set_axis_off()
    axes.set_aspect("equal")
    declared = plan.scenario.scale(scale)
    count = len(layer)
    title = f"{count:,} {declared.label if count == 1 else declared.plural} in {plan.dataset.info.name}"
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", color=INK)
    figure.supxlabel(plan.dataset.info.attribution, fontsize=6.5, color=QUIET, x=0.01, ha="left", wrap=True)
    part_labels(figure, names)
    return figure


def part_labels(figure: Figure, names: Sequence[Text]) -> None:
    """Leave out names that would lie on one already placed; the tables hold them all."""
    figure.draw_without_rendering()
    placed: list[Bbox] = []
    for name in names:
        box = name.get_window_extent()
        name.set_visible(not any(box.overlaps(other) for other in placed))
        if name.get_visible():
            placed.append(box)


def _short(name: str) -> str:
    """A name on two lines where it is long, its mathematics marks made harmless."""
    plain = name.replace("$", r"\$")
    words = plain.split(" ")
    if len(plain) <= 16 or len(words) < 2:
        return plain
    middle = min(range(1, len(words)), key=lambda n: abs(len(" ".join(words[:n])) - len(plain) / 2))
    return " ".join(words[:middle]) + "\n" + " ".join(words[middle:])
