"""Patients between the bodies of plans: a column of bodies for each plan, ribbons between them, pale where the body
lives on and dark where people change body, so that it reads in black and white."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geodata.maps.figures import INK
from optimiser.domain import NO_BODY
from optimiser.partition_distance import shared

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optimiser.compare import Compared

MOST_PLANS = 4
WIDTH, LEAST, MOST = 12.0, 4.5, 16.0  # inches
A_BODY = 0.34  # inches of height for each body of the longest column
GAP = 0.012  # of the height, between bodies
BAR = 0.012  # half a bar's width, as MARGIN
STAYS, MOVES, OPACITY = "#c9d2d5", "#40525b", 0.75
HEAD = 0.92  # inches, for the key and the plans' names
A_LINE = 0.14  # inches from a label to the next
THIN = 0.004  # of the height: ribbons below it have no edge
LETTERS = 22
MARGIN = 0.37  # of the width between the first and the last column, for their labels


@dataclass(frozen=True)
class Node:
    """One body in one column: bottom and top of its bar (0 to 1), what it is called."""

    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Ribbon:
    """People from a body of one column to one of the next: bottom and top at both ends. stays: the body lives on."""

    left: tuple[float, float]
    right: tuple[float, float]
    stays: bool


@dataclass(frozen=True)
class Alluvial:
    """columns: plan's name, its bodies from the top. ribbons: between each column and the next."""

    columns: tuple[tuple[str, tuple[Node, ...]], ...]
    ribbons: tuple[tuple[Ribbon, ...], ...]


def alluvial(found: Compared) -> Alluvial:
    """Lay out the first four plans at the scale compared. Bodies stand in the order that crosses ribbons least: that of
    the middle of where their people come from, largest first where it is the same."""
    scale = found.scale
    drawn = [p.structure for p in found.plans[:MOST_PLANS]]
    patients = found.dataset.patients
    most = max(len(s.bodies[scale]) for s in drawn)
    gap = min(GAP, 0.25 / max(most - 1, 1))
    tables = [shared(a.membership[scale], b.membership[scale], patients) for a, b in pairwise(drawn)]
    orders = _orders([np.array([b.patients for b in s.bodies[scale]], dtype=float) for s in drawn], tables)
    places = [
        _places(np.array([b.patients for b in s.bodies[scale]]), order, gap, most)
        for s, order in zip(drawn, orders, strict=True)
    ]
    columns = []
    for k, structure in enumerate(drawn):
        nodes = []
        for b in orders[k]:
            body = structure.bodies[scale][b]
            number = found.threads[scale][k][b]
            mark = f"{number + 1}  " if number >= 0 else ""
            name = _cut(found.body_name(k, scale, b))
            nodes.append(Node(*places[k][b], f"{mark}{name}  {body.patients:,}"))
        columns.append((found.plans[k].name, tuple(nodes)))
    ribbons = tuple(
        _ribbons(table, places[k : k + 2], orders[k : k + 2], found.threads[scale][k : k + 2])
        for k, table in enumerate(tables)
    )
    return Alluvial(tuple(columns), ribbons)


def _ribbons(
    table: NDArray[np.float64],
    places: Sequence[Sequence[tuple[float, float]]],
    orders: Sequence[Sequence[int]],
    threads: Sequence[Sequence[int]],
) -> tuple[Ribbon, ...]:
    """The ribbons between two columns, stacked at both ends in the order of the bodies at the other end."""
    whole = table.sum()
    height = sum(high - low for low, high in places[0]) / whole if whole else 0.0
    rank = [{b: n for n, b in enumerate(order)} for order in orders]
    pairs = [(i, j) for i, j in np.argwhere(table > 0).tolist()]
    ends: list[dict[tuple[int, int], tuple[float, float]]] = [{}, {}]
    for side in (0, 1):
        top = [high for _, high in places[side]]
        for pair in sorted(pairs, key=lambda pair: (rank[side][pair[side]], rank[1 - side][pair[1 - side]])):
            b, deep = pair[side], float(table[pair]) * height
            ends[side][pair] = (top[b] - deep, top[b])
            top[b] -= deep
    return tuple(
        Ribbon(ends[0][i, j], ends[1][i, j], threads[0][i] == threads[1][j] and threads[0][i] >= 0) for i, j in pairs
    )


def alluvial_bytes(shown: Alluvial, kind: str = "svg") -> bytes:
    """The picture as the bytes of a "png" or "svg" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "alluvial", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(shown)
        made.savefig(out, format=kind, dpi=130, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _orders(sizes: list[NDArray[np.float64]], tables: list[NDArray[np.float64]]) -> list[list[int]]:
    """Bodies of each column from the top: swept forth and back by the mean place of their people."""
    orders = [sorted(range(len(s)), key=lambda b, s=s: -s[b]) for s in sizes]
    for sweep in range(4):
        steps = range(1, len(sizes)) if sweep % 2 == 0 else range(len(sizes) - 2, -1, -1)
        for k in steps:
            back = sweep % 2 == 0
            table = tables[k - 1].T if back else tables[k]
            beside = orders[k - 1] if back else orders[k + 1]
            people = sizes[k - 1 if back else k + 1]
            place = np.empty(len(beside))
            below = 0.0
            for b in beside:
                place[b] = below + people[b] / 2
                below += people[b]
            middle = table @ place / np.maximum(table.sum(axis=1), 1)
            orders[k] = sorted(range(len(sizes[k])), key=lambda b, m=middle, s=sizes[k]: (m[b], -s[b], b))
    return orders


def _places(sizes: NDArray[np.integer], order: list[int], gap: float, most: int) -> list[tuple[float, float]]:
    """(low, high) of each body; a column with fewer bodies is as tall, its gaps wider."""
    room = 1 - gap * (most - 1)
    between = (1 - room) / max(len(order) - 1, 1) if len(order) > 1 else 0.0
    height = room / max(int(sizes.sum()), 1)
    top = 1.0 if len(order) > 1 else 1 - (1 - room) / 2
    found = [(0.0, 0.0)] * len(order)
    for b in order:
        found[b] = (top - sizes[b] * height, top)
        top -= sizes[b] * height + between
    return found


def _draw(shown: Alluvial) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    longest = max(len(nodes) for _, nodes in shown.columns)
    height = min(max(longest * A_BODY, LEAST), MOST) + HEAD
    figure = Figure(figsize=(WIDTH, height))
    last = len(shown.columns) - 1
    axes = figure.add_axes((0.0, 0.02, 1.0, 1 - HEAD / height))
    axes.set_xlim(-MARGIN * last, last * (1 + MARGIN))
    axes.set_ylim(-0.01, 1.01)
    axes.axis("off")
    bar = BAR * last
    for k, ribbons in enumerate(shown.ribbons):
        for stays in (True, False):
            for ribbon in (r for r in ribbons if r.stays is stays):
                _ribbon(axes, k + bar, k + 1 - bar, ribbon)
    apart = A_LINE / (height - HEAD)
    for k, (name, nodes) in enumerate(shown.columns):
        axes.annotate(
            name.replace("$", r"\$"), (k, 1.0), (0, 9), textcoords="offset points", ha="center", fontsize=11,
            fontweight="bold", color=INK,
        )  # fmt: skip
        for node in nodes:
            axes.fill_betweenx([node.low, node.high], k - bar, k + bar, color=INK, linewidth=0, zorder=3)
        for node in _told_apart(nodes, apart):
            _label(axes, k, last, node)
    key = [
        Patch(facecolor=STAYS, label="the body lives on"),
        Patch(facecolor=MOVES, alpha=OPACITY, label="patients whose practice changes body"),
    ]
    figure.legend(handles=key, loc="upper left", ncols=2, frameon=False, fontsize=9, bbox_to_anchor=(0.0, 1.0))
    return figure


def _told_apart(nodes: Sequence[Node], apart: float) -> list[Node]:
    """Those whose labels fit, the largest first; the tables hold them all."""
    shown: list[Node] = []
    for node in sorted(nodes, key=lambda n: (n.low - n.high, -n.high)):
        middle = node.low + node.high
        if all(abs(middle - other.low - other.high) >= 2 * apart for other in shown):
            shown.append(node)
    return shown


def _label(axes: Axes, k: int, last: int, node: Node) -> None:
    """Outside the first and last column; on a white ground beside those between."""
    away = (BAR + 0.014) * last
    at, ha = (k - away, "right") if k == 0 else (k + away, "left")
    ground = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.2} if 0 < k < last else None
    middle, text = (node.low + node.high) / 2, node.label.replace("$", r"\$")
    axes.text(at, middle, text, ha=ha, va="center", fontsize=8, color=INK, zorder=4, bbox=ground)


def _ribbon(axes: Axes, x0: float, x1: float, ribbon: Ribbon) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (a, b), (c, d), m = ribbon.left, ribbon.right, (x0 + x1) / 2
    points = [(x0, b), (m, b), (m, d), (x1, d), (x1, c), (m, c), (m, a), (x0, a), (x0, b)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    fill = {"facecolor": STAYS} if ribbon.stays else {"facecolor": MOVES, "alpha": OPACITY}
    axes.add_patch(
        PathPatch(
            Path(points, codes),
            edgecolor="white",
            linewidth=0.4 if b - a > THIN else 0.0,
            zorder=1 if ribbon.stays else 2,
            **fill,
        )
    )


def _cut(name: str) -> str:
    return name if name == NO_BODY or len(name) <= LETTERS else f"{name[: LETTERS - 1].rstrip()}…"
