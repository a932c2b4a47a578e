"""Cash a head by size: the curve of a body that does everything alone, the allowances, and the plan's bodies as
dots."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.maps.figures import INK, QUIET
from geodata.maps.words import pounds
from optimiser import costing
from optimiser.plan_costs import PlanCosts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from optimiser.plan import Plan

WIDTH, HEIGHT = 10.5, 5.6  # inches
SMALLEST, LARGEST = 30_000, 3_000_000  # people, where the bodies do not go further
STEP, LEAST_TOP = 5.0, 45.0  # £ a head, of the axis
APART = 0.062  # of the height: labels keep this distance
MOST_NAMES = 14
LEADER = {"arrowstyle": "-", "color": QUIET, "linewidth": 0.7, "shrinkA": 2, "shrinkB": 0, "relpos": (0, 0.5)}
ROUNDS = 100  # of giving way
TICKS = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 50_000_000)


@dataclass(frozen=True)
class CostCurve:
    """What the picture shows. fixed: £ a year of a body alone; growing: £ a head. dots: (name, patients, £ a head) of
    the commissioning bodies that have patients. allowances: (name, £ a head). words: of the scale, one and several."""

    fixed: float
    growing: float
    dots: tuple[tuple[str, int, float], ...]
    allowances: tuple[tuple[str, float], ...]
    words: tuple[str, str]

    @property
    def described(self) -> str:
        """The picture in words, for those who cannot see it."""
        met = ", ".join(
            f"£{amount:g} from {costing.break_even(amount, self.fixed, self.growing):,.0f} people"
            for amount in sorted({a for _, a in self.allowances}, reverse=True)
            if amount > self.growing
        )
        least, most = min(d[2] for d in self.dots), max(d[2] for d in self.dots)
        return (
            f"A falling curve: alone, a body pays {pounds(self.fixed)} and {pounds(self.growing)} a head, and meets "
            f"{met or 'no allowance'}. The plan's {len(self.dots)} {self.words[len(self.dots) > 1]} pay "
            f"{pounds(least)} to {pounds(most)} a head."
        )


def cost_curve(plan: Plan) -> CostCurve | None:
    """What to draw of a plan; None where no body has patients, or no function costs anything."""
    functions, terms = plan.dataset.functions, plan.scenario.costing
    fixed, growing = costing.standalone_fixed(functions, terms), costing.variable_per_head(functions, terms)
    dots = tuple((b.name, b.patients, c.total / b.patients) for b, c in PlanCosts(plan).bodies if b.patients)
    anchor = plan.scenario.scale(plan.scenario.anchor_scale)
    if not dots or not fixed + growing:
        return None
    return CostCurve(fixed, growing, dots, tuple(plan.scenario.allowances.items()), (anchor.label, anchor.plural))


def curve_bytes(shown: CostCurve, kind: str = "svg") -> bytes:
    """The picture as the bytes of a "png" or "svg" file, the same each time."""
    import matplotlib  # slow to load, and only figures need it

    with matplotlib.rc_context({"svg.hashsalt": "costs", "svg.fonttype": "none", "font.family": "sans-serif"}):
        out = io.BytesIO()
        made = _draw(shown)
        made.savefig(out, format=kind, dpi=150, facecolor="white", metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _draw(shown: CostCurve) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT))
    axes = figure.add_axes((0.062, 0.105, 0.68, 0.715))
    low = min(SMALLEST, *(d[1] for d in shown.dots)) * 0.9
    high = max(LARGEST, *(d[1] for d in shown.dots)) * 1.1
    amounts = [shown.growing, *(d[2] for d in shown.dots), *(a for _, a in shown.allowances)]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(
        STEP * np.floor(0.9 * min(amounts) / STEP), max(LEAST_TOP, STEP * np.ceil(1.15 * max(amounts) / STEP))
    )
    _allowances(axes, shown)
    people = np.geomspace(low, high, 400)
    axes.plot(people, shown.fixed / people + shown.growing, color=INK, linewidth=2.2, zorder=3)
    _name_curve(axes, shown)
    _dots(axes, shown)
    _frame(axes)
    figure.text(0.012, 0.97, "Cash a head by size of body", fontsize=14, fontweight="bold", color=INK, va="top")
    said = (
        f"Line: a body that does everything alone, {pounds(shown.fixed)} and {pounds(shown.growing)} a head by the "
        f"function table (assumed).\nDots: {shown.words[1]} as planned. Dashed: allowances, and the size from which a "
        "body alone could live on each (ticks)."
    )
    figure.text(0.012, 0.915, _plain(said), fontsize=8.5, color=QUIET, va="top", linespacing=1.4)
    return figure


def _allowances(axes: Axes, shown: CostCurve) -> None:
    """A dashed line for each amount, named at the right; a tick where the curve meets it."""
    (low, high), named = axes.get_xlim(), dict[float, list[str]]()
    for name, amount in shown.allowances:
        named.setdefault(amount, []).append(name)
    meets = {amount: costing.break_even(amount, shown.fixed, shown.growing) for amount in named}
    for amount, people in meets.items():
        axes.axhline(amount, color=QUIET, linewidth=0.9, linestyle=(0, (5, 3)), zorder=1)
        if low < people < high:
            axes.plot([people], [amount], marker="|", markersize=11, markeredgewidth=1.6, color=INK, zorder=4)
    for amount, at in _spread(sorted(named, reverse=True), APART * np.ptp(axes.get_ylim())).items():
        reached = f"from {_people(meets[amount])}" if np.isfinite(meets[amount]) else "at no size"
        place = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
        axes.annotate(
            f"£{amount:g} {reached}", (1.0, amount), (1.025, at), textcoords=place["xycoords"], fontsize=8.5, color=INK,
            fontweight="bold", arrowprops=LEADER, **place,
        )  # fmt: skip
        names = _plain("\n".join(named[amount]))
        axes.annotate(names, (1.21, at), fontsize=7.5, color=QUIET, linespacing=1.05, **place)


def _spread(wanted: Sequence[float], apart: float) -> dict[float, float]:
    """Where to write each of the amounts, given from the top down: neighbours give way to each other until none is
    nearer than `apart`."""
    at = list(wanted)
    for _ in range(ROUNDS):
        for k in range(len(at) - 1):
            push = max(0.0, apart - (at[k] - at[k + 1])) / 2
            at[k], at[k + 1] = at[k] + push, at[k + 1] - push
    return dict(zip(wanted, at, strict=True))


def _name_curve(axes: Axes, shown: CostCurve) -> None:
    bottom, top = axes.get_ylim()
    height = bottom + 0.9 * (top - bottom)
    axes.annotate(
        "everything alone", (shown.fixed / (height - shown.growing), height), (8, 0), textcoords="offset points",
        fontsize=9, color=INK, va="center", fontstyle="italic",
    )  # fmt: skip


def _dots(axes: Axes, shown: CostCurve) -> None:
    """A dot a body; few enough are named, in a column to the right of them all."""
    axes.scatter(
        [d[1] for d in shown.dots], [d[2] for d in shown.dots], s=46, facecolor="white", edgecolor=INK, linewidth=1.5,
        zorder=5,
    )  # fmt: skip
    if len(shown.dots) > MOST_NAMES:
        return
    column = 1.6 * max(d[1] for d in shown.dots)
    if column > axes.get_xlim()[1] / 4:
        return
    bottom, top = axes.get_ylim()
    listed = sorted(shown.dots, key=lambda d: -d[2])
    step, start = 0.047 * (top - bottom), bottom + 0.93 * (top - bottom)
    middle = sum(d[2] for d in listed) / len(listed) + step * (len(listed) + 3) / 2
    for n, (name, people, cost) in enumerate(listed):
        axes.annotate(
            _plain(f"{name}  £{cost:.2f}"), (people, cost), (column, min(start, middle) - n * step), fontsize=8,
            color=INK, va="center", zorder=6, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            arrowprops={**LEADER, "color": INK, "shrinkB": 4},
        )  # fmt: skip


def _frame(axes: Axes) -> None:
    from matplotlib.ticker import NullLocator

    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS if low <= tick <= high])
    axes.set_xticklabels([_people(tick) for tick in TICKS if low <= tick <= high])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"£{value:g}")
    axes.tick_params(colors=QUIET, labelsize=8.5)
    axes.set_xlabel("people, on a scale that doubles", fontsize=9, color=QUIET)
    axes.set_ylabel("cash a head, a year", fontsize=9, color=QUIET)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)


def _people(value: float) -> str:
    return f"{value / 1e6:.3g} m" if value >= 999_500 else f"{value / 1e3:,.0f} k"


def _plain(text: str) -> str:
    """Mathematics marks made harmless."""
    return text.replace("$", r"\$")
